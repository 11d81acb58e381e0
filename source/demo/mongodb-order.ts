import type {Binary, BSONRegExp, DBRef} from 'bson';
import {
  bytesOf,
  type Doc,
  isExactNumber,
  isNumeric,
  type Numeric,
  toNumber,
  typeName,
} from './mongodb-values.js';

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

const compareNumbers = (a: Numeric, b: Numeric): number => {
  const [x, y] = [toNumber(a), toNumber(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(y)) - Number(Number.isNaN(x));
  if (x !== y || !Number.isFinite(x) || (isExactNumber(a) && isExactNumber(b))) return sign(x, y);
  const [m, n] = [decimal(a), decimal(b)];
  const exponent = Math.min(m.exponent, n.exponent);
  const scaled = ({digits, exponent: own}: Decimal) => digits * 10n ** BigInt(own - exponent);
  return sign(scaled(m), scaled(n));
};

type Decimal = {digits: bigint; exponent: number};

/** A finite number's exact value as digits × 10^exponent, without trailing zeros. */
const decimal = (value: Numeric): Decimal => {
  const isDouble = typeof value === 'number' || (typeof value === 'object' && value._bsontype === 'Double');
  let {digits, exponent} = isDouble ? ofDouble(toNumber(value)) : ofText(value.toString());
  if (digits === 0n) return {digits, exponent: 0};
  while (digits % 10n === 0n) {
    digits /= 10n;
    exponent++;
  }
  return {digits, exponent};
};

const ofText = (number: string): Decimal => {
  const [mantissa = '0', exponent = '0'] = number.toUpperCase().split('E');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return {digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length};
};

/** Every double has a finite decimal expansion: m × 2^-k is m × 5^k × 10^-k. */
const ofDouble = (number: number): Decimal => {
  let k = 0;
  let mantissa = number;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    k++;
  }
  return {digits: BigInt(mantissa) * 5n ** BigInt(k), exponent: -k};
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

const numberKey = (value: Numeric): string => {
  const number = toNumber(value);
  if (!Number.isFinite(number) || isExactNumber(value)) return `n${number === 0 ? 0 : number}`;
  const {digits, exponent} = decimal(value);
  const nearest = decimal(number);
  return nearest.digits === digits && nearest.exponent === exponent ? `n${number}` : `N${digits}e${exponent}`;
};
