/** The suite on rows that are to be there once: made or updated, by however many callers at once. */
import {expect} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Kept, NewValue, Put} from '../../source/connector.js';
import {Time, type Value} from '../../source/values.js';
import {codeOf} from '../support/rejections.js';
import type {Declare} from './contract.js';
import {allRows} from './contract-answers.js';
import {current, load} from './contract-changes.js';
import {nowMicros, partnerColumns, partnersTable, rowColumns, rowsTable} from './contract-data.js';
import type {Harness} from './harness.js';

type Sets = Record<string, Value>;

const valuesOf = (sets: Sets): Record<string, NewValue> =>
  Object.fromEntries(Object.entries(sets).map(([name, value]) => [name, {value}]));

/** The table's own key beside the attribute `id`, which is not everywhere the key. */
const keyed = async ({connector}: Harness, table: string, id: string): Promise<Sets> => {
  const {key} = (await connector.describe(table))!;
  return Object.fromEntries([...key, 'id'].map(name => [name, id]));
};

const requestFor = async (harness: Harness, id: string, rest: Partial<Put> = {}): Promise<Put> => ({
  table: rowsTable,
  where: {in: [id], of: {attr: 'id'}},
  lock: id,
  keep: {by: 'first'},
  create: valuesOf({...(await keyed(harness, rowsTable, id)), name: 'made', n: 1}),
  update: valuesOf({n: 2}),
  ...rest,
});

const put = ({connector}: Harness, request: Put, signal?: AbortSignal): Promise<Kept> =>
  connector.put(request, {decideKeeper, signal});

const declareOne = (declare: Declare): void => {
  declare('puts a row that is not there, and tells it as it then is', async harness => {
    await load(harness);
    const base = await requestFor(harness, 'p1');
    const create: Put['create'] = {
      ...base.create,
      ...valuesOf({name: "o'b", flag: true, tags: ['x', ''], email: 'é@example.com'}),
      at: {now: true},
    };
    const {result, row} = await put(harness, {...base, create});
    expect(result).toBe('created');
    expect(row.values).toMatchObject({
      id: 'p1',
      name: "o'b",
      n: 1,
      flag: true,
      tags: ['x', ''],
      email: 'é@example.com',
    });
    const rows = await current(harness);
    expect(Object.keys(rows).sort()).toEqual(['p1', 'r1', 'r2', 'r3', 'r4']);
    expect(row).toEqual({...rows.p1!, tags: []});
    const {at} = row.values;
    const moment = at instanceof Time ? at.micros / 1000 : Date.parse(String(at));
    expect(Math.abs(moment - Date.now())).toBeLessThan(60_000);
  });

  declare('puts on a row that is there only what is to be updated', async harness => {
    const before = await load(harness);
    const request = await requestFor(harness, 'r1', {
      update: {...valuesOf({n: 9}), flag: {remove: true}, at: {now: true}},
    });
    const {result, row} = await put(harness, request);
    expect(result).toBe('updated');
    const after = await current(harness);
    expect(row).toEqual(after.r1);
    expect(row.version).not.toBe(before.r1!.version);
    expect(row.values).toMatchObject({id: 'r1', name: "o'b", n: 9, iso: before.r1!.values.iso});
    expect(row.values.flag ?? null).toBeNull();
    for (const id of ['r2', 'r3', 'r4']) expect(after[id]).toEqual(before[id]);
    expect(Object.keys(after)).toHaveLength(4);
  });

  declare('leaves a row that is there as it is when nothing is to be updated', async harness => {
    const before = await load(harness);
    const {result, row} = await put(harness, await requestFor(harness, 'r2', {update: null}));
    expect(result).toBe('kept');
    expect(row).toEqual(before.r2);
    expect(await current(harness)).toEqual(before);
  });

  declare('puts nothing when it would change a key, or was interrupted before', async harness => {
    const before = await load(harness);
    const {key} = (await harness.connector.describe(rowsTable))!;
    const request = await requestFor(harness, 'r1', {update: valuesOf({[key[0]!]: 'other', n: 5})});
    expect(await codeOf(put(harness, request))).toBe('usage');
    const fresh = await requestFor(harness, 'p1');
    expect(await codeOf(put(harness, fresh, AbortSignal.abort()))).toBe('interrupted');
    expect(await current(harness)).toEqual(before);
  });
};

const declareMany = (declare: Declare): void => {
  declare('leaves one row, made once, of many puts at once', async harness => {
    await load(harness);
    const request = await requestFor(harness, 'p1');
    const answers = await Promise.all(Array.from({length: 20}, () => put(harness, request)));
    expect(answers.filter(({result}) => result === 'created')).toHaveLength(1);
    expect(answers.filter(({result}) => result === 'updated')).toHaveLength(19);
    const rows = await current(harness);
    expect(Object.keys(rows).sort()).toEqual(['p1', 'r1', 'r2', 'r3', 'r4']);
    expect(rows.p1!.values).toMatchObject({name: 'made', n: 2});
  });

  declare('puts many rows at once, each its own', async harness => {
    await harness.load(rowsTable, rowColumns, ['id'], []);
    const ids = Array.from({length: 20}, (_, index) => `p${index}`);
    const requests = await Promise.all(ids.map(id => requestFor(harness, id)));
    const answers = await Promise.all(requests.map(request => put(harness, request)));
    expect(answers.map(({result, row}) => [result, row.values.id])).toEqual(ids.map(id => ['created', id]));
    expect(Object.keys(await current(harness)).sort()).toEqual([...ids].sort());
  });
};

const declareBeside = (declare: Declare): void => {
  const partners = async ({connector}: Harness) =>
    Object.fromEntries(
      (await allRows(connector, partnersTable, nowMicros)).map(({values}) => [values.id, values]),
    );

  declare('sets rows of another table along with a put', async harness => {
    await load(harness);
    await harness.load(partnersTable, partnerColumns, ['id'], [{id: 'a1', owner: 'old', kind: 'shut'}]);
    const {key} = (await harness.connector.describe(partnersTable))!;
    const beside = (id: string) => ({
      table: partnersTable,
      key: Object.fromEntries(key.map(name => [name, id])),
      set: valuesOf({owner: 'p1', ...(key.includes('id') ? {} : {id})}),
    });
    const request = await requestFor(harness, 'p1', {also: [beside('a1'), beside('a2')]});
    expect((await put(harness, request)).result).toBe('created');
    let found = await partners(harness);
    expect(Object.keys(found).sort()).toEqual(['a1', 'a2']);
    expect(found.a1).toMatchObject({owner: 'p1', kind: 'shut'});
    expect(found.a2).toMatchObject({owner: 'p1'});
    await harness.poke(partnersTable, {id: 'a1'}, {owner: 'theirs'});
    // It is set again by a put that finds its row, and by one that leaves it alone.
    expect((await put(harness, request)).result).toBe('updated');
    expect((await partners(harness)).a1).toMatchObject({owner: 'p1', kind: 'shut'});
    await harness.poke(partnersTable, {id: 'a2'}, {owner: 'theirs'});
    expect((await put(harness, {...request, update: null})).result).toBe('kept');
    found = await partners(harness);
    expect(found.a2).toMatchObject({owner: 'p1'});
    expect(Object.keys(found).sort()).toEqual(['a1', 'a2']);
  });
};

export const declarePuts = (declare: Declare): void => {
  declareOne(declare);
  declareMany(declare);
  declareBeside(declare);
};
