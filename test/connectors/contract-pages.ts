/** The suite on order, paging and narrowing. */
import {expect} from 'vitest';
import type {Found} from '../../source/connector.js';
import {exprValue as valueOfExpr} from '../../source/evaluate.js';
import type {Rows} from '../../source/forms.js';
import type {Declare} from './contract.js';
import {collect, comparable, idOf} from './contract-answers.js';
import {leaves} from './contract-forms.js';
import {answerOf, fixedTable, groupsForm, now, rowsForm} from './contract-tables.js';

export const declarePages = (declare: Declare): void => {
  declare('orders rows by rank, then by moment', async harness => {
    const data = await fixedTable(harness);
    const order = {instant: ['at', 'iso']};
    const tags = {old: leaves['at is old']!, flagged: leaves['flag in']!};
    const form: Rows = {...rowsForm({all: []}, tags), rank: ['flagged', 'old'], order};
    const values = new Map(data.rows.map(row => [idOf(row), row.values]));
    const places = (found: Found[]) =>
      found.map(({rows: [row]}) => [
        row!.tags.includes('flagged') ? 0 : row!.tags.includes('old') ? 1 : 2,
        valueOfExpr(order, values.get(idOf(row!))!) ?? null,
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
