/** Proves the index on a scratch table: it answers for every row, also for new ones, and the check agrees with a scan. */
import {canonicalJson, type Found} from '../../../source/connector.js';
import {evaluate} from '../../../source/evaluate.js';
import {attributesOfForm, everything, type Groups} from '../../../source/forms.js';
import {type Attribute, fromItem, type Item} from '../attributes.js';
import {candidates} from '../candidates.js';
import {mapError} from '../errors.js';
import {groupsByIndex} from '../indexed-groups.js';
import {queryKeys} from '../pages.js';
import type {Store} from '../store.js';
import {attributesOfSchema, type KeyType} from '../tables.js';
import {type IndexRule, indexNameOf, isPrimaryKey, type Types} from './definition.js';
import {lookAt} from './index-state.js';
import {keyTypes} from './key-types.js';
import {performIndex} from './perform-index.js';
import {proof, type RuleProof} from './proof.js';
import {eventually, onScratch} from './scratch.js';

/** The same value for the same number, of any key's type. */
const sampleOf = (type: KeyType, number: number): Attribute =>
  type === 'S'
    ? {S: `v${number}`}
    : type === 'N'
      ? {N: String(number)}
      : {B: Buffer.from([number]).toString('base64')};

type Bench = {rule: IndexRule; key: [string, KeyType][]; types: Types};

const benchOf = async (store: Store, rule: IndexRule, signal?: AbortSignal): Promise<Bench> => {
  const table = await lookAt(store, rule.table, signal);
  const known = table ? await keyTypes(store, rule, table, signal) : {why: ''};
  const types = 'types' in known ? known.types : {};
  const names = table ? attributesOfSchema(table.KeySchema) : ['id'];
  const key = names.map((name): [string, KeyType] => [name, types[name] ?? 'S']);
  return {rule, key, types: Object.fromEntries(rule.columns.map(name => [name, types[name] ?? 'S']))};
};

/** Row number `row`, of the group `group`; its key's first part is in no other row where that is not grouped by. */
const itemOf = ({rule, key, types}: Bench, row: number, group: number | null): Item => ({
  ...Object.fromEntries(key.map(([name, type]) => [name, sampleOf(type, row)])),
  ...(group !== null && Object.fromEntries(rule.columns.map(name => [name, sampleOf(types[name]!, group)]))),
});

const formOf = ({rule, key}: Bench, table: string): Groups => ({
  form: 'groups',
  from: table,
  where: everything,
  key: rule.columns.map(attr => ({attr})),
  having: {duplicate: [{min: 2}]},
  show: [...key.map(([name]) => name), ...rule.columns],
  tags: {},
});

const told = (found: Found[]): string =>
  found.map(({rows}) => rows.map(({identity}) => canonicalJson(identity.at)).join(' ')).join('; ');

async function* proofsOn(
  store: Store,
  bench: Bench,
  table: string,
  signal?: AbortSignal,
): AsyncIterable<RuleProof> {
  const {rule, types} = bench;
  const scratch: IndexRule = {...rule, table};
  const put = async (row: number, group: number | null): Promise<void> => {
    try {
      await store.client.send(
        'PutItem',
        {TableName: table, Item: fromItem(itemOf(bench, row, group))},
        signal,
      );
    } catch (error) {
      throw mapError(error, `a write to ${table}`);
    }
  };
  const ask = async (group: number): Promise<number> => {
    const info = await store.tables.known(table, signal);
    const hash = rule.columns[0]!;
    const where = {index: indexNameOf(rule), hash, values: [sampleOf(types[hash]!, group)]};
    return (await queryKeys(store.client, info, where, signal)).length;
  };
  const holds = (group: number, count: number) =>
    eventually(async () => (await ask(group)) === count, `${count} rows of a group in the index`, signal);
  for (const [row, group] of [
    [1, 1],
    [2, 1],
    [3, 2],
    [4, null],
  ] as const)
    await put(row, group);
  await performIndex(store, scratch, 'install', 'index', {signal});
  yield await proof('The index finds both rows of a group that were there before it.', async () => {
    await holds(1, 2);
    return null;
  });
  yield await proof('A row that is written later is found by it too.', async () => {
    await put(5, 2);
    await holds(2, 2);
    return null;
  });
  yield await proof(
    'The check finds the same groups by the index as by reading the whole table.',
    async () => {
      const form = formOf(bench, table);
      const env = {now: 0, hasPartner: () => false};
      const rows = await candidates(store, table, form.where, attributesOfForm(form), signal);
      const [indexed, scanned] = [
        await groupsByIndex(store, form, env, {signal, whateverItCosts: true}),
        evaluate(form, rows, env),
      ];
      if (indexed === null) return 'the index was not asked';
      if (scanned.length !== 2) return `the table has ${scanned.length} groups, not 2`;
      return told(indexed) === told(scanned)
        ? null
        : `by the index ${told(indexed)}, by the table ${told(scanned)}`;
    },
  );
}

/** Sentences about the index, each tried on a scratch table of the same key. */
export async function* proveIndex(
  store: Store,
  rule: IndexRule,
  signal?: AbortSignal,
): AsyncIterable<RuleProof> {
  const table = await lookAt(store, rule.table, signal);
  // There is nothing to be built: the table's own key does it.
  if (table && isPrimaryKey(rule, table)) return;
  const bench = await benchOf(store, rule, signal);
  yield* onScratch(store, [bench.key], ([scratch]) => proofsOn(store, bench, scratch!, signal), signal);
}
