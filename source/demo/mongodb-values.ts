import {type Binary, BSONRegExp, Decimal128, Double, deserialize, Int32, Long, serialize} from 'bson';

/** A document as BSON decodes it without promotion: numbers keep their type, nothing is converted. */
export type Doc = Record<string, unknown>;

/** Decodes a document so that encoding it again gives the same bytes. */
export const decode = (bytes: Uint8Array): Doc =>
  deserialize(bytes, {promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true});

export const encode = (doc: Doc): Uint8Array => serialize(doc, {ignoreUndefined: true});

const bsonType = (value: object): string | undefined => (value as {_bsontype?: string})._bsontype;

/** A plain subdocument: not an array, and none of BSON's own types. */
export const isDocument = (value: unknown): value is Doc =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  bsonType(value) === undefined &&
  !(value instanceof Date || value instanceof RegExp || value instanceof Uint8Array);

const INT32 = (value: number) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;

const TYPE_OF_CLASS: Record<string, string> = {
  Double: 'double',
  Int32: 'int',
  Long: 'long',
  Decimal128: 'decimal',
  ObjectId: 'objectId',
  ObjectID: 'objectId',
  Binary: 'binData',
  Timestamp: 'timestamp',
  BSONRegExp: 'regex',
  BSONSymbol: 'symbol',
  DBRef: 'object',
  MinKey: 'minKey',
  MaxKey: 'maxKey',
};

/** The name of a value's BSON type, as `$type` spells it; `missing` for what isn't there. */
export const typeName = (value: unknown): string => {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'long';
  if (typeof value === 'number') return INT32(value) ? 'int' : 'double';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (value instanceof RegExp) return 'regex';
  if (value instanceof Uint8Array) return 'binData';
  const name = bsonType(value as object);
  if (name === 'Code') return (value as {scope?: unknown}).scope ? 'javascriptWithScope' : 'javascript';
  return name === undefined ? 'object' : (TYPE_OF_CLASS[name] ?? 'object');
};

const TYPE_CODES: Record<string, number> = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
};

/** The type names that a `$type` or `bsonType` operand stands for, or undefined where there is no such type. */
export const typesNamed = (alias: unknown): string[] | undefined => {
  if (alias === 'number') return ['int', 'long', 'double', 'decimal'];
  if (typeof alias === 'string') return alias in TYPE_CODES ? [alias] : undefined;
  const code = isNumeric(alias) ? toNumber(alias) : undefined;
  const name = Object.keys(TYPE_CODES).find(name => TYPE_CODES[name] === code);
  return name === undefined ? undefined : [name];
};

export type Numeric = number | bigint | Int32 | Double | Long | Decimal128;

export const isNumeric = (value: unknown): value is Numeric => {
  if (typeof value === 'number' || typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  const type = bsonType(value);
  return type === 'Int32' || type === 'Double' || type === 'Long' || type === 'Decimal128';
};

/** The nearest JavaScript number. */
export const toNumber = (value: Numeric): number => {
  if (typeof value === 'object' && bsonType(value) === 'Decimal128') return Number(value.toString());
  return Number((value as {valueOf(): unknown}).valueOf());
};

/** Whether the nearest JavaScript number is the value itself. */
export const isExactNumber = (value: Numeric): boolean => {
  if (typeof value === 'number') return true;
  if (typeof value === 'bigint') return BigInt(Number(value)) === value;
  const type = bsonType(value);
  if (type === 'Long') return Number.isSafeInteger((value as Long).toNumber());
  return type !== 'Decimal128';
};

export const numberOfType = (type: string, value: number | bigint): Numeric => {
  if (type === 'double') return new Double(Number(value));
  if (type === 'long') return Long.fromBigInt(BigInt(value));
  if (type === 'decimal') return Decimal128.fromString(String(value));
  return new Int32(Number(value));
};

/**
 * The value as expressions work with it: plain numbers where a number is exact, JavaScript's regular expressions.
 * Everything else stays what it is.
 */
export const promoted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(promoted);
  if (isDocument(value)) return mapDocument(value, promoted);
  if (isNumeric(value)) return isExactNumber(value) ? toNumber(value) : value;
  return value instanceof BSONRegExp ? regexOf(value) : value;
};

/** A copy with each value mapped; it defines the properties, so that `__proto__` is a name like any other. */
export const mapDocument = (doc: Doc, map: (value: unknown, name: string) => unknown): Doc =>
  Object.fromEntries(Object.entries(doc).map(([name, value]) => [name, map(value, name)]));

/** BSON's regular expression as JavaScript's; the options it doesn't have (`x`) are left out. */
export const regexOf = ({pattern, options}: {pattern: string; options: string}): RegExp =>
  new RegExp(pattern, [...options].filter(option => 'ims'.includes(option)).join(''));

export const bytesOf = (value: Binary | Uint8Array): Uint8Array =>
  value instanceof Uint8Array ? value : value.buffer.subarray(0, value.position);
