/** Tables of the suite loaded, and what the reference evaluator says of them. */
import fc from 'fast-check';
import {expect} from 'vitest';
import type {Found} from '../../source/connector.js';
import {countFound, environmentFor, evaluate, type RawRow} from '../../source/evaluate.js';
import type {Form, Groups, Pred, Rows} from '../../source/forms.js';
import type {ValueMap} from '../../source/values.js';
import {allRows, comparable} from './contract-answers.js';
import {
  manyRowsArbitrary,
  nowMicros,
  partnerColumns,
  partnersArbitrary,
  partnersTable,
  rowColumns,
  rowsArbitrary,
  rowsTable,
} from './contract-data.js';
import {exprs, leaves} from './contract-forms.js';
import type {Harness} from './harness.js';

export type Data = {rows: RawRow[]; partners: RawRow[]};

export const now = nowMicros;
export const rowsForm = (where: Pred, tags: Record<string, Pred> = {}): Rows => ({
  form: 'rows',
  from: rowsTable,
  where,
  show: ['name'],
  tags,
});

const load = async ({connector, load}: Harness, rows: ValueMap[], partners: ValueMap[]): Promise<Data> => {
  await load(rowsTable, rowColumns, ['id'], rows);
  await load(partnersTable, partnerColumns, ['id'], partners);
  return {
    rows: await allRows(connector, rowsTable, now),
    partners: await allRows(connector, partnersTable, now),
  };
};

export const answerOf = async (form: Form, {rows, partners}: Data): Promise<Found[]> =>
  evaluate(form, rows, await environmentFor(form, table => (table === partnersTable ? partners : rows), now));

/** A page that holds everything says what the evaluator says, and how often. */
export const agrees = async ({connector}: Harness, form: Form, data: Data): Promise<void> => {
  const expected = await answerOf(form, data);
  const {found, ...totals} = await connector.survey(form, {now, offset: 0, limit: 10_000});
  expect(comparable(found)).toEqual(comparable(expected));
  expect(totals).toEqual(countFound(form, expected));
};

const duplicates: Groups['having'] = {
  many: [{min: 2}],
  'open only': [
    {of: {is: 'string', of: {attr: 'name'}}, max: 0},
    {of: {is: 'null', of: {attr: 'flag'}}, min: 1},
  ],
  differ: [{distinct: [{attr: 'n'}, {attr: 'flag'}], min: 2}],
  'differ where old': [
    {of: {older: 60_000, of: {instant: ['at']}}, distinct: [{norm: 'email'}], min: 2, max: 3},
  ],
};

export const groupsForm = (key: Groups['key'], where: Pred = {all: []}): Groups => ({
  form: 'groups',
  from: rowsTable,
  where,
  key,
  having: duplicates,
  show: ['name', 'n'],
  tags: {old: leaves['at is old']!, 'no partner': {no: leaves['has partner']!}},
});

export const groupKeys: Groups['key'][] = [
  ...Object.values(exprs).map(expr => [expr]),
  [{attr: 'name'}, {attr: 'flag'}],
  [{attr: 'n'}, {set: 'tags'}, {norm: 'email'}],
];

/** Generated tables, the same each time; `runs` of them. */
export const forTables = (
  harness: Harness,
  runs: number,
  check: (data: Data) => Promise<void>,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(rowsArbitrary, partnersArbitrary, async (rows, partners) =>
      check(await load(harness, rows, partners)),
    ),
    {numRuns: runs, seed: 20_261_120, endOnFailure: true},
  );

/** One table that the tests which need no variety share. */
export const fixedTable = async (harness: Harness): Promise<Data> => {
  const [[rows, partners]] = fc.sample(fc.tuple(manyRowsArbitrary, partnersArbitrary), {
    numRuns: 1,
    seed: 7,
  }) as [[ValueMap[], ValueMap[]]];
  return load(harness, rows, partners);
};
