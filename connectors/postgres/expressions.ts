/** Query-form expressions → typed SQL over the columns of one table. */
import type {Expr} from '../../source/forms.js';
import {templateNames} from '../../source/forms.js';
import {columnOf, noSuchColumn, type Table} from './catalogue.js';
import {microsOf} from './instants.js';
import {ident, jsWhitespace} from './sql.js';
import {absent, type Scope, scalarOnly, type Typed, type TypedKind, textOf, toJsonb} from './typed.js';
import {type Column, floatType, jsonbType, textType} from './types.js';

const kinds: Record<string, TypedKind> = {
  text: 'text',
  int: 'number',
  numeric: 'number',
  float: 'number',
  bool: 'bool',
  timestamptz: 'time',
  // Naive moments are strings to the evaluator.
  timestamp: 'text',
  date: 'text',
  json: 'json',
  array: 'array',
  other: 'other',
};

/** One dimension counts from 1 for the comparison: `[2:3]={a,b}` is `{a,b}`. */
const plainArray = (sql: string): string =>
  `case when array_lower(${sql}, 1) <> 1 and array_ndims(${sql}) = 1 then ${sql}[:] else ${sql} end`;

const fromJson = (raw: string): Typed => ({
  sql: `nullif(${raw}, 'null'::jsonb)`,
  kind: 'json',
  type: jsonbType,
  raw,
});

const ofColumn = (column: Column, alias: string): Typed => {
  const {type} = column;
  const sql = `${alias}.${ident(column.name)}`;
  const kind = kinds[type.family]!;
  if (kind === 'json') return fromJson(type.base === 'json' ? `${sql}::jsonb` : sql);
  if (kind === 'array') return {sql: plainArray(sql), kind, type, column: {sql, type}};
  const native = {sql, type};
  // inet's cast adds the length of the mask that its output leaves out.
  if (kind === 'other')
    return {
      sql: type.base === 'inet' ? `nullif(concat(${sql}), '')` : `${sql}::text`,
      kind,
      type,
      column: native,
    };
  if (kind !== 'text') return {sql, kind, type, column: native};
  const text = type.base === 'text' ? sql : `${sql}::text`;
  // The text of a naive moment is read as one, because an infinite one is no string.
  const read = type.family === 'text' ? textType : type;
  return {sql: type.loose ? `${text} collate "C"` : text, kind, type: read, column: native};
};

/** A path inside jsonb; a name with a dot in it wins at each step, as in `valueAt`. */
const stepInto = (raw: string, path: string, bind: (name: string) => string): string => {
  const whole = `case when jsonb_typeof(${raw}) = 'object' then ${raw} -> ${bind(path)} end`;
  const dot = path.indexOf('.');
  if (dot < 0) return whole;
  const inner = stepInto(`(${raw} -> ${bind(path.slice(0, dot))})`, path.slice(dot + 1), bind);
  return `case when jsonb_typeof(${raw}) = 'object' and ${raw} ? ${bind(path)} then ${raw} -> ${bind(path)} else ${inner} end`;
};

/** An attribute: a column, or a path into a json column. Throws `not-found` for a column that is not there. */
export const attribute = (name: string, table: Table, alias: string, scope: Scope): Typed => {
  const column = columnOf(table, name);
  if (column) return ofColumn(column, alias);
  const dot = name.indexOf('.');
  const head = dot < 0 ? undefined : columnOf(table, name.slice(0, dot));
  if (!head) throw noSuchColumn(name, table);
  const typed = ofColumn(head, alias);
  if (typed.kind !== 'json') return absent;
  const raw = stepInto(typed.raw!, name.slice(dot + 1), part => scope.binder.bind(part, 'text'));
  return {...fromJson(`(${raw})`), inside: true};
};

/**
 * JavaScript's trim and toLowerCase. ICU's root collation and pg_unicode_fast map as JavaScript does (İ to i and
 * a dot above, Σ at the end of a word to ς); the server's default maps letter by letter, and under C only ASCII.
 */
const normalised = (typed: Typed, scope: Scope): string =>
  `lower(btrim(${typed.sql}, ${jsWhitespace})${scope.lower})`;

const text = (sql: string): Typed => ({sql, kind: 'text', type: textType});

