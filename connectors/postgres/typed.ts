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
  /** The collation that lower-cases, as a suffix; empty for the server's default. */
  lower: string;
};

const unreadableFloat = "('NaN', 'Infinity', '-Infinity')";

/** Text of a number in JavaScript's spelling (but for exponents, which JavaScript uses from 1e21 and below 1e-6). */
const numberText = ({sql, type}: Typed): string => {
  if (type.family === 'int') return `(${sql})::text`;
  if (type.family === 'numeric') return `trim_scale(${sql})::text`;
  return `case when (${sql})::text in ${unreadableFloat} then (${sql})::text else trim_scale((${sql})::text::numeric)::text end`;
};

const timeText = (sql: string): string =>
  `case when isfinite(${sql}) then to_char(${sql} at time zone 'UTC', case when extract(microseconds from ${sql})::int8 % 1000 = 0
    then 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"' else 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' end) else (${sql})::text end`;

/** What `toText` makes of the value (but for the blanks in JSON of maps). */
export const textOf = (typed: Typed): string => {
  switch (typed.kind) {
    case 'number':
      return numberText(typed);
    case 'time':
      return timeText(typed.sql);
    case 'json':
      return `case jsonb_typeof(${typed.sql}) when 'number' then trim_scale((${typed.sql})::numeric)::text else (${typed.sql}) #>> '{}' end`;
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
