/** Forms → one statement each, and how its answer is read. Pure: tables and server facts are given. */
import type {Found, ReadOptions, Survey} from '../../source/connector.js';
import type {Form, Groups, Pred, Rows, Tally} from '../../source/forms.js';
import type {Value} from '../../source/values.js';
import type {Table} from './catalogue.js';
import {decode} from './decode.js';
import {expression} from './expressions.js';
import {isOneOf} from './identity.js';
import {type Compiler, predicate, type Tables} from './predicates.js';
import {type Cells, planRow, readRow, Selected} from './rows.js';
import {Binder, ident, type Statement} from './sql.js';
import type {Scope, Typed} from './typed.js';

/** What a compiled statement needs to know besides the form. `lower`: see `Scope`. */
export type Context = {tables: Tables; lower: string; now: number};
export type Page = {offset: number; limit: number};

/** A statement with the reading of its answer. `found` reads rows as they come and says when a group is complete. */
export type Query = {
  statement: Statement;
  /** How many there are in all and by name; from the first row of the answer of a page. */
  totals: (first: Cells) => Pick<Survey, 'total' | 'counts'>;
  reader: () => Reader;
};
export type Reader = {push: (cells: Cells) => Found | undefined; end: () => Found | undefined};

const compilerFor = (from: string, {tables, lower, now}: Context): Compiler => {
  const scope: Scope = {binder: new Binder(), now, lower};
  return {table: tables(from), alias: 't', scope, tables};
};

/** A tag as a boolean that is never NULL. */
const flag = (pred: Pred, compiler: Compiler): string => `coalesce(${predicate(pred, compiler)}, false)`;

const isTrue = (cell: string | null | undefined): boolean => cell === 't';

const readTotals = (names: string[]) => (first: Cells) => ({
  total: Number(first[0]),
  counts: Object.fromEntries(names.map((name, index) => [name, Number(first[index + 1])])),
});

const counted = (names: string[], prefix: string): string =>
  ['count(*) as n', ...names.map((_, index) => `count(*) filter (where ${prefix}${index}) as n${index}`)].join(', ');

const limited = (page: Page | null, binder: Binder): string =>
  page ? ` limit ${binder.bind(String(page.limit), 'int8')} offset ${binder.bind(String(page.offset), 'int8')}` : '';

/** 0 for the first of these flags that is set, and so on. */
const ranked = (flags: string[]): string =>
  flags.length > 0 ? `case ${flags.map((name, index) => `when ${name} then ${index}`).join(' ')} else ${flags.length} end` : '0';

const momentOrder = (typed: Typed | null): string =>
  typed?.kind === 'number' ? `coalesce((${typed.sql})::float8, 'Infinity')` : "'Infinity'::float8";

/** The order of rows that are alike: by key, or by place. */
const keyColumns = (table: Table): string[] =>
  table.key.length > 0 ? table.key.map(column => `t.${ident(column.name)}`) : ['t.tableoid', 't.ctid'];

const rowsQuery = (form: Rows, options: ReadOptions, page: Page | null, context: Context): Query => {
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
  const counts = page ? ['n', ...names.map((_, index) => `n${index}`)].map(name => `totals.${name}`) : ['null'];
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
    statement: {text, values: binder.values},
    totals: readTotals(tags),
    reader: () => ({push: read, end: () => undefined}),
  };
};

const havingSql = (form: Groups, name: string, compiler: Compiler): string => {
  const conditions = form.having[name]!.map(({of, distinct, min, max}) => {
    // A row of expressions is counted even where they are NULL: absent values are all alike, and one of them.
    const parts = distinct?.map(expr => expression(expr, compiler.table, 't', compiler.scope).sql);
    const what = parts ? `distinct row(${parts.join(', ')})` : '*';
    const count = `count(${what})${of ? ` filter (where ${predicate(of, compiler)})` : ''}`;
    const bounds = [...(min === undefined ? [] : [`${count} >= ${Number(min)}`]), ...(max === undefined ? [] : [`${count} <= ${Number(max)}`])];
    return bounds.length > 0 ? bounds.join(' and ') : 'true';
  });
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
};

