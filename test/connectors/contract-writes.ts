/** The writing half of the suite: changes are made as planned or not at all, groups keep a row, undo is exact. */
import {expect} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, KeepRule, Outcome, Row, Unit} from '../../source/connector.js';
import {Time, type ValueMap} from '../../source/values.js';
import type {Declare} from './contract.js';
import {allRows, idOf} from './contract-answers.js';
import {nowMicros, rowColumns, rowsTable} from './contract-data.js';
import type {Harness} from './harness.js';

type FullRow = Row & {image: NonNullable<Row['image']>; version: string};

const minute = 60e6;

const sample: ValueMap[] = [
  {
    id: 'r1',
    name: "o'b",
    email: 'ann@example.com',
    n: 1,
    flag: true,
    at: new Time(nowMicros - 30 * minute),
    iso: '2026-11-20T09:00:00Z',
    tags: ['S2', 'S1'],
  },
  {
    id: 'r2',
    name: 'é',
    email: 'ann@example.com',
    n: 2,
    flag: null,
    at: new Time(nowMicros - 20 * minute),
    iso: '1795165200',
    tags: [],
  },
  {
    id: 'r3',
    name: '😀',
    email: 'ann@example.com',
    n: 3,
    at: new Time(nowMicros - 10 * minute),
    iso: '1795165200000',
  },
  {id: 'r4', name: null, email: 'bob@example.com', n: 4, flag: false, at: null, tags: ['', '"', 'a,b']},
];

const load = async (harness: Harness): Promise<Record<string, FullRow>> => {
  await harness.load(rowsTable, rowColumns, ['id'], sample);
  return current(harness);
};

const current = async ({connector}: Harness): Promise<Record<string, FullRow>> =>
  Object.fromEntries(
    (await allRows(connector, rowsTable, nowMicros)).map(row => [
      row.values.id as string,
      {...row, tags: []} as FullRow,
    ]),
  );

const existing = (row: FullRow) => ({
  table: rowsTable,
  identity: row.identity,
  version: row.version,
  image: row.image,
});
const remove = (row: FullRow): Change & {op: 'delete'} => ({...existing(row), op: 'delete'});
const rename = (row: FullRow, name: string): Change & {op: 'update'} => ({
  ...existing(row),
  op: 'update',
  set: {name: {value: name}},
});
const alone = (...changes: Change[]): Unit[] => changes.map(change => ({group: null, changes: [change]}));

const apply = ({connector}: Harness, units: Unit[]): Promise<Outcome[][]> =>
  connector.apply(units, {decideKeeper});

/** `applied`, or why not, of each change. */
const told = (outcomes: Outcome[][]): string[][] =>
  outcomes.map(unit =>
    unit.map(outcome =>
      'why' in outcome
        ? outcome.why
        : 'error' in outcome
          ? `${outcome.result}: ${outcome.error}`
          : outcome.result,
    ),
  );

const keptBy = (email: string, keep: KeepRule, keeper: Row | null, changes: Change[]): Unit => ({
  group: {
    table: rowsTable,
    where: {in: [email], of: {norm: 'email'}},
    keep,
    keeper: keeper?.identity ?? null,
  },
  changes,
});

const latest: KeepRule = {by: 'latest', latestBy: ['at'], canonicalId: null, idAttribute: null, zone: 'UTC'};
const first: KeepRule = {by: 'first'};

