/** What the statements of all forms are made of. */
import type {Found, Survey} from '../../source/connector.js';
import type {Pred} from '../../source/forms.js';
import type {Table} from './catalogue.js';
import {type Compiler, predicate, type Tables} from './predicates.js';
import type {Cells} from './rows.js';
import {Binder, ident, type Statement} from './sql.js';
import type {Scope} from './typed.js';

/** What a compiled statement needs to know besides the form. `lower`: see `Scope`. */
export type Context = {tables: Tables; lower: string; now: number};
export type Page = {offset: number; limit: number};

/** A statement with the reading of its answer. `found` reads rows as they come and says when a group is complete. */
export type Query = {
  statement: Statement;
  /** For the statement's transaction, before it. */
  setting?: Statement;
  /** How many there are in all and by name; from the first row of the answer of a page. */
  totals: (first: Cells) => Pick<Survey, 'total' | 'counts'>;
  reader: () => Reader;
};
export type Reader = {push: (cells: Cells) => Found | undefined; end: () => Found | undefined};

export const compilerFor = (from: string, {tables, lower, now}: Context): Compiler => {
  const scope: Scope = {binder: new Binder(), now, lower};
  return {table: tables(from), alias: 't', scope, tables};
};

/** A tag as a boolean that is never NULL. */
export const flag = (pred: Pred, compiler: Compiler): string =>
  `coalesce(${predicate(pred, compiler)}, false)`;

export const isTrue = (cell: string | null | undefined): boolean => cell === 't';

export const readTotals = (names: string[]) => (first: Cells) => ({
  total: Number(first[0]),
  counts: Object.fromEntries(names.map((name, index) => [name, Number(first[index + 1])])),
});

export const counted = (names: string[], prefix: string): string =>
  [
    'count(*) as n',
    ...names.map((_, index) => `count(*) filter (where ${prefix}${index}) as n${index}`),
  ].join(', ');

export const limited = (page: Page | null, binder: Binder): string =>
  page
    ? ` limit ${binder.bind(String(page.limit), 'int8')} offset ${binder.bind(String(page.offset), 'int8')}`
    : '';

/** 0 for the first of these flags that is set, and so on. */
export const ranked = (flags: string[]): string =>
  flags.length > 0
    ? `case ${flags.map((name, index) => `when ${name} then ${index}`).join(' ')} else ${flags.length} end`
    : '0';

/** The order of rows that are alike: by key, or by place. */
export const keyColumns = (table: Table): string[] =>
  table.key.length > 0 ? table.key.map(column => `t.${ident(column.name)}`) : ['t.tableoid', 't.ctid'];
