/** An expression as SQL with what is known of its type; and how values of different types compare. */
import {type Binder, literal} from './sql.js';
import type {PgType} from './types.js';

export type TypedKind = 'text' | 'number' | 'bool' | 'time' | 'json' | 'array' | 'other' | 'absent';

export type Typed = {
  /** NULL exactly where the value is absent. */
  sql: string;
  kind: TypedKind;
  /** The type of `sql`, by which its output is read. */
  type: PgType;
  /** When it is a column as it stands: what an index is on. */
  column?: {sql: string; type: PgType};
  /** jsonb in which a JSON null is still told from nothing. */
  raw?: string;
  /** It is a path into jsonb, where a name can be missing. */
  inside?: boolean;
};

export type Scope = {
  binder: Binder;
  /** The store's now, in microseconds since 1970. */
  now: number;
  /** SQL of a timestamptz that is now instead, where the text outlives its statement: in a trigger's function. */
  clock?: string;
  /** The collation that lower-cases, as a suffix; empty for the server's default. */
  lower: string;
};

/** Text of a float8 in JavaScript's spelling. `x` is evaluated several times. */
const floatText = (x: string): string =>
  `case when (${x})::text in ('NaN', 'Infinity', '-Infinity') then (${x})::text
    when abs(${x}) >= 1e21 or (abs(${x}) < 1e-6 and ${x} <> 0) then regexp_replace((${x})::text, 'e([+-])0', 'e\\1')
    else trim_scale((${x})::text::numeric)::text end`;

/** A numeric that is a number to JavaScript is spelt as one, which matters from 1e21 and below 1e-6. */
const numericText = (x: string): string =>
  `case when (abs(${x}) between 1e21 and 1e300 or abs(${x}) between 1e-300 and 1e-6) and (${x})::float8::text::numeric = ${x}
    then ${floatText(`(${x})::float8`)} else trim_scale(${x})::text end`;

const numberText = ({sql, type}: Typed): string => {
  if (type.family === 'int') return `(${sql})::text`;
  return type.family === 'numeric' ? numericText(`(${sql})`) : floatText(`(${sql})`);
};

/** JSON's numbers are JavaScript's, whatever digits they have. */
const jsonNumberText = (sql: string): string =>
  `case when abs((${sql})::numeric) < 1e300 then ${floatText(`(${sql})::float8`)} end`;

/** Years of more than four digits have six and a sign in JavaScript's ISO 8601, and there is a year 0. */
const yearText = `case when y between 1 and 9999 then lpad(y::text, 4, '0') when y = -1 then '0000'
  when y > 0 then '+' || lpad(y::text, 6, '0') else '-' || lpad((-1 - y)::text, 6, '0') end`;

const timeText = (sql: string): string =>
  `(select case when isfinite(u) then ${yearText} || to_char(u, case when extract(microseconds from u)::int8 % 1000 = 0
    then '-MM-DD"T"HH24:MI:SS.MS"Z"' else '-MM-DD"T"HH24:MI:SS.US"Z"' end) else u::text end
    from (select w.u, case when isfinite(w.u) then extract(year from w.u)::int4 end as y from (select ${sql} at time zone 'UTC' as u) w) z)`;

/** What `toText` makes of the value (but for the blanks in JSON of maps). */
export const textOf = (typed: Typed): string => {
  switch (typed.kind) {
    case 'number':
      return numberText(typed);
    case 'time':
      return timeText(typed.sql);
    case 'json':
      return `case jsonb_typeof(${typed.sql}) when 'number' then ${jsonNumberText(typed.sql)} else (${typed.sql}) #>> '{}' end`;
    case 'array':
      return `to_json(${typed.sql})::text`;
    case 'text':
      return typed.sql;
    default:
      return `(${typed.sql})::text`;
  }
};

/** Absent unless a scalar. */
export const scalarOnly = (typed: Typed): Typed => {
  if (typed.kind === 'array') return absent;
  if (typed.kind !== 'json') return typed;
  const sql = `case when jsonb_typeof(${typed.sql}) in ('string', 'number', 'boolean') then ${typed.sql} end`;
  return {kind: 'json', sql, type: typed.type};
};

const noType: PgType = {
  name: 'text',
  cast: 'text',
  base: 'text',
  family: 'text',
  element: null,
  loose: false,
};
export const absent: Typed = {sql: 'null::text', kind: 'absent', type: noType};

/** A number as numeric by its text, so that 0.1 of any type is 0.1. */
const exactNumber = ({sql, type}: Typed): string =>
  type.family === 'float' ? `(${sql})::text::numeric` : `(${sql})::numeric`;

/** The value as jsonb, equal exactly where the neutral values are; null where a type has no JSON of its own. */
export const toJsonb = (typed: Typed): string | null => {
  if (typed.kind === 'json') return typed.sql;
  if (typed.kind === 'number') return `to_jsonb(${exactNumber(typed)})`;
  if (typed.kind === 'text' || typed.kind === 'bool' || typed.kind === 'array')
    return `to_jsonb(${typed.sql})`;
  return null;
};

const sameType = (a: PgType, b: PgType): boolean =>
  a.base === b.base &&
  a.cast === b.cast &&
  !a.loose &&
  !b.loose &&
  a.family !== 'json' &&
  a.family !== 'other';

const equalNumbers = (a: Typed, b: Typed): string => {
  if (a.type.family === 'int' && b.type.family === 'int') return `${a.sql} = ${b.sql}`;
  return a.type.base === b.type.base ? `${a.sql} = ${b.sql}` : `${exactNumber(a)} = ${exactNumber(b)}`;
};

/** Equality as `canonical` has it: types are kept apart. NULL where either is absent. */
export const equal = (a: Typed, b: Typed): string => {
  if (a.kind === 'absent' || b.kind === 'absent') return 'false';
  if (a.column && b.column && a.kind !== 'array' && sameType(a.column.type, b.column.type))
    return `${a.column.sql} = ${b.column.sql}`;
  if (a.kind === 'json' || b.kind === 'json') {
    const [x, y] = [toJsonb(a), toJsonb(b)];
    return x && y ? `${x} = ${y}` : 'false';
  }
  if (a.kind !== b.kind) return 'false';
  if (a.kind === 'number') return equalNumbers(a, b);
  if (a.kind === 'array' && a.type.cast !== b.type.cast) return `to_jsonb(${a.sql}) = to_jsonb(${b.sql})`;
  if (a.kind === 'other' && a.type.base !== b.type.base) return 'false';
  return `${a.sql} = ${b.sql}`;
};

/** Equality of keys of two tables: keys of different types compare as text, or a row whose key is text in one table and a number in the other would have no partner. */
export const equalKeys = (a: Typed, b: Typed): string => {
  if (a.kind === b.kind || a.kind === 'absent' || b.kind === 'absent') return equal(a, b);
  return `${textOf(scalarOnly(a))} = ${textOf(scalarOnly(b))}`;
};

/** A pattern of JavaScript as PostgreSQL's: classes spelt out, because the server's depend on its locale. */
export const posix = (pattern: string): string =>
  literal(pattern.replaceAll('\\s*', '').replaceAll('\\d', '[0-9]').replaceAll('\\.', '[.]'));
