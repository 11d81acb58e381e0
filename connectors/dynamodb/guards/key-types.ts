/** Which type the attributes of an index's key have: as the table says, else as its rows have it. */
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import {SesstuiError} from '../../../source/errors.js';
import {type Item, toItem} from '../attributes.js';
import {isLoopback} from '../client.js';
import {compileProjection} from '../compile.js';
import {isKeyType, kindOf} from '../key-kinds.js';
import {scan} from '../pages.js';
import type {Store} from '../store.js';
import type {KeyType} from '../tables.js';
import type {IndexRule, Types} from './definition.js';

/** How many rows tell of a type. */
const sampleRows = 1000;

/** `assumed`: an empty table tells no type of these, which are taken to be text. */
export type KeyTypes = {types: Types; assumed: string[]} | {why: string};

const definedTypes = (table: TableDescription): Types =>
  Object.fromEntries(
    (table.AttributeDefinitions ?? []).map(({AttributeName, AttributeType}) => [
      AttributeName!,
      AttributeType as KeyType,
    ]),
  );

/** The attributes whose type only rows can tell. */
export const undefinedColumns = ({columns}: IndexRule, table: TableDescription): string[] =>
  columns.filter(name => definedTypes(table)[name] === undefined);

type Kinds = Map<string, number>;

const countKinds = (kinds: Kinds, items: Item[], name: string, place: number): void => {
  for (const item of items) {
    const kind = kindOf(Object.hasOwn(item, name) ? item[name] : undefined, place);
    if (kind !== null) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
};

const listed = (kinds: Kinds): string =>
  [...kinds]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} (${count.toLocaleString('en')})`)
    .join(', ');

const judge = (name: string, kinds: Kinds, rows: number): {type: KeyType} | {why: string} => {
  const seen = `the ${rows.toLocaleString('en')} rows that were looked at`;
  const [kind] = kinds.keys();
  if (rows === 0) return {type: 'S'};
  if (kind === undefined) return {why: `its type is not known: none of ${seen} has ${name}`};
  if (kinds.size === 1 && isKeyType(kind)) return {type: kind};
  return {
    why: `an index takes one type of ${name} only, S, N or B and not empty; ${seen} have ${listed(kinds)}`,
  };
};

/** Up to 1,000 rows, eventually consistent. */
const sample = async (
  store: Store,
  table: string,
  columns: string[],
  signal?: AbortSignal,
): Promise<Item[]> => {
  const {projection, request} = compileProjection(columns);
  const page = await store.client.read(
    'Scan',
    {TableName: table, Limit: sampleRows, ProjectionExpression: projection, ...request},
    signal,
  );
  return (page.Items ?? []).map(toItem);
};

/**
 * The types of the key, or why there can be none. Where no other key of the table says it already, up to 1,000 rows are
 * read (eventually consistent).
 */
export const keyTypes = async (
  store: Store,
  rule: IndexRule,
  table: TableDescription,
  signal?: AbortSignal,
): Promise<KeyTypes> => {
  const types = {...definedTypes(table)};
  const unknown = undefinedColumns(rule, table);
  if (unknown.length === 0) return {types, assumed: []};
  const items = await sample(store, rule.table, unknown, signal);
  for (const name of unknown) {
    const kinds: Kinds = new Map();
    countKinds(kinds, items, name, rule.columns.indexOf(name));
    const judged = judge(name, kinds, items.length);
    if ('why' in judged) return judged;
    types[name] = judged.type;
  }
  return {types, assumed: items.length === 0 ? unknown : []};
};

/** Why the type is no more than a guess; null where rows or a key tell it. */
export const assumption = (assumed: string[], table: string): string | null =>
  assumed.length === 0
    ? null
    : `${table} is empty: ${assumed.join(', ')} ${assumed.length === 1 ? 'is' : 'are'} taken to be text (S)`;

/** What an index of these types leaves out of the rows that were looked at, in words; null for nothing. */
export const leftOutInSample = async (
  store: Store,
  rule: IndexRule,
  table: TableDescription,
  signal?: AbortSignal,
): Promise<string | null> => {
  const types = definedTypes(table);
  const items = await sample(store, rule.table, rule.columns, signal);
  const words = rule.columns.flatMap((name, place) => {
    const kinds: Kinds = new Map();
    countKinds(kinds, items, name, place);
    const others = new Map([...kinds].filter(([kind]) => kind !== types[name]));
    if (others.size === 0) return [];
    const seen = `the ${items.length.toLocaleString('en')} rows that were looked at`;
    return [`it leaves out rows whose ${name} is not ${types[name]}: ${seen} have ${listed(others)}`];
  });
  return words.length > 0 ? `${words.join('; ')}, and the check reads the table` : null;
};

/**
 * Reads the key's attributes of every row, once: rows whose value an index can't take would be left out of it, unseen,
 * and refused when they are written again. Throws `unsupported` with their number.
 */
export const requireTypes = async (
  store: Store,
  rule: IndexRule,
  types: Types,
  signal?: AbortSignal,
): Promise<void> => {
  const info = await store.tables.known(rule.table, signal);
  const kinds: Kinds[] = rule.columns.map(() => new Map());
  const paced = !isLoopback(store.settings.endpoint);
  const compiled = {...compileProjection(rule.columns), filter: undefined};
  await scan(store.client, info, compiled, {paced, signal}, items => {
    for (const [place, name] of rule.columns.entries()) countKinds(kinds[place]!, items, name, place);
  });
  for (const [place, name] of rule.columns.entries()) {
    const others = new Map([...kinds[place]!].filter(([kind]) => kind !== types[name]));
    if (others.size === 0) continue;
    throw new SesstuiError(
      'unsupported',
      `An index on ${name} (${types[name]}) of ${rule.table} would not hold every row: some have ${listed(others)}.`,
      `Mend these rows first: DynamoDB would leave them out, and refuse to write them again.`,
    );
  }
};
