/** The suite on values and forms: survey, read, tally and fetch against the reference evaluator. */
import fc from 'fast-check';
import {expect} from 'vitest';
import {environmentFor, evaluateTally} from '../../source/evaluate.js';
import {canonical, isAbsent, type ValueMap} from '../../source/values.js';
import type {Declare} from './contract.js';
import {allRows, comparableTally, idOf} from './contract-answers.js';
import {manyRowsArbitrary, partnerColumns, partnersTable, rowColumns, rowsTable} from './contract-data.js';
import {exprs, leaves, predArbitrary} from './contract-forms.js';
import {agrees, fixedTable, forTables, groupKeys, groupsForm, now, rowsForm} from './contract-tables.js';

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

export const declareReads = (declare: Declare): void => {
  declareValues(declare);
  declareForms(declare);
};