const declareUndo = (declare: Declare): void => {
  declare('makes changes, and inverse changes leave the table as it was', async harness => {
    const {connector} = harness;
    const {r1, r2, r3} = await load(harness);
    const before = await harness.dump(rowsTable);
    const {key} = (await connector.describe(rowsTable))!;
    const newKey = Object.fromEntries([...key, 'id'].map(name => [name, {value: 'r9'}]));
    const update: Change = {
      ...existing(r2!),
      op: 'update',
      set: {
        name: {value: 'new'},
        at: {now: true},
        iso: {now: true},
        flag: {remove: true},
        tags: {value: ['x', 'y']},
        n: {value: 9},
      },
    };
    const insert: Change = {
      table: rowsTable,
      identity: {by: 'key', at: {}},
      op: 'insert',
      version: null,
      from: r3!.image,
      set: {...newKey, name: {value: 'copy'}},
    };
    const outcomes = await apply(harness, alone(remove(r1!), update, insert));
    expect(told(outcomes)).toEqual([['applied'], ['applied'], ['applied']]);
    const [, [updated], [inserted]] = outcomes as {
      after: NonNullable<Extract<Outcome, {result: 'applied'}>['after']>;
    }[][];
    const changed = await current(harness);
    expect(Object.keys(changed).sort()).toEqual(['r2', 'r3', 'r4', 'r9']);
    expect(changed.r2!.values).toMatchObject({name: 'new', n: 9, tags: ['x', 'y']});
    expect(changed.r2!.values.flag ?? null).toBeNull();
    // Epoch seconds stay epoch seconds.
    expect(String(changed.r2!.values.iso)).toMatch(/^1[789]\d{8}$/);
    expect(changed.r9!.values).toMatchObject({name: 'copy', n: 3});
    expect(updated!.after.version).toBe(changed.r2!.version);
    expect(inserted!.after.version).toBe(changed.r9!.version);
    const undone = await apply(
      harness,
      alone(
        {table: rowsTable, identity: r1!.identity, op: 'insert', version: null, row: r1!.image},
        {
          table: rowsTable,
          identity: updated!.after.identity,
          op: 'update',
          version: updated!.after.version,
          image: updated!.after.image,
          to: r2!.image,
        },
        {
          table: rowsTable,
          identity: inserted!.after.identity,
          op: 'delete',
          version: inserted!.after.version,
          image: inserted!.after.image,
        },
      ),
    );
    expect(told(undone)).toEqual([['applied'], ['applied'], ['applied']]);
    expect(await harness.dump(rowsTable)).toEqual(before);
  });

  declare('makes many changes of many units', async harness => {
    const rows = Array.from(
      {length: 60},
      (_, index): ValueMap => ({id: `m${index}`, name: `n${index}`, n: index}),
    );
    await harness.load(rowsTable, rowColumns, ['id'], rows);
    const before = await harness.dump(rowsTable);
    const found = Object.values(await current(harness));
    const size = harness.connector.capabilities.unitsPerApply;
    const inSteps = async (units: Unit[]): Promise<string[][]> => {
      const all: string[][] = [];
      for (let from = 0; from < units.length; from += size)
        all.push(...told(await apply(harness, units.slice(from, from + size))));
      return all;
    };
    expect(await inSteps(alone(...found.map(remove)))).toEqual(found.map(() => ['applied']));
    expect(await harness.dump(rowsTable)).toEqual([]);
    const back = found.map(
      (row): Change => ({
        table: rowsTable,
        identity: row.identity,
        op: 'insert',
        version: null,
        row: row.image,
      }),
    );
    expect(await inSteps(alone(...back))).toEqual(found.map(() => ['applied']));
    expect(await harness.dump(rowsTable)).toEqual(before);
  });
};

