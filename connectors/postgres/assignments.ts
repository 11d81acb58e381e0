/** What a change sets columns to, as texts that many changes of one shape can share a statement with. */
import type {Change, NewValue} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {epochPattern, millisecondsFrom} from '../../source/instants.js';
import {columnOf, noSuchColumn, type Table} from './catalogue.js';
import {encode} from './encode.js';
import {type Binder, ident, jsWhitespace} from './sql.js';
import {posix} from './typed.js';
import {type Column, jsonbType} from './types.js';

/** `how` and the column are the same for all changes of a statement; `text` is a change's own. */
export type Assignment = {
  column: Column;
  path: string[];
  how: 'text' | 'now' | 'remove';
  text: string | null;
  /** Of a now: what a column without a time zone is told in; the store's default where it is not said. */
  zone?: string;
};

export type Image = Record<string, string | null>;

const target = (table: Table, name: string): {column: Column; path: string[]} => {
  const column = columnOf(table, name);
  if (column) return {column, path: []};
  const [head, ...path] = name.split('.');
  const outer = columnOf(table, head!);
  if (!outer || path.length === 0 || outer.type.family !== 'json') throw noSuchColumn(name, table);
  return {column: outer, path};
};

/** The assignments of a `set`. */
export const assignmentsOf = (table: Table, set: Record<string, NewValue>): Assignment[] =>
  Object.entries(set).map(([name, value]) => {
    const {column, path} = target(table, name);
    if ('now' in value) return {column, path, how: 'now', text: null, zone: value.zone};
    if ('remove' in value) return {column, path, how: path.length > 0 ? 'remove' : 'text', text: null};
    return {column, path, how: 'text', text: encode(value.value, path.length > 0 ? jsonbType : column.type)};
  });

/** From what is there to another image: only the columns that differ, so that an identity column is left alone. */
const differences = (table: Table, from: Image, to: Image): Assignment[] =>
  Object.entries(to).flatMap(([name, text]): Assignment[] => {
    const column = columnOf(table, name);
    if (!column) throw noSuchColumn(name, table);
    return column.generated || from[name] === text ? [] : [{column, path: [], how: 'text', text}];
  });

/** All that an update sets; never empty, so that the row is looked at in any case. */
export const updateAssignments = (table: Table, change: Change & {op: 'update'}): Assignment[] => {
  const set = assignmentsOf(table, ('set' in change && change.set) || {});
  const onTop = new Set(set.filter(({path}) => path.length === 0).map(({column}) => column.name));
  const base = 'to' in change ? differences(table, change.image as Image, change.to as Image) : [];
  const all = [...base.filter(({column}) => !onTop.has(column.name)), ...set];
  if (all.length > 0) return all;
  const column = table.columns.find(({generated, identityAlways}) => !generated && !identityAlways)!;
  return [{column, path: [], how: 'text', text: (change.image as Image)[column.name] ?? null}];
};

const epochNow = 'extract(epoch from now())';
const isoNow = `to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
/** Whole seconds or milliseconds, as the old value counts. */
const epochLike = (old: string): string =>
  `case when abs(${old}) < ${millisecondsFrom} then floor(${epochNow}) else floor(${epochNow} * 1000) end::int8`;

/** The store's now in a column's own format; `old` is what it replaces, and says so where the type doesn't. */
const nowAs = ({name, type}: Column, old: string, zone: string): string => {
  const local = `now() at time zone ${zone}`;
  switch (type.family) {
    case 'timestamptz':
      return 'now()';
    case 'timestamp':
      return local;
    case 'date':
      return `(${local})::date`;
    case 'text':
      return `case when btrim(${old}::text, ${jsWhitespace}) ~ ${posix(epochPattern)} then (${epochLike(`btrim(${old}::text, ${jsWhitespace})::numeric`)})::text else ${isoNow} end`;
    case 'int':
    case 'numeric':
    case 'float':
      // Milliseconds don't fit into int4, so a new one counts seconds.
      return epochLike(`coalesce(${old}, ${type.base === 'int4' ? 0 : millisecondsFrom})`);
    default:
      throw new SesstuiError('unsupported', `The column "${name}" (${type.name}) can't hold a moment.`);
  }
};

const nowInJson = (old: string): string =>
  `case jsonb_typeof(${old}) when 'number' then to_jsonb(${epochLike(`(${old})::numeric`)}) else to_jsonb(${isoNow}) end`;

const within = ({path, how}: Assignment, document: string, bound: string, binder: Binder): string => {
  const at = binder.bind(path, 'text[]');
  if (how === 'remove') return `${document} #- ${at}`;
  const value = how === 'now' ? nowInJson(`(${document} #> ${at})`) : `coalesce(${bound}::jsonb, 'null')`;
  return `jsonb_set(${document}, ${at}, ${value}, true)`;
};

/**
 * The new value of each column: `column` → SQL. `bound(index)` is the text of an assignment, `old(column)` the value
 * that it replaces, `zoneSql` the zone of a now.
 */
export const assignedSql = (
  assignments: Assignment[],
  bound: (index: number) => string,
  old: (column: Column) => string,
  zoneSql: (assignment: Assignment) => string,
  binder: Binder,
): {column: Column; sql: string}[] => {
  const columns = [...new Set(assignments.map(({column}) => column))];
  return columns.map(column => {
    const own = assignments
      .map((assignment, index) => ({assignment, index}))
      .filter(({assignment}) => assignment.column === column);
    const whole = own.find(({assignment}) => assignment.path.length === 0);
    const inside = own.filter(({assignment}) => assignment.path.length > 0);
    const base = !whole
      ? old(column)
      : whole.assignment.how === 'now'
        ? nowAs(column, old(column), zoneSql(whole.assignment))
        : `${bound(whole.index)}::${column.type.cast}`;
    if (inside.length === 0) return {column, sql: base};
    const document = inside.reduce(
      (sql, {assignment, index}) => within(assignment, sql, bound(index), binder),
      `coalesce((${base})::jsonb, '{}')`,
    );
    return {column, sql: `(${document})::${column.type.cast}`};
  });
};

/** Equal for changes that can share a statement. */
export const shapeOf = (assignments: Assignment[]): string =>
  JSON.stringify(assignments.map(({column, path, how, zone}) => [column.name, path, how, zone ?? null]));

/** For `set ("column" = …)`. */
export const setClause = (assigned: {column: Column; sql: string}[]): string =>
  assigned.map(({column, sql}) => `${ident(column.name)} = ${sql}`).join(', ');
