/** BSON's types as neutral values, and back. */
import {Binary, type BSON, Decimal128, Double, EJSON, Int32, Long, ObjectId, UUID} from 'bson';
import {SesstuiError} from '../../source/errors.js';
import {isMap, Other, Time, type Value} from '../../source/values.js';

type Typed = {_bsontype?: string};

const numberOf = (long: Long): number | bigint => {
  const big = long.toBigInt();
  const number = Number(big);
  return Number.isSafeInteger(number) ? number : big;
};

const ofBinary = (binary: Binary): Other =>
  binary.sub_type === Binary.SUBTYPE_UUID && binary.position === 16
    ? new Other('uuid', binary.toUUID().toHexString())
    : new Other(
        binary.sub_type === 0 ? 'binary' : `binary${binary.sub_type}`,
        Buffer.from(binary.value()).toString('base64'),
      );

const ofTyped = (value: Typed): Value => {
  switch (value._bsontype) {
    case 'Int32':
    case 'Double':
      return Number(value);
    case 'Long':
      return numberOf(value as Long);
    case 'ObjectId':
      return new Other('objectId', (value as ObjectId).toHexString());
    case 'Decimal128':
      return new Other('decimal', String(value));
    case 'Binary':
      return ofBinary(value as Binary);
    default:
      return new Other(String(value._bsontype), EJSON.stringify(value as BSON.Document, {relaxed: false}));
  }
};

/**
 * A BSON value, read without promotion, as a neutral one. Dates have milliseconds; ObjectId, Decimal128, Binary
 * and the rest are `Other`. `null` stays null; the deprecated `undefined` is `Other`, so that it isn't taken for
 * a field that is missing.
 */
export const valueOfBson = (value: unknown): Value => {
  if (value === null) return null;
  if (value === undefined) return new Other('undefined', 'undefined');
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return value;
  if (value instanceof Date) return new Time(value.getTime() * 1000);
  if (Array.isArray(value)) return value.map(valueOfBson);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, item]) => [String(name), valueOfBson(item)]));
  if ((value as Typed)._bsontype !== undefined) return ofTyped(value as Typed);
  return Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, valueOfBson(item)]));
};

const ofOther = (value: Other): unknown => {
  switch (value.type) {
    case 'objectId':
      return ObjectId.createFromHexString(value.text);
    case 'uuid':
      return new UUID(value.text);
    case 'decimal':
      return Decimal128.fromString(value.text);
    case 'binary':
      return new Binary(Buffer.from(value.text, 'base64'));
    default:
      return (EJSON.parse(`{"v":${value.text}}`, {relaxed: false}) as {v: unknown}).v;
  }
};

const ofNumber = (value: number): unknown => {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return new Double(value);
  return Math.abs(value) < 2 ** 31 ? new Int32(value) : Long.fromNumber(value);
};

/** BSON's largest integer has 64 bits; the driver would cut off the others. */
const ofBigInt = (value: bigint): Long => {
  if (BigInt.asIntN(64, value) === value) return Long.fromBigInt(value);
  throw new SesstuiError('unsupported', 'MongoDB has no integer of more than 64 bits.');
};

/**
 * A neutral value as BSON, as a Map where it is a document. Throws `unsupported` for one that BSON can't hold,
 * and for keys that start with `$`; `usage` for `undefined`.
 */
export const bsonOfValue = (value: Value): unknown => {
  if (value === undefined) throw new SesstuiError('usage', 'A value that is missing can not be written.');
  if (typeof value === 'bigint') return ofBigInt(value);
  if (typeof value === 'number') return ofNumber(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Time) {
    if (!Number.isFinite(value.micros))
      throw new SesstuiError('unsupported', 'MongoDB has no infinite date.');
    return new Date(Math.floor(value.micros / 1000));
  }
  if (value instanceof Other) {
    try {
      return ofOther(value);
    } catch (error) {
      throw new SesstuiError('unsupported', `MongoDB has no value of type ${value.type}.`, '', error);
    }
  }
  if (Array.isArray(value)) return value.map(bsonOfValue);
  if (!isMap(value)) throw new SesstuiError('unsupported', 'This value can not be written to MongoDB.');
  return new Map(
    Object.entries(value).map(([name, item]) => {
      if (name.startsWith('$')) throw new SesstuiError('unsupported', `A key may not start with $: ${name}`);
      return [name, bsonOfValue(item)];
    }),
  );
};
