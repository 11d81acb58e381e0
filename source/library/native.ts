/**
 * An application's values and the stores': what a caller gives of JavaScript's and of a driver's own types, and what
 * it gets back.
 */
import type {StoreKind} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {isMap, Other, Time, type Value, type ValueMap} from '../values.js';
import {isText} from './arguments.js';

/** BSON's types are told by this name, whichever version of the driver made them. */
type Bson = {
  _bsontype?: string;
  sub_type?: number;
  toHexString?(): string;
  toUUID?(): Bson;
  value?(): Uint8Array;
};

const ofBytes = (bytes: Uint8Array, kind: StoreKind): Other =>
  kind === 'postgres'
    ? new Other('bytea', `\\x${Buffer.from(bytes).toString('hex')}`)
    : new Other('binary', Buffer.from(bytes).toString('base64'));

const ofBson = (given: Bson, kind: StoreKind): Value => {
  switch (given._bsontype) {
    case 'ObjectId':
    case 'ObjectID':
      return new Other('objectId', given.toHexString!());
    case 'Binary':
    case 'UUID':
      return given.sub_type === 4
        ? new Other('uuid', (given.toHexString ? given : given.toUUID!()).toHexString!())
        : ofBytes(given.value!(), kind);
    case 'Decimal128':
      return new Other('decimal', String(given));
    case 'Long':
      return BigInt(String(given));
    case 'Int32':
    case 'Double':
      return Number(given);
    default:
      return undefined;
  }
};

const isPlain = (given: object): boolean =>
  [Object.prototype, null].includes(Object.getPrototypeOf(given) as object | null);

/** No store holds more levels (MongoDB: 100), and what holds itself has no end. */
const mostLevels = 100;

const ofObject = (given: object, kind: StoreKind, name: string, level: number): Value => {
  if (level > mostLevels) return undefined;
  if (given instanceof Date && !Number.isNaN(given.getTime())) return new Time(given.getTime() * 1000);
  if (given instanceof Uint8Array) return ofBytes(given, kind);
  if (given instanceof Set || Array.isArray(given))
    return [...given].map(item => valueOfGiven(item, kind, name, level + 1));
  if ((given as Bson)._bsontype !== undefined && !isPlain(given)) return ofBson(given as Bson, kind);
  return isPlain(given) ? valuesOf(given as Record<string, unknown>, kind, name, level + 1) : undefined;
};

/** One value as a store's; absent is null, `name` is for the message. Throws as `valuesOf` does. */
export const valueOfGiven = (given: unknown, kind: StoreKind, name: string, level = 0): Value => {
  if (given === null || given === undefined) return null;
  if (isText(given) || ['number', 'bigint', 'boolean'].includes(typeof given)) return given as Value;
  const value = typeof given === 'object' ? ofObject(given, kind, name, level) : undefined;
  if (value !== undefined) return value;
  throw new SesstuiError(
    'usage',
    `What was given for "${name}" is not a value that a store can hold.`,
    'Strings, numbers, booleans, null, dates, bytes, ids of the driver, and arrays and objects of them are.',
  );
};

/**
 * Attributes as a store's values; those that are undefined are left out. A Date is a moment, a Set an array. Throws
 * `usage`, which names the attribute and not its value, for what no store holds.
 */
export const valuesOf = (given: Record<string, unknown>, kind: StoreKind, within = '', level = 0): ValueMap =>
  Object.fromEntries(
    Object.entries(given)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, valueOfGiven(item, kind, within || name, level)]),
  );

/** What a caller gets: a moment as a Date, bytes as a Buffer, ids and numbers of a driver's own as text. */
const nativeOf = (value: Value): unknown => {
  if (value instanceof Time)
    return Number.isFinite(value.micros) ? new Date(Math.floor(value.micros / 1000)) : value.micros;
  if (value instanceof Other) {
    if (value.type === 'binary') return Buffer.from(value.text, 'base64');
    return value.type === 'bytea' ? Buffer.from(value.text.slice(2), 'hex') : value.text;
  }
  if (Array.isArray(value)) return value.map(nativeOf);
  return isMap(value) ? rowOf(value) : value;
};

/** A row as an object of such values. */
export const rowOf = (values: ValueMap): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, nativeOf(value)]));