const onlyStrings = (typed: Typed): Typed => {
  const {column} = typed;
  // An infinite moment is a moment, not a string.
  if (column?.type.family === 'timestamp' || column?.type.family === 'date')
    return text(`case when isfinite(${column.sql}) then ${typed.sql} end`);
  if (typed.kind === 'text') return typed;
  if (typed.kind !== 'json') return absent;
  return {
    sql: `case when jsonb_typeof(${typed.sql}) = 'string' then (${typed.sql}) #>> '{}' end`,
    kind: 'text',
    type: textType,
  };
};

const sorted = (typed: Typed): Typed => {
  if (typed.kind === 'json') {
    const items = `(select coalesce(jsonb_agg(x order by x), '[]') from jsonb_array_elements(${typed.sql}) x)`;
    return {
      sql: `case when jsonb_typeof(${typed.sql}) = 'array' then ${items} end`,
      kind: 'json',
      type: jsonbType,
    };
  }
  if (typed.kind !== 'array') return absent;
  const {sql, type} = typed.column!;
  const {family, base} = type.element!;
  const natural =
    (family !== 'text' && family !== 'json' && family !== 'other') || base === 'uuid' || base === 'jsonb';
  // Arrays of arrays compare in the order they have: taken apart, different ones would look equal.
  const items = `array(select x from unnest(${sql}) x order by ${natural ? 'x' : 'x::text collate "C"'})`;
  return {
    sql: `case when array_ndims(${sql}) > 1 then ${sql} when ${sql} is not null then ${items} end`,
    kind: 'array',
    type,
  };
};

const template = (pattern: string, part: (name: string) => Typed, bind: (text: string) => string): Typed => {
  const names = templateNames(pattern);
  const fixed = pattern.split(/\{[^{}]+\}/);
  const pieces = fixed.flatMap((piece, index) => {
    const name = names[index];
    const own = piece === '' ? [] : [bind(piece)];
    return name === undefined ? own : [...own, `(${textOf(part(name))})`];
  });
  return text(pieces.length > 0 ? pieces.join(' || ') : "''::text");
};

/** All of one type, or all as jsonb; the first that is a scalar. */
const firstScalar = (parts: Typed[]): Typed => {
  const scalars = parts.map(scalarOnly).filter(part => part.kind !== 'absent');
  if (scalars.length === 0) return absent;
  if (scalars.length === 1) return scalars[0]!;
  const [{kind, type}] = scalars as [Typed];
  if (scalars.every(part => part.kind === kind && part.type.base === type.base))
    return {sql: `coalesce(${scalars.map(part => part.sql).join(', ')})`, kind, type};
  return fromJson(
    `coalesce(${scalars.map(part => toJsonb(part) ?? `to_jsonb(${textOf(part)})`).join(', ')})`,
  );
};

/** An expression over a row of `table`, known as `alias`. */
export const expression = (expr: Expr, table: Table, alias: string, scope: Scope): Typed => {
  const part = (name: string): Typed => attribute(name, table, alias, scope);
  const bind = (value: string): string => scope.binder.bind(value, 'text');
  if ('attr' in expr) return part(expr.attr);
  if ('norm' in expr) {
    const typed = onlyStrings(part(expr.norm));
    return typed.kind === 'absent' ? absent : text(normalised(typed, scope));
  }
  if ('set' in expr) return sorted(part(expr.set));
  if ('instant' in expr) {
    const parts = expr.instant.map(part).filter(typed => typed.kind !== 'absent');
    const zone = bind(expr.zone ?? 'UTC');
    const cases = parts.map(typed => `when ${typed.sql} is not null then ${microsOf(typed, zone)}`);
    return {
      sql: cases.length > 0 ? `case ${cases.join(' ')} end` : 'null::float8',
      kind: 'number',
      type: floatType,
    };
  }
  if ('fill' in expr) return template(expr.fill, part, bind);
  if ('digest' in expr) {
    const typed = onlyStrings(part(expr.digest));
    if (typed.kind === 'absent') return absent;
    const hashed = `${normalised(typed, scope)} || ${bind(`-${expr.salt}`)}`;
    const hex = `encode(sha256(convert_to(${hashed}, 'UTF8')), 'hex')`;
    return text(`${bind(expr.prefix)} || left(${hex}, ${scope.binder.bind(expr.length, 'int4')})`);
  }
  return firstScalar(expr.first.map(part));
};
