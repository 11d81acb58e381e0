/**
 * Query-form predicates → SQL. The forms are two-valued and SQL is not, so each compiled condition keeps to this:
 * it is true exactly where the predicate holds, and false or NULL elsewhere. AND, OR, WHERE and FILTER preserve
 * that; NOT would not, and gets its operand wrapped.
 */
import type {Expr, Kind, Pred} from '../../source/forms.js';
import type {Table} from './catalogue.js';
import {attribute, expression} from './expressions.js';
import {comparedMoment, limitMicros} from './instants.js';
import {isIn} from './membership.js';
import {equal, equalKeys, type Scope, type Typed} from './typed.js';
import {floatType} from './types.js';

export type Tables = (name: string) => Table;
export type Compiler = {table: Table; alias: string; scope: Scope; tables: Tables};

const uuidPattern = "'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'";

const jsonIs = (sql: string, type: string, condition = ''): string =>
  `(jsonb_typeof(${sql}) = '${type}'${condition && ` and ${condition}`})`;

const isNull = (typed: Typed, expr: Expr): string => {
  if (!('attr' in expr)) return 'false';
  // A column that is NULL is null; inside JSON there is a null to be told from nothing.
  if (typed.inside) return `${typed.raw} = 'null'::jsonb`;
  return typed.kind === 'absent' ? 'false' : `${typed.sql} is null`;
};

const isMissing = (typed: Typed, expr: Expr): string => {
  if (!('attr' in expr)) return `${typed.sql} is null`;
  if (typed.kind === 'absent') return 'true';
  return typed.inside ? `${typed.raw} is null` : 'false';
};

const isString = (typed: Typed): string => {
  if (typed.kind === 'json') return jsonIs(typed.sql, 'string');
  if (typed.kind !== 'text') return 'false';
  const naive = typed.column?.type.family === 'timestamp' || typed.column?.type.family === 'date';
  return naive ? `isfinite(${typed.column!.sql})` : `${typed.sql} is not null`;
};

const isKind = (kind: Kind, expr: Expr, compiler: Compiler): string => {
  const typed = expression(expr, compiler.table, compiler.alias, compiler.scope);
  const {sql} = typed;
  switch (kind) {
    case 'null':
      return isNull(typed, expr);
    case 'missing':
      return isMissing(typed, expr);
    case 'empty':
      if (typed.kind === 'json') return `${sql} = '""'::jsonb`;
      return typed.kind === 'text' ? `${sql} = ''` : 'false';
    case 'string':
      return isString(typed);
    case 'array':
      if (typed.kind === 'json') return jsonIs(sql, 'array');
      return typed.kind === 'array' ? `${sql} is not null` : 'false';
    case 'uuid':
      if (typed.kind === 'json') return jsonIs(sql, 'string', `${sql} #>> '{}' ~* ${uuidPattern}`);
      if (typed.column?.type.base === 'uuid') return `${typed.column.sql} is not null`;
      return typed.kind === 'text' ? `${sql} ~* ${uuidPattern}` : 'false';
    case 'instant':
      return typed.type.family === 'json' ? jsonIs(sql, 'number') : isNumber(typed);
    case 'finite':
      return typed.type.family === 'json' ? jsonIs(sql, 'number') : isFiniteNumber(typed);
  }
};

/** A `number` to the evaluator: a bigint or an inexact numeric is none. */
const isNumber = ({kind, sql, type}: Typed): string => {
  if (kind !== 'number') return 'false';
  if (type.family === 'int') return `${sql} between -9007199254740991 and 9007199254740991`;
  return type.family === 'float'
    ? `${sql} is not null`
    : `case when ${sql} in ('NaN', 'Infinity', '-Infinity') then true when abs(${sql}) < 1e300 then (${sql})::float8::text::numeric = ${sql} end`;
};

const isFiniteNumber = (typed: Typed): string =>
  typed.kind === 'number' && typed.type.family !== 'int'
    ? `(${isNumber(typed)} and ${typed.sql} not in ('NaN', 'Infinity', '-Infinity'))`
    : isNumber(typed);

const numberIn = (typed: Typed): Typed =>
  typed.kind === 'json'
    ? {
        ...typed,
        kind: 'number',
        type: floatType,
        sql: `case when ${jsonIs(typed.sql, 'number')} then (${typed.sql})::text::float8 end`,
      }
    : typed;

const compared = (expr: Expr, before: boolean, ms: number, compiler: Compiler): string => {
  const {table, alias, scope} = compiler;
  if ('instant' in expr) {
    const parts = expr.instant.map(name => attribute(name, table, alias, scope));
    const native = comparedMoment(parts, expr.zone ?? 'UTC', before, ms, scope);
    if (native) return native;
  }
  const typed = numberIn(expression(expr, table, alias, scope));
  if (typed.kind !== 'number') return 'false';
  // Bound to a name, because the expression is long and would be evaluated for each comparison.
  const limit = limitMicros(ms, scope);
  return `(select ${isFiniteNumber({...typed, sql: 'v'})} and v ${before ? '<' : '>'} ${limit} from (select ${typed.sql} as v) n)`;
};

const conjunction = (parts: string[], word: 'and' | 'or'): string => {
  if (parts.length === 0) return word === 'and' ? 'true' : 'false';
  return parts.length === 1 ? parts[0]! : `(${parts.join(` ${word} `)})`;
};

/** True exactly where the predicate holds; false or NULL elsewhere. */
export const predicate = (pred: Pred, compiler: Compiler): string => {
  const {table, alias, scope, tables} = compiler;
  if ('all' in pred)
    return conjunction(
      pred.all.map(part => predicate(part, compiler)),
      'and',
    );
  if ('any' in pred)
    return conjunction(
      pred.any.map(part => predicate(part, compiler)),
      'or',
    );
  if ('no' in pred) return `not coalesce(${predicate(pred.no, compiler)}, false)`;
  if ('is' in pred) return isKind(pred.is, pred.of, compiler);
  if ('same' in pred) {
    const [a, b] = pred.same.map(expr => expression(expr, table, alias, scope)) as [Typed, Typed];
    return equal(a, b);
  }
  if ('in' in pred) return isIn(pred.in, expression(pred.of, table, alias, scope), 'set' in pred.of, scope);
  if ('older' in pred) return compared(pred.of, true, pred.older, compiler);
  if ('future' in pred) return compared(pred.future, false, 0, compiler);
  const there: Compiler = {...compiler, table: tables(pred.partner.table), alias: `${alias}p`};
  const pairs = pred.partner.on.map(([mine, theirs]) =>
    equalKeys(expression(mine, table, alias, scope), expression(theirs, there.table, there.alias, scope)),
  );
  const conditions = [...pairs, ...(pred.partner.where ? [predicate(pred.partner.where, there)] : [])];
  return `exists (select from ${there.table.sql} as ${there.alias} where ${conjunction(conditions, 'and')})`;
};
