/** The reading half of the suite: survey, read, tally and fetch against the reference evaluator. */
import fc from 'fast-check';
import {expect} from 'vitest';
import type {Found} from '../../source/connector.js';
import {
  countFound,
  environmentFor,
  evaluate,
  evaluateTally,
  type RawRow,
  valueOf,
} from '../../source/evaluate.js';
import type {Form, Groups, Pred, Rows} from '../../source/forms.js';
import {canonical, isAbsent, type ValueMap} from '../../source/values.js';
import type {Declare} from './contract.js';
import {allRows, collect, comparable, comparableTally, idOf} from './contract-answers.js';
import {
  exprs,
  leaves,
  manyRowsArbitrary,
  nowMicros,
  partnerColumns,
  partnersArbitrary,
  partnersTable,
  predArbitrary,
  rowColumns,
  rowsArbitrary,
  rowsTable,
} from './contract-data.js';
import type {Harness} from './harness.js';

type Data = {rows: RawRow[]; partners: RawRow[]};

const now = nowMicros;
const rowsForm = (where: Pred, tags: Record<string, Pred> = {}): Rows => ({
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

const answerOf = async (form: Form, {rows, partners}: Data): Promise<Found[]> =>
  evaluate(form, rows, await environmentFor(form, table => (table === partnersTable ? partners : rows), now));

/** A page that holds everything says what the evaluator says, and how often. */
const agrees = async ({connector}: Harness, form: Form, data: Data): Promise<void> => {
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

const groupsForm = (key: Groups['key'], where: Pred = {all: []}): Groups => ({
  form: 'groups',
  from: rowsTable,
  where,
  key,
  having: duplicates,
  show: ['name', 'n'],
  tags: {old: leaves['at is old']!, 'no partner': {no: leaves['has partner']!}},
});

const groupKeys: Groups['key'][] = [
  ...Object.values(exprs).map(expr => [expr]),
  [{attr: 'name'}, {attr: 'flag'}],
  [{attr: 'n'}, {set: 'tags'}, {norm: 'email'}],
];

/** Generated tables, the same each time; `runs` of them. */
const forTables = (harness: Harness, runs: number, check: (data: Data) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(rowsArbitrary, partnersArbitrary, async (rows, partners) =>
      check(await load(harness, rows, partners)),
    ),
    {numRuns: runs, seed: 20_261_120, endOnFailure: true},
  );

/** One table that the tests which need no variety share. */
const fixedTable = async (harness: Harness): Promise<Data> => {
  const [[rows, partners]] = fc.sample(fc.tuple(manyRowsArbitrary, partnersArbitrary), {
    numRuns: 1,
    seed: 7,
  }) as [[ValueMap[], ValueMap[]]];
  return load(harness, rows, partners);
};

const declareValues = (declare: Declare): void => {
  declare('reads back what was loaded', async harness => {
    const [rows] = fc.sample(manyRowsArbitrary, {numRuns: 1, seed: 3}) as [ValueMap[]];
    await harness.load(rowsTable, rowColumns, ['id'], rows);
    const found = new Map(
      (await allRows(harness.connector, rowsTable, now)).map(row => [row.values.id, row.values]),
    );
    expect(found.size).toBe(rows.length);
    for (const row of rows)
      for (const name of ['name', 'email', 'n', 'flag', 'iso', 'tags']) {
        const value = found.get(row.id)![name];
        expect(isAbsent(value)).toBe(isAbsent(row[name]));
        expect(canonical(value)).toBe(canonical(row[name]));
      }
  });

  declare('gives full rows an image and a version that follows the row', async harness => {
    const {connector} = harness;
    const data = await fixedTable(harness);
    const again = new Map((await allRows(connector, rowsTable, now)).map(row => [idOf(row), row.version]));
    for (const row of data.rows) {
      expect(row.image).toBeTruthy();
      expect(row.version).toBe(again.get(idOf(row)));
    }
    await harness.poke(rowsTable, {id: 'r1'}, {name: 'poked'});
    const poked = await allRows(connector, rowsTable, now);
    const changed = poked.filter(row => row.version !== again.get(idOf(row)));
    expect(changed.map(row => row.values.id)).toEqual(['r1']);
    expect(connector.valuesOf(rowsTable, changed[0]!.image!).name).toBe('poked');
  });

  declare('fetches rows by identity in the order asked for', async harness => {
    const {connector} = harness;
    const {rows} = await fixedTable(harness);
    const wanted = [rows[3]!, rows[0]!, rows[5]!];
    await harness.load(partnersTable, partnerColumns, ['id'], [{id: 'gone'}]);
    const [gone] = await allRows(connector, partnersTable, now);
    const found = await connector.fetch(rowsTable, [
      wanted[0]!.identity,
      wanted[1]!.identity,
      gone!.identity,
      wanted[2]!.identity,
    ]);
    expect(found.map(row => row?.values.id)).toEqual([
      wanted[0]!.values.id,
      wanted[1]!.values.id,
      undefined,
      wanted[2]!.values.id,
    ]);
    expect(found[1]).toMatchObject({version: rows[0]!.version, image: rows[0]!.image});
  });
};

const declareForms = (declare: Declare): void => {
  declare('answers every predicate on every expression as the evaluator does', harness =>
    forTables(harness, 6, data => agrees(harness, rowsForm({all: []}, leaves), data)),
  );

  declare('finds the rows of any condition', async harness => {
    const data = await fixedTable(harness);
    const preds = [...fc.sample(predArbitrary, {numRuns: 60, seed: 11}), ...Object.values(leaves).slice(-32)];
    for (const pred of preds)
      await agrees(harness, rowsForm(pred, {old: leaves['at is old']!, negated: {no: pred}}), data);
  });

  declare('groups by any expression, whole groups with their tags', harness =>
    forTables(harness, 3, async data => {
      for (const key of groupKeys) await agrees(harness, groupsForm(key), data);
      await agrees(harness, groupsForm([{norm: 'email'}], {no: leaves['flag in']!}), data);
    }),
  );

  declare('tallies by any expression', harness =>
    forTables(harness, 2, async data => {
      for (const by of Object.values(exprs)) {
        const form = {form: 'tally' as const, from: rowsTable, by, where: {no: leaves['name in texts']!}};
        const env = await environmentFor(rowsForm(form.where), () => [], now);
        expect(comparableTally(await harness.connector.tally(form, {now}))).toEqual(
          comparableTally(evaluateTally(form, data.rows, env)),
        );
      }
    }),
  );
};

const declareOrder = (declare: Declare): void => {
  declare('orders rows by rank, then by moment', async harness => {
    const data = await fixedTable(harness);
    const order = {instant: ['at', 'iso']};
    const tags = {old: leaves['at is old']!, flagged: leaves['flag in']!};
    const form: Rows = {...rowsForm({all: []}, tags), rank: ['flagged', 'old'], order};
    const values = new Map(data.rows.map(row => [idOf(row), row.values]));
    const places = (found: Found[]) =>
      found.map(({rows: [row]}) => [
        row!.tags.includes('flagged') ? 0 : row!.tags.includes('old') ? 1 : 2,
        valueOf(order, values.get(idOf(row!))!) ?? null,
      ]);
    const expected = places(await answerOf(form, data));
    expect(places((await harness.connector.survey(form, {now, offset: 0, limit: 10_000})).found)).toEqual(
      expected,
    );
    expect(places(await collect(harness.connector.read(form, {now})))).toEqual(expected);
  });

  declare('pages cover everything once', async harness => {
    const data = await fixedTable(harness);
    for (const form of [
      rowsForm({no: leaves['flag in']!}, {old: leaves['at is old']!}),
      groupsForm([{attr: 'n'}]),
    ]) {
      const expected = comparable(await answerOf(form, data));
      const found: Found[] = [];
      for (let offset = 0; offset < expected.length; offset += 4) {
        const page = await harness.connector.survey(form, {now, offset, limit: 4});
        expect(page.total).toBe(expected.length);
        found.push(...page.found);
      }
      expect(comparable(found)).toEqual(expected);
      expect(comparable(await collect(harness.connector.read(form, {now})))).toEqual(expected);
      const beyond = await harness.connector.survey(form, {now, offset: 1_000, limit: 4});
      expect(beyond).toMatchObject({total: expected.length, found: []});
    }
  });

  declare('narrows to the rows asked for, and to the whole groups that they are in', async harness => {
    const data = await fixedTable(harness);
    const some = [data.rows[2]!, data.rows[7]!, data.rows[9]!];
    const ids = new Set(some.map(idOf));
    const only = some.map(row => row.identity);
    for (const form of [rowsForm({no: leaves['flag in']!}), groupsForm([{attr: 'n'}])]) {
      const all = await answerOf(form, data);
      const expected = comparable(all.filter(found => found.rows.some(row => ids.has(idOf(row)))));
      expect(
        comparable((await harness.connector.survey(form, {now, only, offset: 0, limit: 100})).found),
      ).toEqual(expected);
      expect(comparable(await collect(harness.connector.read(form, {now, only, full: true})))).toEqual(
        expected,
      );
      expect((await harness.connector.survey(form, {now, only: [], offset: 0, limit: 100})).total).toBe(0);
    }
  });
};

export const declareReads = (declare: Declare): void => {
  declareValues(declare);
  declareForms(declare);
  declareOrder(declare);
};
