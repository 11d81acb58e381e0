/** Changes as the single writes that they come down to. Pure. */
import {Double, EJSON, Int32, Long, ObjectId} from 'bson';
import {type Change, canonicalJson, type NewValue} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Json} from '../../source/values.js';
import {momentLike} from './clock.js';
import {bytesOf, bytesOfImage, canBeRestored, type Fields, fieldsOf} from './document.js';
import {attributeName, type Filter} from './filters.js';
import {idOfIdentity} from './identity.js';
import {bsonOfValue} from './values.js';

export type Write =
  | {kind: 'insert'; after: Fields}
  | {kind: 'delete'; before: Fields}
  | {kind: 'replace'; before: Fields; after: Fields}
  /** `touched`: the top-level fields that it sets or removes. */
  | {kind: 'update'; before: Fields; after: Fields; update: Filter; touched: string[]};

const unsupported = (text: string): never => {
  throw new SesstuiError('unsupported', text);
};

/** The `_id` comes first: the server puts it there, and what is compared must have the same order. */
const idFirst = (id: unknown, fields: Fields): Fields =>
  new Map([['_id', id], ...[...fields].filter(([name]) => name !== '_id')]);

const valueAtPath = (fields: Fields, [step, ...rest]: string[]): unknown => {
  const value = fields.get(step!);
  return rest.length === 0 ? value : value instanceof Map ? valueAtPath(value, rest) : undefined;
};

const withPath = (fields: Fields, [step, ...rest]: string[], value: unknown): Fields => {
  const copy: Fields = new Map(fields);
  const held = fields.get(step!);
  if (rest.length === 0) {
    if (value === undefined) copy.delete(step!);
    else copy.set(step!, value);
  } else if (held instanceof Map) copy.set(step!, withPath(held, rest, value));
  else if (held !== undefined)
    unsupported(`"${step}" is not a document, so "${rest.join('.')}" in it can not be set.`);
  else if (value !== undefined) copy.set(step!, withPath(new Map(), rest, value));
  return copy;
};

/** A number in the type that the attribute had, where it fits. */
const typedLike = (value: unknown, replaced: unknown): unknown => {
  if (value instanceof Int32 && replaced instanceof Double) return new Double(value.value);
  return value instanceof Int32 && replaced instanceof Long ? Long.fromInt(value.value) : value;
};

const newValueOf = (wanted: NewValue, replaced: unknown, now: number): unknown => {
  if ('remove' in wanted) return undefined;
  return 'now' in wanted ? momentLike(now, replaced) : typedLike(bsonOfValue(wanted.value), replaced);
};

export type Sets = {after: Fields; update: Filter; touched: string[]};

/** A document with some attributes set, and the update that does it; `now` in microseconds. Throws `unsupported`. */
export const applySets = (before: Fields, set: Record<string, NewValue>, now: number): Sets => {
  const sets: Filter = {};
  const unsets: Filter = {};
  let after = before;
  for (const [name, wanted] of Object.entries(set)) {
    const path = attributeName(name).split('.');
    if (path.length > 1 && before.has(name))
      unsupported(`A field named "${name}", with the dot in it, can not be set.`);
    const value = newValueOf(wanted, valueAtPath(before, path), now);
    after = withPath(after, path, value);
    if (value === undefined) unsets[name] = '';
    else sets[name] = value;
  }
  const touched = [...new Set(Object.keys(set).map(name => name.split('.')[0]!))];
  const update = {
    ...(Object.keys(sets).length > 0 ? {$set: sets} : {}),
    ...(Object.keys(unsets).length > 0 ? {$unset: unsets} : {}),
  };
  return {after, update, touched};
};

const restorable = (bytes: Uint8Array): Fields => {
  if (!canBeRestored(bytes))
    unsupported(
      'The document holds a value that could not be put back as it is (`undefined`, or a field twice).',
    );
  return fieldsOf(bytes);
};

const newId = (replaced: unknown): unknown =>
  typeof replaced === 'string' ? new ObjectId().toHexString() : new ObjectId();

const insertOf = (change: Change & {op: 'insert'}, now: number): Write => {
  if ('row' in change) {
    const fields = restorable(bytesOfImage(change.row));
    return {kind: 'insert', after: idFirst(fields.get('_id'), fields)};
  }
  const from = restorable(bytesOfImage(change.from));
  const {after} = applySets(from, change.set, now);
  // A copy can't have the id of its original; a plan that has none for it leaves it to the store.
  const id =
    '_id' in change.set
      ? after.get('_id')
      : change.identity.at._id !== undefined
        ? idOfIdentity(change.identity)
        : newId(from.get('_id'));
  return {kind: 'insert', after: idFirst(id, after)};
};

/**
 * The write that makes a change; `before` is the document as it is, for changes of one that is there. Throws
 * `unsupported` for what can't be written, or not be undone afterwards.
 */
export const writeOf = (change: Change, before: Uint8Array | undefined, now: number): Write => {
  if (change.op === 'insert') return insertOf(change, now);
  const fields = restorable(before!);
  if (change.op === 'delete') return {kind: 'delete', before: fields};
  const id = fields.get('_id');
  if (change.set && '_id' in change.set) unsupported('MongoDB can not change the _id of a document.');
  if ('to' in change) {
    const to = restorable(bytesOfImage(change.to));
    return {kind: 'replace', before: fields, after: idFirst(id, applySets(to, change.set ?? {}, now).after)};
  }
  return {kind: 'update', before: fields, ...applySets(fields, change.set, now)};
};

export const idOf = (write: Write): unknown => ('before' in write ? write.before : write.after).get('_id');

const others = (fields: Fields, touched: string[]): Fields =>
  new Map([...fields].filter(([name]) => !touched.includes(name)));

/** Equal whatever the order of fields: servers differ in where they put a new one. */
export const sameFields = (a: Fields, b: Fields): boolean => textOf(a) === textOf(b);

const textOf = (fields: Fields): string =>
  canonicalJson(EJSON.serialize(Object.fromEntries(fields), {relaxed: false}) as Json);

/** Is `found` what an update leaves of the document that the plan saw: nothing but the touched fields differs? */
export const isResultOf = (write: Write & {kind: 'update'}, found: Fields): boolean => {
  const [a, b] = [bytesOf(others(write.before, write.touched)), bytesOf(others(found, write.touched))];
  return Buffer.compare(a, b) === 0 && sameFields(write.after, found);
};

/** What an update's result was before it: the touched fields as they were. */
export const withoutUpdate = (write: Write & {kind: 'update'}, found: Fields): Fields => {
  const back: Fields = new Map(found);
  for (const name of write.touched) {
    const value = write.before.get(name);
    if (value === undefined) back.delete(name);
    else back.set(name, value);
  }
  return back;
};
