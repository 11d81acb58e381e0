/**
 * DynamoDB's values in three forms: the SDK's AttributeValue, the lossless JSON that is backed up (`Attribute`,
 * `Item`: the same with binary as base64), and the neutral values that checks judge by.
 */
import {createHash} from 'node:crypto';
import type {AttributeValue} from '@aws-sdk/client-dynamodb';
import {canonicalJson, type Image} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {type Json, Other, Time, type Value, type ValueMap} from '../../source/values.js';
import {canonicalDecimal, isStorable, parseDecimal, plainDecimal} from './decimal.js';
import {momentLike} from './moments.js';

export type Attribute =
  | {S: string}
  | {N: string}
  | {B: string}
  | {BOOL: boolean}
  | {NULL: true}
  | {SS: string[]}
  | {NS: string[]}
  | {BS: string[]}
  | {L: Attribute[]}
  | {M: Item};

/** An item as lossless JSON. */
export type Item = {[name: string]: Attribute};

type Raw = Record<string, AttributeValue>;

const mapValues = <A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** The SDK's value as lossless JSON. Sets have no order: they are sorted, so that equal ones look equal. */
const toAttribute = (raw: AttributeValue): Attribute => {
  if (raw.S !== undefined) return {S: raw.S};
  if (raw.N !== undefined) return {N: raw.N};
  if (raw.B !== undefined) return {B: base64(raw.B)};
  if (raw.BOOL !== undefined) return {BOOL: raw.BOOL};
  if (raw.NULL !== undefined) return {NULL: true};
  if (raw.SS !== undefined) return {SS: [...raw.SS].sort()};
  if (raw.NS !== undefined) return {NS: [...raw.NS].sort()};
  if (raw.BS !== undefined) return {BS: raw.BS.map(base64).sort()};
  if (raw.L !== undefined) return {L: raw.L.map(toAttribute)};
  if (raw.M !== undefined) return {M: mapValues(raw.M, toAttribute)};
  throw new SesstuiError(
    'unsupported',
    `An attribute has a type that is not known: ${Object.keys(raw).join()}`,
  );
};

/** The inverse of `toAttribute`. */
export const fromAttribute = (attribute: Attribute): AttributeValue => {
  if ('B' in attribute) return {B: bytesOf(attribute.B)};
  if ('BS' in attribute) return {BS: attribute.BS.map(bytesOf)};
  if ('L' in attribute) return {L: attribute.L.map(fromAttribute)};
  if ('M' in attribute) return {M: mapValues(attribute.M, fromAttribute)};
  return attribute;
};

export const toItem = (raw: Raw): Item => mapValues(raw, toAttribute);
export const fromItem = (item: Item): Raw => mapValues(item, fromAttribute);

/** An image that this connector made, read back. */
export const itemOf = (image: Image): Item => image as unknown as Item;
export const imageOf = (item: Item): Image => item as unknown as Image;

/** Numbers in one spelling and sets in one order, at any depth: what a version is made of. */
const normalised = (attribute: Attribute): Json => {
  if ('N' in attribute) return {N: canonicalDecimal(attribute.N)};
  if ('NS' in attribute) return {NS: attribute.NS.map(canonicalDecimal).sort()};
  if ('SS' in attribute) return {SS: [...attribute.SS].sort()};
  if ('BS' in attribute) return {BS: [...attribute.BS].sort()};
  if ('L' in attribute) return {L: attribute.L.map(normalised)};
  if ('M' in attribute) return {M: mapValues(attribute.M, normalised)};
  return attribute as Json;
};

export const sameAttribute = (a: Attribute, b: Attribute): boolean =>
  canonicalJson(normalised(a)) === canonicalJson(normalised(b));

/** A hash of a whole item that changes when anything in it does. */
export const versionOf = (item: Item): string =>
  createHash('sha256')
    .update(canonicalJson(mapValues(item, normalised)))
    .digest('hex');

const neutralNumber = (text: string): Value => {
  const decimal = parseDecimal(text);
  if (!decimal) return new Other('number', text);
  if (decimal.exponent >= 0) {
    const whole = BigInt(plainDecimal(text));
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  }
  const number = Number(text);
  return canonicalDecimal(String(number)) === canonicalDecimal(text)
    ? number
    : new Other('number', plainDecimal(text));
};

/** What checks see. A set is an array here: the order of an array does not matter to `set`. */
export const neutral = (attribute: Attribute): Value => {
  if ('S' in attribute) return attribute.S;
  if ('N' in attribute) return neutralNumber(attribute.N);
  if ('BOOL' in attribute) return attribute.BOOL;
  if ('NULL' in attribute) return null;
  if ('B' in attribute) return new Other('binary', attribute.B);
  if ('SS' in attribute) return attribute.SS;
  if ('NS' in attribute) return attribute.NS.map(neutralNumber);
  if ('BS' in attribute) return attribute.BS.map(text => new Other('binary', text));
  if ('L' in attribute) return attribute.L.map(neutral);
  return neutralItem(attribute.M);
};

export const neutralItem = (item: Item): ValueMap => mapValues(item, neutral);

const isText = (value: Value): value is string => typeof value === 'string';
const isNumber = (value: Value): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

const numberText = (value: number | bigint): string => {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new SesstuiError('unsupported', `DynamoDB has no number ${value}.`);
  if (!isStorable(parseDecimal(String(value))!))
    throw new SesstuiError(
      'unsupported',
      'DynamoDB has no number of more than 38 digits, below 1e-130 or from 1e126 on.',
    );
  return plainDecimal(String(value));
};

const ofArray = (values: Value[], like?: Attribute): Attribute => {
  const distinct = values.length > 0 && new Set(values).size === values.length;
  if (like && 'SS' in like && distinct && values.every(isText)) return {SS: [...values].sort()};
  if (like && 'NS' in like && distinct && values.every(isNumber)) return {NS: values.map(numberText).sort()};
  return {L: values.map(value => attributeOf(value))};
};

/**
 * A neutral value as an attribute. `like` is the attribute that it replaces: a set stays a set and a moment
 * keeps its format. Throws `unsupported` for what DynamoDB can't hold.
 */
export const attributeOf = (value: Value, like?: Attribute): Attribute => {
  if (value === null || value === undefined) return {NULL: true};
  if (typeof value === 'string') return {S: value};
  if (typeof value === 'boolean') return {BOOL: value};
  if (isNumber(value)) return {N: numberText(value)};
  if (value instanceof Time) return momentLike(value.micros, like);
  if (Array.isArray(value)) return ofArray(value, like);
  if (!(value instanceof Other)) return {M: mapValues(value, item => attributeOf(item))};
  if (value.type === 'number') return {N: value.text};
  return value.type === 'binary' ? {B: value.text} : {S: value.text};
};
