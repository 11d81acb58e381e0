/**
 * MongoDB's match language, as far as every server that speaks it goes (no `$expr`), with what it needs to be
 * exact: it looks inside arrays unless told not to, and takes null and missing for one unless told apart.
 */
import {Binary, Decimal128, Long, ObjectId, UUID} from 'bson';
import {SesstuiError} from '../../source/errors.js';
import {isoOfMicros, Other, type Scalar, Time, type Value} from '../../source/values.js';

export type Filter = Record<string, unknown>;

/** A filter that lets everything through that the condition does; `exact` when it lets nothing else through. */
export type Weak = {filter: Filter; exact: boolean};

export const matchAll: Filter = {};
export const matchNone: Filter = {_id: {$in: []}};

export const isMatchAll = (filter: Filter): boolean => Object.keys(filter).length === 0;
const isMatchNone = (filter: Filter): boolean => filter === matchNone;

const combined = (parts: Filter[], operator: '$and' | '$or', neutral: Filter): Filter =>
  parts.length === 0 ? neutral : parts.length === 1 ? parts[0]! : {[operator]: parts};

export const and = (parts: Filter[]): Filter =>
  parts.some(isMatchNone)
    ? matchNone
    : combined(
        parts.filter(part => !isMatchAll(part)),
        '$and',
        matchAll,
      );

export const or = (parts: Filter[]): Filter =>
  parts.some(isMatchAll)
    ? matchAll
    : combined(
        parts.filter(part => !isMatchNone(part)),
        '$or',
        matchNone,
      );

export const nor = (filter: Filter): Filter =>
  isMatchAll(filter) ? matchNone : isMatchNone(filter) ? matchAll : {$nor: [filter]};

const refuseAttribute = (name: string, why: string): never => {
  throw new SesstuiError(
    'config',
    `MongoDB can not look at the attribute "${name}": ${why}.`,
    'Correct the check in sesstui.yaml.',
  );
};

/** The name itself; throws `config` for one that MongoDB would read as something else. */
export const attributeName = (name: string): string => {
  if (name.split('.').some(step => step === '')) refuseAttribute(name, 'it is empty, or a part of it is');
  if (name.split('.').some(step => step.startsWith('$'))) refuseAttribute(name, 'it starts with $');
  if (name.includes('\0')) refuseAttribute(name, 'it holds a NUL');
  return name;
};

/** Inside a path a match steps into arrays, where the evaluator doesn't: nothing about a path is exact. */
export const isPath = (name: string): boolean => name.includes('.');

const notArray = {$not: {$type: 'array'}};

/** The field is of this BSON type itself (not an array with such an element). */
export const ofType = (name: string, type: string | string[]): Filter => ({
  [name]: {$type: type, ...notArray},
});

const digits = '[0-9a-fA-F]';
const uuidText = `^${digits}{8}-${digits}{4}-${digits}{4}-${digits}{4}-${digits}{12}$`;

/** A `$` matches before a last line feed too, in every server's dialect; so line feeds are ruled out apart. */
export const uuidFilter = (name: string): Filter => ({
  $and: [{[name]: {$regex: uuidText, ...notArray}}, {$nor: [{[name]: {$regex: '\n'}}]}],
});

const hexId = /^[0-9a-f]{24}$/;
const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const numeric = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

const numbersOf = (text: string, allTypes: boolean): unknown[] => {
  if (!numeric.test(text))
    return allTypes && /^-?(?:NaN|Infinity)$/.test(text)
      ? [Number(text), Decimal128.fromStringWithRounding(text)]
      : [];
  const variants: unknown[] = [Number(text)];
  if (/^-?\d{16,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text))
    variants.push(Long.fromString(text));
  // Servers compare numbers across their types, so a Decimal128 is needed only for what a double rounds.
  if (allTypes && text.replace(/\D/g, '').length > 15) variants.push(Decimal128.fromStringWithRounding(text));
  return variants;
};

const dateOf = (text: string): Date[] => {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && isoOfMicros(ms * 1000) === text ? [new Date(ms)] : [];
};

/** Every BSON value whose text is this one: ids come from a command line as text. */
const variantsOfScalar = (item: Scalar, allTypes: boolean): unknown[] => {
  const text = String(item);
  return [
    text,
    ...(text === 'true' || text === 'false' ? [text === 'true'] : []),
    ...numbersOf(text, allTypes),
    ...(hexId.test(text) ? [ObjectId.createFromHexString(text)] : []),
    ...(uuidPattern.test(text) ? [new UUID(text)] : []),
    ...dateOf(text),
    ...(text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
      ? [new Binary(Buffer.from(text, 'base64'))]
      : []),
  ];
};

/**
 * The field's text is that of one of these. Exact when they are plain words: a number's text (`1`) is not that
 * of every number equal to it (`1.0` as Decimal128).
 */
export const textIn = (name: string, items: Scalar[], allTypes: boolean): Weak => {
  const variants = items.map(item => variantsOfScalar(item, allTypes));
  const exact = !isPath(name) && items.every(item => numbersOf(String(item), true).length === 0);
  const condition = {$in: variants.flat()};
  return items.length === 0
    ? {filter: matchNone, exact: true}
    : {filter: {[name]: exact ? {...condition, ...notArray} : condition}, exact};
};

/**
 * BSON values that hold every value neutrally equal to this one, for `$in`; null when there is no such list
 * (documents in any order of keys, arrays of such).
 */
export const variantsOf = (value: Value, allTypes: boolean): unknown[] | null => {
  if (typeof value === 'string')
    return hexId.test(value) ? [value, ObjectId.createFromHexString(value)] : [value];
  if (typeof value === 'boolean') return [value];
  if (typeof value === 'bigint') return [Long.fromBigInt(BigInt.asIntN(64, value)), Number(value)];
  if (typeof value === 'number') return Number.isFinite(value) || allTypes ? [value] : null;
  if (value instanceof Time)
    return Number.isFinite(value.micros) ? [new Date(Math.floor(value.micros / 1000))] : null;
  if (value instanceof Other) return variantsOfOther(value, allTypes);
  return null;
};

const variantsOfOther = ({type, text}: Other, allTypes: boolean): unknown[] | null => {
  if (type === 'objectId') return [ObjectId.createFromHexString(text), text];
  if (type === 'uuid') return [new UUID(text)];
  if (type === 'decimal' && allTypes) return [Decimal128.fromStringWithRounding(text)];
  return type === 'binary' ? [new Binary(Buffer.from(text, 'base64'))] : null;
};
