/** The rows form → one statement. */
import type {Found, ReadOptions} from '../../source/connector.js';
import type {Rows} from '../../source/forms.js';
import {expression} from './expressions.js';
import {isOneOf} from './identity.js';
import {predicate} from './predicates.js';
import {
  type Context,
  compilerFor,
  counted,
  flag,
  isTrue,
  keyColumns,
  limited,
  type Page,
  type Query,
  ranked,
  readTotals,
} from './query.js';
import {type Cells, planRow, readRow, Selected} from './rows.js';
import type {Typed} from './typed.js';

const momentOrder = (typed: Typed | null): string =>
  typed?.kind === 'number' ? `coalesce((${typed.sql})::float8, 'Infinity')` : "'Infinity'::float8";

/** Everything it finds, or a page of it with totals. */
export const rowsQuery = (form: Rows, options: ReadOptions, page: Page | null, context: Context): Query => {
  const compiler = compilerFor(form.from, context);
  const {table, scope} = compiler;
  const {binder} = scope;
  const tags = Object.keys(form.tags);
  const flags = tags.map((tag, index) => `${flag(form.tags[tag]!, compiler)} as f${index}`);
  const rank = (form.rank ?? tags).map(tag => tags.indexOf(tag)).filter(index => index >= 0);
  const order = momentOrder(form.order ? expression(form.order, table, 't', scope) : null);
  const only = options.only ? ` and ${isOneOf(table, 't', options.only, binder)}` : '';
  const where = `${predicate(form.where, compiler)}${only}`;
  const keys = keyColumns(table).map((sql, index) => `${sql} as k${index}`);
  const sorting = ['r', 's', ...keys.map((_, index) => `k${index}`)];
  const selected = new Selected();
  const plan = planRow(table, 't', form.show, options.full ?? false, scope, selected);
  // Matches are kept lean (place, tags, order); the columns to show are fetched by place for the page alone.
  const inner = `select t.ctid as c, t.tableoid as o, ${[...flags, `${order} as s`, ...keys].join(', ')} from ${table.sql} as t where ${where}`;
  const matches = `select m.*, ${ranked(rank.map(index => `f${index}`))} as r from (${inner}) m`;
  const names = tags.map((_, index) => `f${index}`);
  const counts = page
    ? ['n', ...names.map((_, index) => `n${index}`)].map(name => `totals.${name}`)
    : ['null'];
  const ordered = sorting.map(name => `page.${name}`).join(', ');
  const output = [...counts, ...names.map(name => `page.${name}`), 'page.o', ...selected.items].join(', ');
  const joined = `page join ${table.sql} as t on t.ctid = page.c and t.tableoid = page.o`;
  const text = page
    ? `with matches as materialized (${matches}), totals as (select ${counted(names, 'f')} from matches),
       page as (select * from matches order by ${sorting.join(', ')}${limited(page, binder)})
       select ${output} from totals left join (${joined}) on true order by ${ordered}`
    : `with page as (${matches}) select ${output} from ${joined} order by ${ordered}`;
  const read = (cells: Cells): Found | undefined => {
    const start = counts.length;
    if (cells[start + tags.length] === null) return undefined;
    const held = tags.filter((_, index) => isTrue(cells[start + index]));
    return {key: null, having: [], rows: [readRow(plan, cells, start + tags.length + 1, held)]};
  };
  return {
    statement: binder.statement(text),
    totals: readTotals(tags),
    reader: () => ({push: read, end: () => undefined}),
  };
};
