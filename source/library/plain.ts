/** Between an application's values and the stores' (values.ts): what the library is given, and what it answers. */
import {SesstuiError} from '../errors.js';
import {isMap, Other, Time, type Value, type ValueMap} from '../values.js';

const bytesOf = (bytes: Uint8Array): Other => new Other('bytea', `\\x${Buffer.from(bytes).toString('hex')}`);

/**
 * A store's value of an application's: a Date is a moment, a Buffer or Uint8Array is bytes. Throws `usage`, which
 * names the column and not the value, for what no column holds (functions, symbols, instances of other classes).
 */
export const valueFrom = (given: unknown, column: string): Value => {
  if (given === null || given === undefined) return null;
  if (given instanceof Date && !Number.isNaN(given.getTime())) return new Time(given.getTime() * 1000);
  if (given instanceof Uint8Array) return bytesOf(given);
  if (Array.isArray(given)) return given.map(item => valueFrom(item, column));
  if (typeof given === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(given)))
    return Object.fromEntries(
      Object.entries(given)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => [name, valueFrom(item, column)]),
    );
  if (['string', 'number', 'bigint', 'boolean'].includes(typeof given)) return given as Value;
  throw new SesstuiError(
    'usage',
    `what was given for "${column}" is no value of a column`,
    'Strings, numbers, booleans, valid Dates, bytes, null, and arrays and plain objects of them are.',
  );
};

/** What an application gets: a moment as a Date (an infinite one as a number), bytes as a Buffer, the rest as it is. */
export const plainOf = (value: Value): unknown => {
  if (value === undefined) return null;
  if (value instanceof Time)
    return Number.isFinite(value.micros) ? new Date(Math.floor(value.micros / 1000)) : value.micros;
  if (value instanceof Other)
    return value.type === 'bytea' ? Buffer.from(value.text.slice(2), 'hex') : value.text;
  if (Array.isArray(value)) return value.map(plainOf);
  return isMap(value) ? plainMap(value) : value;
};

export const plainMap = (values: ValueMap): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plainOf(value)]));
