/** The suite's changes: a small table, and short words for what is done to it. */
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, KeepRule, Outcome, Row, Unit} from '../../source/connector.js';
import {Time, type ValueMap} from '../../source/values.js';
import {allRows} from './contract-answers.js';
import {nowMicros, rowColumns, rowsTable} from './contract-data.js';
import type {Harness} from './harness.js';

export type FullRow = Row & {image: NonNullable<Row['image']>; version: string};

export const minute = 60e6;

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

export const load = async (harness: Harness): Promise<Record<string, FullRow>> => {
  await harness.load(rowsTable, rowColumns, ['id'], sample);
  return current(harness);
};

export const current = async ({connector}: Harness): Promise<Record<string, FullRow>> =>
  Object.fromEntries(
    (await allRows(connector, rowsTable, nowMicros)).map(row => [
      row.values.id as string,
      {...row, tags: []} as FullRow,
    ]),
  );

export const existing = (row: FullRow) => ({
  table: rowsTable,
  identity: row.identity,
  version: row.version,
  image: row.image,
});
export const remove = (row: FullRow): Change & {op: 'delete'} => ({...existing(row), op: 'delete'});
export const rename = (row: FullRow, name: string): Change & {op: 'update'} => ({
  ...existing(row),
  op: 'update',
  set: {name: {value: name}},
});
export const alone = (...changes: Change[]): Unit[] =>
  changes.map(change => ({group: null, changes: [change]}));

export const apply = ({connector}: Harness, units: Unit[]): Promise<Outcome[][]> =>
  connector.apply(units, {decideKeeper});

/** `applied`, or why not, of each change. */
export const told = (outcomes: Outcome[][]): string[][] =>
  outcomes.map(unit =>
    unit.map(outcome =>
      'why' in outcome
        ? outcome.why
        : 'error' in outcome
          ? `${outcome.result}: ${outcome.error}`
          : outcome.result,
    ),
  );

export const keptBy = (email: string, keep: KeepRule, keeper: Row | null, changes: Change[]): Unit => ({
  group: {
    table: rowsTable,
    where: {in: [email], of: {norm: 'email'}},
    keep,
    keeper: keeper?.identity ?? null,
  },
  changes,
});

export const latest: KeepRule = {
  by: 'latest',
  latestBy: ['at'],
  canonicalId: null,
  idAttribute: null,
  zone: 'UTC',
};
export const first: KeepRule = {by: 'first'};
