/** Which type the attributes of an index's key have: as the table says, else as its rows have it. */
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import {SesstuiError} from '../../../source/errors.js';
import type {Attribute, Item} from '../attributes.js';
import {toItem} from '../attributes.js';
import {isLoopback} from '../client.js';
import {compileProjection} from '../compile.js';
import {scan} from '../pages.js';
import type {Store} from '../store.js';
import type {KeyType} from '../tables.js';
import type {IndexRule, Types} from './definition.js';

/** How many rows tell of a type. */
const sampleRows = 1000;
/** The longest value of a hash and of a range key, in bytes. */
const longest = [2048, 1024];

export type KeyTypes = {types: Types} | {why: string};

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

const isKeyType = (type: string): type is KeyType => ['S', 'N', 'B'].includes(type);

/** `S`, `empty S`, `S of more than 2048 bytes`; null for what is in no group anyhow: nothing, or NULL. */
const kindOf = (value: Attribute | undefined, place: number): string | null => {
  if (!value || 'NULL' in value) return null;
  const [type, content] = Object.entries(value)[0] as [string, unknown];
  if (!isKeyType(type)) return type;
  const bytes = Buffer.byteLength(content as string, type === 'B' ? 'base64' : 'utf8');
  if (bytes === 0) return `empty ${type}`;
  return bytes > longest[place]! ? `${type} of more than ${longest[place]} bytes` : type;
};

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
  if (kind === undefined) return {why: `its type is not known: none of ${seen} has ${name}`};
  if (kinds.size === 1 && isKeyType(kind)) return {type: kind};
  return {
    why: `an index takes one type of ${name} only, S, N or B and not empty; ${seen} have ${listed(kinds)}`,
  };
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
  if (unknown.length === 0) return {types};
  const {projection, request} = compileProjection(unknown);
  const page = await store.client.read(
    'Scan',
    {TableName: rule.table, Limit: sampleRows, ProjectionExpression: projection, ...request},
    signal,
  );
  const items = (page.Items ?? []).map(toItem);
  for (const name of unknown) {
    const kinds: Kinds = new Map();
    countKinds(kinds, items, name, rule.columns.indexOf(name));
    const judged = judge(name, kinds, items.length);
    if ('why' in judged) return judged;
    types[name] = judged.type;
  }
  return {types};
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
