import type {Binary, BSONRegExp, DBRef} from 'bson';
import {compareNumbers, numberKey} from './mongodb-numbers.js';
import {bytesOf, type Doc, isNumeric, type Numeric, typeName} from './mongodb-values.js';

const RANKS: Record<string, number> = {
  minKey: 0,
  missing: 1,
  null: 2,
  int: 3,
  long: 3,
  double: 3,
  decimal: 3,
  symbol: 4,
  string: 4,
  object: 5,
  array: 6,
  binData: 7,
  objectId: 8,
  bool: 9,
  date: 10,
  timestamp: 11,
  regex: 12,
  javascript: 14,
  javascriptWithScope: 15,
  maxKey: 16,
};

/** The place of a value's type in BSON's order; types with the same rank compare by value. */
export const rank = (value: unknown): number => RANKS[typeName(value)]!;

const sign = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * BSON's order over all types: numbers by value whatever their type, strings by UTF-8 bytes, documents field by
 * field in their order. What is missing comes before null: who wants them equal maps one to the other first.
 */
export const compare = (a: unknown, b: unknown): number => {
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const byRank = sign(rank(a), rank(b));
  if (byRank !== 0) return byRank;
  if (isNumeric(a)) return compareNumbers(a, b as Numeric);
  switch (typeName(a)) {
    case 'string':
    case 'symbol':
    case 'objectId':
    case 'javascript':
    case 'javascriptWithScope':
      return compareText(text(a), text(b));
    case 'bool':
    case 'date':
      return sign(Number(a), Number(b));
    case 'timestamp':
      return sign((a as {toBigInt(): bigint}).toBigInt(), (b as {toBigInt(): bigint}).toBigInt());
    case 'binData':
      return compareBinary(a as Binary, b as Binary);
    case 'regex':
      return compareText(regexText(a as RegExp), regexText(b as RegExp));
    case 'array':
      return compareLists(a as unknown[], b as unknown[]);
    case 'object':
      return compareDocuments(fields(a as Doc), fields(b as Doc));
    default:
      return 0;
  }
};

export const equal = (a: unknown, b: unknown): boolean => compare(a, b) === 0;

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const {_bsontype: type, ...rest} = value as {_bsontype: string; code?: string; value?: string};
  if (type === 'Code') return rest.code!;
  return type === 'BSONSymbol' ? rest.value! : String(value);
};

const regexText = (value: RegExp | BSONRegExp): string =>
  value instanceof RegExp ? `${value.source}\0${value.flags}` : `${value.pattern}\0${value.options}`;

/** UTF-16 code units in the order of UTF-8 bytes: surrogates come after everything else. */
const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return lifted(x) - lifted(y);
  }
  return a.length - b.length;
};

const lifted = (unit: number): number =>
  unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;

const compareBinary = (a: Binary | Uint8Array, b: Binary | Uint8Array): number => {
  const [x, y] = [bytesOf(a), bytesOf(b)];
  return sign(x.length, y.length) || sign(subtype(a), subtype(b)) || Math.sign(Buffer.compare(x, y));
};

const subtype = (value: Binary | Uint8Array): number => (value instanceof Uint8Array ? 0 : value.sub_type);

const compareLists = (a: unknown[], b: unknown[]): number => {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return sign(a.length, b.length);
};

/** A reference (`DBRef`) is a document with its own class. */
const fields = (value: Doc | DBRef): [string, unknown][] =>
  Object.entries('_bsontype' in value ? (value as DBRef).toJSON() : value).filter(([, v]) => v !== undefined);

const compareDocuments = (a: [string, unknown][], b: [string, unknown][]): number => {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [[nameA, valueA], [nameB, valueB]] = [a[i]!, b[i]!];
    const order = sign(rank(valueA), rank(valueB)) || compareText(nameA, nameB) || compare(valueA, valueB);
    if (order !== 0) return order;
  }
  return sign(a.length, b.length);
};

/** Text that two values share exactly when they are equal in BSON's order; for maps and unique indexes. */
export const keyOf = (value: unknown): string => {
  if (typeof value === 'string') return `s${JSON.stringify(value)}`;
  if (isNumeric(value)) return numberKey(value);
  switch (typeName(value)) {
    case 'missing':
      return 'u';
    case 'null':
      return 'z';
    case 'symbol':
      return `s${JSON.stringify(text(value))}`;
    case 'objectId':
      return `o${text(value)}`;
    case 'bool':
      return value ? 't' : 'f';
    case 'date':
      return `d${Number(value)}`;
    case 'timestamp':
      return `T${(value as {toBigInt(): bigint}).toBigInt()}`;
    case 'binData':
      return `b${subtype(value as Binary)}.${Buffer.from(bytesOf(value as Binary)).toString('base64')}`;
    case 'regex':
      return `r${JSON.stringify(regexText(value as RegExp))}`;
    case 'array':
      return `[${(value as unknown[]).map(keyOf).join(',')}]`;
    case 'object':
      return `{${fields(value as Doc).map(([name, v]) => `${JSON.stringify(name)}:${keyOf(v)}`)}}`;
    case 'minKey':
      return '-';
    case 'maxKey':
      return '+';
    default:
      return `c${JSON.stringify(text(value))}`;
  }
};
