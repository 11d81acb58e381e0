/** A filter that matches a document only while its fields are what they were. */
import {Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp} from 'bson';
import {bytesOf, type Fields} from './document.js';
import type {Filter} from './filters.js';

/** A value larger than this is told by its type only; what is read back still proves every byte. */
const largest = 65_536;
/** What all values together may take: a command, with the document that it may bring, has to fit into 16 MiB. */
const mostTogether = 2 ** 20;
const mostOfCommand = 16 * 2 ** 20 - 2 * largest;

type Kind = [new (...args: never[]) => unknown, string];
const kinds: Kind[] = [
  [Int32, 'int'],
  [Double, 'double'],
  [Long, 'long'],
  [ObjectId, 'objectId'],
  [Date, 'date'],
  [Map, 'object'],
  [Binary, 'binData'],
  [Decimal128, 'decimal'],
  [Timestamp, 'timestamp'],
  [BSONRegExp, 'regex'],
];

const typeOf = (value: unknown): string | undefined => {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'array';
  return kinds.find(([type]) => value instanceof type)?.[1];
};

/** At least what the value takes as BSON. */
const sizeOf = (value: unknown): number =>
  typeof value === 'string' ? 4 * value.length : bytesOf(new Map([['v', value]])).length;

/**
 * Type and value of one field. `$eq` alone finds 1 where there is 1.0, null where there is nothing, and an
 * array that holds the value.
 */
const conditionOf = (value: unknown, withValue: boolean): Filter | null => {
  const type = typeOf(value);
  if (type === undefined) return null;
  if (type === 'array') return withValue ? {$eq: value, $type: 'array'} : {$type: 'array'};
  const condition = {$type: type, $not: {$type: 'array'}};
  return type === 'null' || !withValue ? condition : {$eq: value, ...condition};
};

/** Names that a filter would read as something else: those fields are proved by what is read back. */
const canBeNamed = (name: string): boolean => name !== '' && !name.startsWith('$') && !name.includes('.');

/**
 * The document with this `_id`, as long as each field that it had has the same type and value, and none of
 * `absent` has come. A field that came besides, and the order of fields, can't be said in the match language:
 * the writer compares the document that the server returns. `beside`: the document that goes with the filter.
 */
export const stateFilter = (fields: Fields, absent: string[] = [], beside?: Fields): Filter => {
  let room = beside ? Math.min(mostTogether, mostOfCommand - bytesOf(beside).length) : mostTogether;
  const conditions: Filter[] = absent.filter(canBeNamed).map(name => ({[name]: {$exists: false}}));
  for (const [name, value] of fields) {
    if (name === '_id' || !canBeNamed(name)) continue;
    const size = sizeOf(value);
    const withValue = size <= Math.min(largest, room);
    if (withValue) room -= size;
    const condition = conditionOf(value, withValue);
    if (condition) conditions.push({[name]: condition});
  }
  const id = {_id: {$eq: fields.get('_id')}};
  return conditions.length === 0 ? id : {...id, $and: conditions};
};
