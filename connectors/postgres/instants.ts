/**
 * Moments in SQL, as float8 microseconds since 1970: what `readInstant` reads of each type. A cast is only made
 * where the pattern of source/instants.ts has matched, so that no value makes a statement fail.
 */
import {epochLimit, epochPattern, isoPattern, millisecondsFrom} from '../../source/instants.js';
import {isoOfMicros} from '../../source/values.js';
import {jsWhitespace} from './sql.js';
import {posix, type Scope, type Typed} from './typed.js';

const float = (value: number): string => `'${value}'::float8`;
/** Beyond this every float8 is whole, and adding a half would change it. */
const wholeFrom = float(2 ** 52);
/** 400 years of the Gregorian calendar: PostgreSQL has no year 0, and reads year 400 instead. */
const fourCenturies = float(146_097 * 86_400e6);

/** JavaScript's Math.round: halves go up. */
const rounded = (sql: string): string =>
  `(select case when abs(y) < ${wholeFrom} then floor(y + 0.5) else y end from (select ${sql} as y) r)`;

/** An epoch, seconds or milliseconds by its size. `x` is a name, not an expression. */
const ofEpoch = (x: string): string =>
  `case when abs(${x}) <= ${float(epochLimit)} then ${rounded(`case when abs(${x}) < ${float(millisecondsFrom)} then ${x} * 1e6 else ${x} * 1e3 end`)} end`;

const ofTimestamptz = (sql: string): string => `(extract(epoch from ${sql}) * 1000000)::float8`;

const withOffset = "':[0-5][0-9](?:[.,][0-9]+)? ?(?:Z|[+-][0-9:]+)$'";

/** ISO 8601 without its fraction, in `whole`; with it, in `x`. */
const ofIso = (whole: string, zone: string): string =>
  `${ofTimestamptz(`case when x ~ ${withOffset} then ${whole}::timestamptz else ${whole}::timestamp at time zone ${zone} end`)}
   + coalesce(${rounded(`('0.' || substring(x from '[.,]([0-9]+)'))::float8 * 1e6`)}, 0)`;

const ofText = (sql: string, zone: string): string =>
  `(select case when x ~ ${posix(epochPattern)} then (select ${ofEpoch('n')} from (select x::float8 as n) e)
    when x ~ ${posix(isoPattern)} then case when x like '0000%' then ${ofIso(`('0400' || substr(w, 5))`, zone)} - ${fourCenturies}
      else ${ofIso('w', zone)} end end
    from (select x, regexp_replace(x, '[.,][0-9]+', '') as w from (select upper(btrim(${sql}, ${jsWhitespace})) as x) i) j)`;

/** Only numbers that are exact are numbers to the evaluator. */
const ofNumber = ({sql, type}: Typed): string => {
  const exact =
    type.family === 'numeric' ? `abs(n) <= ${epochLimit} and n::float8::text::numeric = n` : 'true';
  return `(select case when ${exact} then (select ${ofEpoch('f')} from (select n::float8 as f) g) end from (select ${sql} as n) h)`;
};

const ofJson = (sql: string, zone: string): string =>
  `case jsonb_typeof(${sql}) when 'string' then ${ofText(`(${sql}) #>> '{}'`, zone)}
    when 'number' then (select case when abs(n) <= ${epochLimit} then (select ${ofEpoch('f')} from (select n::float8 as f) g) end
      from (select (${sql})::numeric as n) h) end`;

const firstAware = "'0001-01-01 00:00:00+00'::timestamptz";
const firstNaive = "'0001-01-01'::timestamp";
const lastNaive = "'9999-12-31 23:59:59.999999'::timestamp";

/** Four-digit years only: what a naive timestamp's text is read as. */
const ofNaive = (column: string, type: 'timestamp' | 'date', zone: string): string => {
  const moment = type === 'date' ? `${column}::timestamp` : column;
  const [from, to] = type === 'date' ? ["'0001-01-01'::date", "'9999-12-31'::date"] : [firstNaive, lastNaive];
  return `case when not isfinite(${column}) then (${column}::text)::float8
    when ${column} between ${from} and ${to} then ${ofTimestamptz(`(${moment} at time zone ${zone})`)} end`;
};

/** One value as microseconds; NULL where it is absent or can't be read. */
export const microsOf = (typed: Typed, zone: string): string => {
  const family = typed.column?.type.family;
  if (family === 'timestamp' || family === 'date') return ofNaive(typed.column!.sql, family, zone);
  if (typed.kind === 'time')
    return `case when ${typed.sql} >= ${firstAware} or ${typed.sql} = '-infinity' then ${ofTimestamptz(typed.sql)} end`;
  if (typed.kind === 'number') return ofNumber(typed);
  if (typed.kind === 'text') return ofText(typed.sql, zone);
  return typed.kind === 'json' ? ofJson(typed.sql, zone) : 'null::float8';
};

/** Milliseconds that can be taken from any now of our time without leaving PostgreSQL's calendar. */
const countable = 5e13;

/** `ms` before the store's now, as this type: bound, or counted from the clock of the scope. null where it has none. */
const limitAs = (
  type: 'timestamptz' | 'timestamp',
  ms: number,
  {now, clock, binder}: Scope,
): string | null => {
  if (clock !== undefined) {
    const moment = ms === 0 ? clock : `${clock} - interval '${ms} milliseconds'`;
    if (ms > countable) return null;
    return type === 'timestamp' ? `((${moment}) at time zone 'UTC')` : `(${moment})`;
  }
  const text = isoOfMicros(now - ms * 1000);
  return /^\d{4}-/.test(text) ? binder.bind(text, type) : null;
};

/** `ms` before the store's now, in microseconds since 1970. */
export const limitMicros = (ms: number, {now, clock, binder}: Scope): string =>
  clock === undefined
    ? binder.bind(String(now - ms * 1000), 'float8')
    : `(${ofTimestamptz(clock)} - ${float(ms * 1000)})`;

/**
 * A comparison that an index can serve, when every attribute is timestamptz (or timestamp read in UTC); else null.
 * `before` asks for finite and earlier than `ms` before now, otherwise finite and later.
 */
export const comparedMoment = (
  parts: Typed[],
  zone: string,
  before: boolean,
  ms: number,
  scope: Scope,
): string | null => {
  const families = new Set(parts.map(part => part.column?.type.family));
  const [family] = families;
  const naive = family === 'timestamp' && zone === 'UTC';
  if (families.size !== 1 || !(naive || family === 'timestamptz')) return null;
  const limit = limitAs(naive ? 'timestamp' : 'timestamptz', ms, scope);
  if (limit === null) return null;
  const columns = parts.map(part => part.column!.sql);
  const moment = columns.length === 1 ? columns[0]! : `coalesce(${columns.join(', ')})`;
  const [first, last] = naive
    ? [`>= ${firstNaive}`, `<= ${lastNaive}`]
    : [`>= ${firstAware}`, "< 'infinity'"];
  return before
    ? `(${moment} < ${limit} and ${moment} ${first})`
    : `(${moment} > ${limit} and ${moment} ${last})`;
};
