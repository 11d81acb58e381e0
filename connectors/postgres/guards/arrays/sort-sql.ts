/** The sort function and trigger of a column of arrays, as SQL. */
import {columnOf, type Table} from '../../catalogue.js';
import {dollarQuoted, ident, literal} from '../../sql.js';
import type {PgType} from '../../types.js';
import {qualified} from '../sql/names.js';
import {sorterName, sortFunctionName, sortTriggerName} from './names.js';

/** Where the objects of a column are; enough to write a script for a table that nobody has looked at. */
export type SortedColumn = {
  schema: string;
  /** Quoted and qualified. */
  table: string;
  column: string;
  /** The array's element, as SQL and as pg_type calls it below its domains. */
  element: {cast: string; base: string; natural: boolean};
};

/** Elements with an order of their own; others are sorted as text by their bytes. As `{set: …}` does. */
const isNatural = ({family, base}: PgType): boolean =>
  (family !== 'text' && family !== 'json' && family !== 'other') || base === 'uuid' || base === 'jsonb';

/** A column of a table whose columns are known and checked. */
export const sortedColumn = (table: Table, name: string): SortedColumn => {
  const element = columnOf(table, name)!.type.element!;
  return {
    schema: table.schema,
    table: table.sql,
    column: name,
    element: {cast: element.cast, base: element.base, natural: isNatural(element)},
  };
};

/**
 * The array `sql` sorted as `{set: …}` in expressions.ts sorts it: NULL stays NULL, NULL elements come last, the result
 * counts from 1, and arrays of arrays stay as they are.
 */
export const sortedArray = (sql: string, natural: boolean): string =>
  `case when pg_catalog.array_ndims(${sql}) operator(pg_catalog.>) 1 then ${sql} when ${sql} is not null then array(select x from pg_catalog.unnest(${sql}) x order by ${natural ? 'x' : 'x::pg_catalog.text collate pg_catalog."C"'}) end`;

export const sorterBody = ({element}: SortedColumn): string =>
  `select ${sortedArray('arr', element.natural)}`;

export const sorterOf = ({schema, element}: SortedColumn): {name: string; sql: string; signature: string} => {
  const name = sorterName(element.base);
  const sql = qualified(schema, name);
  return {name, sql, signature: `${sql}(${element.cast}[])`};
};

export const triggerBody = (at: SortedColumn): string => {
  const column = `new.${ident(at.column)}`;
  return `begin ${column} := ${sorterOf(at).sql}(${column}); return new; end`;
};

export const triggerOf = ({schema, column}: SortedColumn) => ({
  name: sortTriggerName(column),
  functionName: sortFunctionName(column),
  signature: `${qualified(schema, sortFunctionName(column))}()`,
});

const executable = (signature: string): string => `grant execute on function ${signature} to public`;

/** Anyone who may write the table runs it, also where a database takes that right away by default. */
export const createSorter = (at: SortedColumn): string[] => {
  const {sql, signature} = sorterOf(at);
  const array = `${at.element.cast}[]`;
  return [
    `create or replace function ${sql}(arr ${array}) returns ${array} language sql immutable parallel safe as ${dollarQuoted(` ${sorterBody(at)} `)}`,
    executable(signature),
  ];
};

export const createTriggerFunction = (at: SortedColumn): string[] => {
  const {signature} = triggerOf(at);
  return [
    `create or replace function ${signature} returns trigger language plpgsql as ${dollarQuoted(` ${triggerBody(at)} `)}`,
  ];
};

export const dropTrigger = (at: SortedColumn): string =>
  `drop trigger if exists ${ident(triggerOf(at).name)} on ${at.table}`;

export const createTrigger = (at: SortedColumn): string => {
  const {name, signature} = triggerOf(at);
  return `create trigger ${ident(name)} before insert or update on ${at.table} for each row execute function ${signature}`;
};

/**
 * The function `q` (of pg_proc) calls the one of this name, as far as its source tells: by its schema, or without one
 * where that finds it. Only what is parsed when it is made is in pg_depend.
 */
export const mentions = (schema: string, name: string): string => {
  const [space, own] = [schema, name].map(part => part.replaceAll(/[^\p{L}\p{N}_]/gu, '\\$&')) as [
    string,
    string,
  ];
  const bare = literal(`(^|[^.\\w"])"?${own}\\M`);
  const whole = literal(`\\m${space}"?\\s*\\.\\s*"?${own}\\M`);
  const found = `(q.pronamespace = ${literal(ident(schema))}::regnamespace or ${literal(schema)} = any (pg_catalog.current_schemas(false)))`;
  return `(q.prosrc ~* ${whole} or (q.prosrc ~* ${bare} and ${found}))`;
};
