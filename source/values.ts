/**
 * Store-neutral values: what a connector makes of a native value so that checks, the reference evaluator and
 * the screen can compare it. They are for judging and showing only; what is backed up and restored is the
 * store's own lossless form (`Image`).
 *
 * - absent: `undefined` (the attribute is missing) or `null`
 * - `string`, `boolean`
 * - `number` where it is exact, `bigint` for integers beyond 2^53
 * - `Time`: a moment with a time zone (timestamptz, BSON date); naive timestamps are strings
 * - arrays and plain objects of values
 * - `Other`: everything else (ObjectId, binary, numeric with more digits than a number holds), by type and text
 */
export type Value = undefined | null | string | number | bigint | boolean | Time | Other | Value[] | ValueMap;
export type ValueMap = {[name: string]: Value};

/** A moment in microseconds since 1970 UTC; `Infinity` and `-Infinity` are PostgreSQL's. */
export class Time {
  readonly micros: number;
  constructor(micros: number) {
    this.micros = micros;
  }
}

/** A value of a store's own type, with the text that people know it by. */
export class Other {
  readonly type: string;
  readonly text: string;
  constructor(type: string, text: string) {
    this.type = type;
    this.text = text;
  }
}

export type Scalar = string | number | boolean;
export type Json = null | string | number | boolean | Json[] | {[name: string]: Json};

export const isMap = (value: Value): value is ValueMap =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

export const isAbsent = (value: Value): value is null | undefined => value === undefined || value === null;

/** ISO 8601 of microseconds, with as many fraction digits as it needs (3 or 6). */
export const isoOfMicros = (micros: number): string => {
  if (!Number.isFinite(micros)) return micros > 0 ? 'infinity' : '-infinity';
  const ms = Math.floor(micros / 1000);
  const rest = micros - ms * 1000;
  if (Math.abs(ms) > 8.64e15) return String(micros);
  const iso = new Date(ms).toISOString();
  return rest === 0 ? iso : iso.replace('Z', `${String(rest).padStart(3, '0')}Z`);
};

/** What people read: JSON without the store's types. Not lossless. */
export const toJson = (value: Value): Json => {
  if (isAbsent(value)) return null;
  if (typeof value === 'bigint') {
    const asNumber = Number(value);
    return Number.isSafeInteger(asNumber) ? asNumber : value.toString();
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object') return value;
  if (value instanceof Time) return isoOfMicros(value.micros);
  if (value instanceof Other) return value.text;
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toJson(item)]));
};

/** One line of text for a cell; strings bare, the rest as JSON. Not sanitised: the screen does that. */
export const toText = (value: Value): string => {
  const json = toJson(value);
  return typeof json === 'string' ? json : json === null ? '' : JSON.stringify(json);
};

/** `b c`: the values of a key as a person reads them, where nobody has to tell them apart again. */
export const spacedValues = (key: ValueMap): string => Object.values(key).map(toText).join(' ');

/**
 * A string that is equal for equal values and different for different ones, of any type. Types are kept
 * apart (`"1"` is not `1`); absent values are all alike. An ObjectId is equal to its hex string, because
 * applications refer to one by the other (a session would look orphaned otherwise).
 */
export const canonical = (value: Value): string => {
  if (isAbsent(value)) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'bigint') return `n${Object.is(value, -0) ? 0 : value}`;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Time) return `t${value.micros}`;
  if (value instanceof Other)
    return value.type === 'objectId'
      ? JSON.stringify(value.text)
      : `${value.type}:${JSON.stringify(value.text)}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`);
  return `{${entries.sort().join(',')}}`;
};