const groupsQuery = (form: Groups, options: ReadOptions, page: Page | null, context: Context): Query => {
  const compiler = compilerFor(form.from, context);
  const {table, scope} = compiler;
  const {binder} = scope;
  const names = Object.keys(form.having);
  const tags = Object.keys(form.tags);
  const keys = form.key.map(expr => expression(expr, table, 't', scope));
  const present = keys.map(({sql}) => `(${sql}) is not null`);
  const where = [predicate(form.where, compiler), ...present].join(' and ');
  const keyList = keys.map(({sql}) => sql).join(', ');
  const only = options.only ? ` and (${keyList}) in (select ${keyList} from ${table.sql} as t where ${where} and ${isOneOf(table, 't', options.only, binder)})` : '';
  const outputs = [...keys.map(({sql}, index) => `${sql} as k${index}`), ...names.map((name, index) => `(${havingSql(form, name, compiler)}) as h${index}`)];
  const grouped = `select ${outputs.join(', ')} from ${table.sql} as t where ${where}${only}${keys.length > 0 ? ` group by ${keys.map((_, index) => index + 1).join(', ')}` : ''}`;
  const flags = names.map((_, index) => `h${index}`);
  const kept = `select g.*, ${ranked(flags)} as r from (${grouped}) g where ${flags.length > 0 ? flags.join(' or ') : 'false'}`;
  const sorting = (alias: string): string => [`${alias}.r`, ...keys.map((_, index) => `${alias}.k${index}::text collate "C"`)].join(', ');
  const selected = new Selected();
  const plan = planRow(table, 't', form.show, options.full ?? false, scope, selected);
  const counts = page ? ['n', ...flags.map((_, index) => `n${index}`)].map(name => `totals.${name}`) : ['null'];
  const heads = [...keys.map((_, index) => `page.k${index}`), ...flags.map(name => `page.${name}`), 'page.r'];
  const tagList = tags.map(tag => flag(form.tags[tag]!, compiler));
  const output = [...counts, ...heads, ...tagList, ...selected.items].join(', ');
  const joined = `page join ${table.sql} as t on ${[where, ...keys.map(({sql}, index) => `${sql} = page.k${index}`)].join(' and ')}`;
  const order = `order by ${[sorting('page'), ...keyColumns(table)].join(', ')}`;
  const text = page
    ? `with kept as materialized (${kept}), totals as (select ${counted(names, 'h')} from kept),
       page as (select * from kept order by ${sorting('kept')}${limited(page, binder)})
       select ${output} from totals left join (${joined}) on true ${order}`
    : `with page as materialized (${kept}) select ${output} from ${joined} ${order}`;
  const width = {counts: counts.length, keys: keys.length, names: names.length, tags: tags.length};
  const reader = (): Reader => {
    let current: {id: string; found: Found} | undefined;
    return {
      push: cells => {
        const head = cells.slice(width.counts, width.counts + width.keys + width.names + 1);
        if (head.at(-1) === null) return undefined;
        const start = width.counts + head.length;
        const held = tags.filter((_, index) => isTrue(cells[start + index]));
        const row = readRow(plan, cells, start + width.tags, held);
        const id = JSON.stringify(head);
        if (current?.id === id) {
          current.found.rows.push(row);
          return undefined;
        }
        const done = current?.found;
        const key: Value[] = keys.map(({type}, index) => decode(head[index]!, type));
        current = {id, found: {key, having: names.filter((_, index) => isTrue(head[width.keys + index])), rows: [row]}};
        return done;
      },
      end: () => current?.found,
    };
  };
  return {statement: {text, values: binder.values}, totals: readTotals(names), reader};
};

/** One statement for a form: everything it finds, or a page of it with totals. */
export const formQuery = (form: Form, options: ReadOptions, page: Page | null, context: Context): Query =>
  form.form === 'rows' ? rowsQuery(form, options, page, context) : groupsQuery(form, options, page, context);

/** How many rows there are for each value, the most frequent first. */
export const tallyQuery = (form: Tally, context: Context): {statement: Statement; read: (cells: Cells) => {value: Value; count: number}} => {
  const compiler = compilerFor(form.from, context);
  const by = expression(form.by, compiler.table, 't', compiler.scope);
  const where = form.where ? ` where ${predicate(form.where, compiler)}` : '';
  const text = `select ${by.sql}, count(*) from ${compiler.table.sql} as t${where} group by 1 order by 2 desc, 1`;
  return {
    statement: {text, values: compiler.scope.binder.values},
    read: ([value, count]) => ({value: decode(value ?? null, by.type), count: Number(count)}),
  };
};
