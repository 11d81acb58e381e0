/** Proves the write path on scratch tables, by the same writes as the library's; and the fault that it prevents. */
import {randomUUID} from 'node:crypto';
import type {Put} from '../../../source/connector.js';
import {fill} from '../../../source/evaluate.js';
import {templateNames} from '../../../source/forms.js';
import {readInstant} from '../../../source/instants.js';
import {toText, type ValueMap} from '../../../source/values.js';
import {attributeOf, fromItem, type Item, neutralItem, toItem} from '../attributes.js';
import {mapError} from '../errors.js';
import {putRow} from '../put.js';
import type {Store} from '../store.js';
import {attributesOfSchema, type KeyType} from '../tables.js';
import type {WritePathRule} from './definition.js';
import {lookAt} from './index-state.js';
import {keyTypes} from './key-types.js';
import {proof, type RuleProof} from './proof.js';
import {onScratch} from './scratch.js';

const createdAt = 'createdAt';
const updatedAt = 'updatedAt';
const longAgo = '2020-01-01T00:00:00.000Z';
const atOnce = 20;

/** Rows are under `id`, grouped by `group`; accounts are under `account`. */
type Bench = {
  sessions: string;
  accounts: string;
  id: string;
  rule: WritePathRule;
  values: (number: number) => ValueMap;
};

const putFor = ({sessions, accounts, id, rule, values}: Bench, number: number, made?: string): Put => {
  const group = values(number);
  const canonical = fill(rule.canonicalId!, group)!;
  const set = {
    ...Object.fromEntries(Object.entries(group).map(([name, value]) => [name, {value}])),
    [updatedAt]: made ? {value: made} : {now: true as const},
  };
  const update = Object.fromEntries(Object.entries(set).filter(([name]) => name !== id));
  return {
    table: sessions,
    where: {all: [{in: [toText(canonical)], of: {attr: id}}]},
    lock: canonical,
    keep: {by: 'first'},
    create: {...set, [createdAt]: made ? {value: made} : {now: true}, [id]: {value: canonical}},
    update,
    also: [{table: accounts, key: {account: number}, set: {session: {value: canonical}}}],
  };
};

const rowsOf = async (store: Store, table: string, signal?: AbortSignal): Promise<Item[]> => {
  const {Items = []} = await store.client.read('Scan', {TableName: table, ConsistentRead: true}, signal);
  return Items.map(toItem);
};

const upsert = (store: Store, request: Put, signal?: AbortSignal) => putRow(store, request, {signal});

async function* proofsOn(store: Store, bench: Bench, signal?: AbortSignal): AsyncIterable<RuleProof> {
  const {sessions, accounts, id, rule, values} = bench;
  const inGroup = async (number: number): Promise<Item[]> => {
    const wanted = Object.entries(values(number)).map(([name, value]) => [name, toText(value)]);
    return (await rowsOf(store, sessions, signal)).filter(item =>
      wanted.every(([name, text]) => toText(neutralItem(item)[name!]) === text),
    );
  };
  const isOne = async (number: number): Promise<string | null> => {
    const {length} = await inGroup(number);
    return length === 1 ? null : `there are ${length} rows`;
  };
  const of = rule.groupBy.join(', ');
  yield await proof(
    `Written twice, a row of the same ${of} is there once, under its canonical ${id}.`,
    async () => {
      for (let time = 0; time < 2; time++) await upsert(store, putFor(bench, 1), signal);
      return isOne(1);
    },
  );
  yield await proof(`${atOnce} writers at once make one row.`, async () => {
    await Promise.all(Array.from({length: atOnce}, () => upsert(store, putFor(bench, 2), signal)));
    return isOne(2);
  });
  yield await proof(`${createdAt} is kept, and ${updatedAt} goes forward.`, async () => {
    await upsert(store, putFor(bench, 3, longAgo), signal);
    const {row} = await upsert(store, putFor(bench, 3), signal);
    if (row.values[createdAt] !== longAgo) return `${createdAt} became ${toText(row.values[createdAt])}`;
    const later = readInstant(row.values[updatedAt]) ?? 0;
    return later > readInstant(longAgo)! ? null : `${updatedAt} is ${toText(row.values[updatedAt])}`;
  });
  yield await proof('What refers to the row is set in the same transaction.', async () => {
    const items = (await rowsOf(store, accounts, signal)).map(neutralItem);
    const wrong = items.find(item => item.session !== fill(rule.canonicalId!, values(Number(item.account))));
    if (items.length !== 3) return `${items.length} of 3 rows are there`;
    return wrong ? `it refers to ${toText(wrong.session)}` : null;
  });
  // So that the fault is known to be real: this is what the check finds, and nothing refuses it.
  yield await proof(
    'Two writers that look first and insert then make two rows: what it prevents.',
    async () => {
      const seen = [await inGroup(4), await inGroup(4)];
      for (const rows of seen) {
        if (rows.length > 0) continue;
        const others = {...values(4), [id]: randomUUID()};
        const item = Object.fromEntries(
          Object.entries(others).map(([name, value]) => [name, attributeOf(value)]),
        );
        try {
          await store.client.send('PutItem', {TableName: sessions, Item: fromItem(item)}, signal);
        } catch (error) {
          throw mapError(error, `a write to ${sessions}`);
        }
      }
      const {length} = await inGroup(4);
      return length === 2 ? null : `they made ${length}`;
    },
  );
}

/**
 * Sentences about writing under a canonical key, each tried on scratch tables; none where the check has no canonicalId,
 * because there is no such way of writing then.
 */
export async function* proveWritePath(
  store: Store,
  rule: WritePathRule,
  signal?: AbortSignal,
): AsyncIterable<RuleProof> {
  if (rule.canonicalId === null) return;
  const table = await lookAt(store, rule.table, signal);
  const id = rule.idAttribute ?? attributesOfSchema(table?.KeySchema)[0] ?? 'id';
  const index = {rule: 'index' as const, table: rule.table, columns: rule.groupBy};
  const known = table ? await keyTypes(store, index, table, signal) : {why: ''};
  const typeOf = (name: string): KeyType => ('types' in known ? (known.types[name] ?? 'S') : 'S');
  const names = [...new Set([...rule.groupBy, ...templateNames(rule.canonicalId)])].filter(
    name => name !== id,
  );
  const values = (number: number): ValueMap =>
    Object.fromEntries(names.map(name => [name, typeOf(name) === 'N' ? number : `${name} ${number}`]));
  const keys: [string, KeyType][][] = [[[id, typeOf(id)]], [['account', 'N']]];
  const proofs = ([sessions, accounts]: string[]) =>
    proofsOn(store, {sessions: sessions!, accounts: accounts!, id, rule, values}, signal);
  yield* onScratch(store, keys, proofs, signal);
}
