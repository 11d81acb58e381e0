/** Forms → statements. Pure: tables and what the server can do are given. */
import type {ReadOptions} from '../../source/connector.js';
import type {Form, Tally} from '../../source/forms.js';
import type {Value} from '../../source/values.js';
import {decode} from './decode.js';
import {expression} from './expressions.js';
import {groupsQuery} from './groups-query.js';
import {predicate} from './predicates.js';
import {type Context, compilerFor, type Page, type Query} from './query.js';
import type {Cells} from './rows.js';
import {rowsQuery} from './rows-query.js';
import type {Statement} from './sql.js';

/** One statement for a form: everything it finds, or a page of it with totals. */
export const formQuery = (form: Form, options: ReadOptions, page: Page | null, context: Context): Query =>
  form.form === 'rows' ? rowsQuery(form, options, page, context) : groupsQuery(form, options, page, context);

/** How many rows there are for each value, the most frequent first. */
export const tallyQuery = (
  form: Tally,
  context: Context,
): {statement: Statement; read: (cells: Cells) => {value: Value; count: number}} => {
  const compiler = compilerFor(form.from, context);
  const by = expression(form.by, compiler.table, 't', compiler.scope);
  const where = form.where ? ` where ${predicate(form.where, compiler)}` : '';
  const text = `select ${by.sql}, count(*) from ${compiler.table.sql} as t${where} group by 1 order by 2 desc, 1`;
  return {
    statement: compiler.scope.binder.statement(text),
    read: ([value, count]) => ({value: decode(value ?? null, by.type), count: Number(count)}),
  };
};