const declareSkips = (declare: Declare): void => {
  declare('skips a row that is not what the plan saw', async harness => {
    const {r1, r2, r3, r4} = await load(harness);
    await harness.poke(rowsTable, {id: 'r1'}, {name: 'theirs'});
    await harness.poke(rowsTable, {id: 'r2'}, {n: 77});
    expect(
      told(
        await apply(harness, alone(remove(r1!), rename(r2!, 'mine'), {...remove(r3!), skip: 'protected'})),
      ),
    ).toEqual([['changed'], ['changed'], ['protected']]);
    expect(told(await apply(harness, alone(remove(r4!))))).toEqual([['applied']]);
    expect(told(await apply(harness, alone(remove(r4!), rename(r4!, 'ghost'))))).toEqual([
      ['gone'],
      ['gone'],
    ]);
    const now = await current(harness);
    expect(Object.keys(now).sort()).toEqual(['r1', 'r2', 'r3']);
    expect(now.r1!.values.name).toBe('theirs');
    expect(now.r2!.values).toMatchObject({name: 'é', n: 77});
  });

  declare('does not insert over a row that is there', async harness => {
    const {r1} = await load(harness);
    const before = await harness.dump(rowsTable);
    const insert: Change = {
      table: rowsTable,
      identity: r1!.identity,
      op: 'insert',
      version: null,
      row: r1!.image,
    };
    expect(told(await apply(harness, alone(insert)))).toEqual([['exists']]);
    expect(await harness.dump(rowsTable)).toEqual(before);
  });

  declare('makes a change only while its condition holds', async harness => {
    const {r1, r2} = await load(harness);
    const still = (name: string) => ({in: [name], of: {attr: 'name'}});
    const outcomes = await apply(
      harness,
      alone({...remove(r1!), still: still('else')}, {...rename(r2!, 'new'), still: still('é')}),
    );
    expect(told(outcomes)).toEqual([['no-longer'], ['applied']]);
    expect(Object.keys(await current(harness)).sort()).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  declare('skips a unit whole when a required change of it can not be made', async harness => {
    const {r1, r2, r3} = await load(harness);
    await harness.poke(rowsTable, {id: 'r1'}, {name: 'theirs'});
    const before = await harness.dump(rowsTable);
    const required: Change = {...rename(r1!, 'mine'), required: true};
    const outcomes = await apply(harness, [
      {group: null, changes: [remove(r2!), required]},
      {group: null, changes: [required, rename(r3!, 'mine')]},
    ]);
    expect(told(outcomes)).toEqual([
      ['changed', 'changed'],
      ['changed', 'changed'],
    ]);
    expect(await harness.dump(rowsTable)).toEqual(before);
  });
};

const declareGroups = (declare: Declare): void => {
  declare('never deletes the keeper that is decided under the lock', async harness => {
    const {r1, r2, r3} = await load(harness);
    expect(
      told(
        await apply(harness, [
          keptBy('ann@example.com', first, r3!, [remove(r1!), remove(r2!), remove(r3!)]),
        ]),
      ),
    ).toEqual([['keeper', 'applied', 'applied']]);
    expect(Object.keys(await current(harness)).sort()).toEqual(['r1', 'r4']);
  });

  declare('decides the keeper again when the planned one has fallen behind', async harness => {
    const {r1, r2, r3} = await load(harness);
    await harness.poke(rowsTable, {id: 'r3'}, {at: new Time(nowMicros - 50 * minute)});
    expect(
      told(await apply(harness, [keptBy('ann@example.com', latest, r3!, [remove(r1!), remove(r2!)])])),
    ).toEqual([['applied', 'keeper']]);
    expect(Object.keys(await current(harness)).sort()).toEqual(['r2', 'r3', 'r4']);
  });

  declare('keeps the last rows when the chosen keeper is gone', async harness => {
    const {r1, r2, r3} = await load(harness);
    await apply(harness, alone(remove(r1!)));
    const chosen: KeepRule = {by: 'identity', identity: r1!.identity};
    await apply(harness, [keptBy('ann@example.com', chosen, r1!, [remove(r2!), remove(r3!)])]);
    const left = Object.keys(await current(harness)).filter(id => id !== 'r4');
    expect(left.length).toBeGreaterThan(0);
  });

  declare('deletes every row of a group only when no keeper is wanted', async harness => {
    const {r1, r2, r3} = await load(harness);
    expect(
      told(
        await apply(harness, [
          keptBy('ann@example.com', {by: 'none'}, null, [remove(r1!), remove(r2!), remove(r3!)]),
        ]),
      ),
    ).toEqual([['applied', 'applied', 'applied']]);
    expect(Object.keys(await current(harness))).toEqual(['r4']);
  });

  declare('two operators with opposite rules leave a row in every group', async harness => {
    const groups = Array.from({length: 6}, (_, index) => `g${index}@example.com`);
    const rows = groups.flatMap((email, index) =>
      [0, 1, 2].map((at): ValueMap => ({id: `${index}-${at}`, email, at: new Time(nowMicros + at * minute)})),
    );
    await harness.load(rowsTable, rowColumns, ['id'], rows);
    const found = await current(harness);
    const unit = (email: string, index: number, rule: KeepRule): Unit => {
      const members = [0, 1, 2].map(at => found[`${index}-${at}`]!);
      const keeper = members[decideKeeper(rule, members)]!;
      return keptBy(email, rule, keeper, members.filter(row => idOf(row) !== idOf(keeper)).map(remove));
    };
    const size = harness.connector.capabilities.unitsPerApply;
    const operator = async (rule: KeepRule): Promise<void> => {
      const units = groups.map((email, index) => unit(email, index, rule));
      for (let from = 0; from < units.length; from += size)
        await apply(harness, units.slice(from, from + size));
    };
    await Promise.all([operator(first), operator(latest)]);
    const left = new Set(Object.values(await current(harness)).map(row => row.values.email));
    expect([...left].sort()).toEqual(groups);
  });
};

export const declareWrites = (declare: Declare): void => {
  declareUndo(declare);
  declareSkips(declare);
  declareGroups(declare);
};
