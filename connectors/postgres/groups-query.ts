/** The groups form → one statement, in which the groups are found first and joined back to all their rows. */
import type {Found, ReadOptions} from '../../source/connector.js';
import type {Groups} from '../../source/forms.js';
import type {Value} from '../../source/values.js';
import {decode} from './decode.js';
import {expression} from './expressions.js';
import {isOneOf} from './identity.js';
import {type Compiler, predicate} from './predicates.js';
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
  type Reader,
  ranked,
  readTotals,
} from './query.js';
import {planRow, readRow, Selected} from './rows.js';

const havingSql = (form: Groups, name: string, compiler: Compiler): string => {
  const conditions = form.having[name]!.map(({of, distinct, min, max}) => {
    // A row of expressions is counted even where they are NULL: absent values are all alike, and one of them.
    const parts = distinct?.map(expr => expression(expr, compiler.table, 't', compiler.scope).sql);
    const what = parts ? `distinct row(${parts.join(', ')})` : '*';
    const count = `count(${what})${of ? ` filter (where ${predicate(of, compiler)})` : ''}`;
    const bounds = [
      ...(min === undefined ? [] : [`${count} >= ${Number(min)}`]),
      ...(max === undefined ? [] : [`${count} <= ${Number(max)}`]),
    ];
    return bounds.length > 0 ? bounds.join(' and ') : 'true';
  });
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
};

/** Everything it finds, or a page of it with totals. */
export const groupsQuery = (
  form: Groups,
  options: ReadOptions,
  page: Page | null,
  context: Context,
): Query => {
  const compiler = compilerFor(form.from, context);
  const {table, scope} = compiler;
  const {binder} = scope;
  const names = Object.keys(form.having);
  const tags = Object.keys(form.tags);
  const keys = form.key.map(expr => expression(expr, table, 't', scope));
  const present = keys.map(({sql}) => `(${sql}) is not null`);
  const where = [predicate(form.where, compiler), ...present].join(' and ');
  const keyList = keys.map(({sql}) => sql).join(', ');
  const only = options.only
    ? ` and (${keyList}) in (select ${keyList} from ${table.sql} as t where ${where} and ${isOneOf(table, 't', options.only, binder)})`
    : '';
  const outputs = [
    ...keys.map(({sql}, index) => `${sql} as k${index}`),
    ...names.map((name, index) => `(${havingSql(form, name, compiler)}) as h${index}`),
  ];
  const grouped = `select ${outputs.join(', ')} from ${table.sql} as t where ${where}${only}${keys.length > 0 ? ` group by ${keys.map((_, index) => index + 1).join(', ')}` : ''}`;
  const flags = names.map((_, index) => `h${index}`);
  const kept = `select g.*, ${ranked(flags)} as r from (${grouped}) g where ${flags.length > 0 ? flags.join(' or ') : 'false'}`;
  const sorting = (alias: string): string =>
    [`${alias}.r`, ...keys.map((_, index) => `${alias}.k${index}::text collate "C"`)].join(', ');
  const selected = new Selected();
  const plan = planRow(table, 't', form.show, options.full ?? false, scope, selected);
  const counts = page
    ? ['n', ...flags.map((_, index) => `n${index}`)].map(name => `totals.${name}`)
    : ['null'];
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
        current = {
          id,
          found: {key, having: names.filter((_, index) => isTrue(head[width.keys + index])), rows: [row]},
        };
        return done;
      },
      end: () => current?.found,
    };
  };
  // No index serves computed keys, and the planner does not know what they cost: rows are joined to their groups by
  // hash, not by computing the keys of all rows for each group.
  const isComputed = form.key.some(key => !('attr' in key));
  const setting = isComputed ? {setting: {text: 'set local enable_nestloop = off', values: []}} : {};
  return {statement: binder.statement(text), ...setting, totals: readTotals(names), reader};
};
