/** The demand that every id is text and not empty, as a validator: made, found in another one, put to it, taken out. Pure. */
import type {Document} from 'mongodb';
import {canonicalJson} from '../../../source/connector.js';
import type {Json} from '../../../source/values.js';
import {plainOf} from './seen.js';

/** A field of this name is set like any other, not the prototype. */
const own = (name: string, value: unknown): Document =>
  Object.defineProperty({}, name, {value, enumerable: true, configurable: true, writable: true});

const schemaAt = ([step, ...rest]: string[]): Document => ({
  required: [step!],
  properties: own(
    step!,
    rest.length === 0 ? {bsonType: 'string', minLength: 1} : {bsonType: 'object', ...schemaAt(rest)},
  ),
});

/** The condition that a valid document fulfils: an own `$jsonSchema`, so that it can be told from what else is demanded. */
export const demandOf = (id: string): Document => ({$jsonSchema: schemaAt(id.split('.'))});

const isEqual = (a: unknown, b: unknown): boolean =>
  canonicalJson(plainOf({a}).a as Json) === canonicalJson(plainOf({a: b}).a as Json);

const isDocument = (value: unknown): value is Document =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const only = (value: unknown, wanted: string): boolean =>
  value === wanted || (Array.isArray(value) && value.length === 1 && value[0] === wanted);

/** Whether a schema lets nothing through that ours doesn't. */
const demandsAt = (schema: unknown, [step, ...rest]: string[]): boolean => {
  if (!isDocument(schema)) return false;
  if (Array.isArray(schema.allOf) && schema.allOf.some(part => demandsAt(part, [step!, ...rest])))
    return true;
  if (!Array.isArray(schema.required) || !schema.required.includes(step)) return false;
  const inner: unknown = isDocument(schema.properties) ? schema.properties[step!] : undefined;
  if (!isDocument(inner)) return false;
  if (rest.length > 0)
    return (only(inner.bsonType, 'object') || only(inner.type, 'object')) && demandsAt(inner, rest);
  const isText = only(inner.bsonType, 'string') || only(inner.type, 'string');
  return isText && Number(inner.minLength) >= 1;
};

/** Whether a validator refuses whatever ours would: ours itself, or one that somebody else wrote and that does the same. */
export const demands = (validator: Document | null, id: string): boolean => {
  if (!validator) return false;
  const plain = plainOf(validator);
  return (
    demandsAt(plain.$jsonSchema, id.split('.')) ||
    (Array.isArray(plain.$and) && plain.$and.some(part => demands(part, id)))
  );
};

/** What is there and ours. */
export const merged = (validator: Document | null, id: string): Document =>
  validator ? {$and: [validator, demandOf(id)]} : demandOf(id);

/** What is there without ours; null where nothing else is. */
export const withoutDemand = (validator: Document | null, id: string): Document | null => {
  if (!validator || isEqual(validator, demandOf(id))) return null;
  const parts: unknown = validator.$and;
  if (Object.keys(validator).length !== 1 || !Array.isArray(parts)) return validator;
  const rest = parts.filter(part => !isEqual(part, demandOf(id)));
  if (rest.length === parts.length) return validator;
  return rest.length === 0 ? null : rest.length === 1 ? rest[0] : {$and: rest};
};

export const sameValidator = (a: Document | null, b: Document | null): boolean => isEqual(a, b);

/** Whether a validator says anything about the id. */
export const mentions = (validator: Document | null, id: string): boolean =>
  validator !== null && JSON.stringify(plainOf(validator)).includes(JSON.stringify(id.split('.')[0]));

/** Documents that a condition does not let through. */
export const violating = (condition: Document): Document => ({$nor: [condition]});

/** Violating documents whose id is null, missing or empty and can be set: those that `assign-ids` mends. */
export const mendable = (id: string): Document => {
  const steps = id.split('.');
  const parents = steps.slice(1).map((_, index) => steps.slice(0, index + 1).join('.'));
  return {
    $and: [
      {[id]: {$in: [null, ''], $not: {$type: 'array'}}},
      ...parents.map(parent => ({
        $or: [{[parent]: {$exists: false}}, {[parent]: {$type: 'object', $not: {$type: 'array'}}}],
      })),
    ],
  };
};
