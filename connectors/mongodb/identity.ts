/** The identity of a document: its `_id` as canonical Extended JSON, or as BSON where that would be another `_id`. */
import {EJSON} from 'bson';
import type {Identity} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Json} from '../../source/values.js';
import {bytesOf, canonicalJsonOf, type Fields, fieldsOf, sameBytes} from './document.js';

/** No field of an `_id` can begin with a dollar, so this is never somebody's own. */
const asBson = '$bson';

const documentOfId = (id: unknown): Fields => new Map([['_id', id]]);

const ofJson = (at: Json | undefined): unknown =>
  at === null ? null : (EJSON.deserialize({_id: at} as object, {relaxed: false}) as {_id?: unknown})._id;

/** JavaScript puts fields whose names are integers before all others; an `_id` in another order is another `_id`. */
const survivesJson = (id: Fields, at: Json): boolean => {
  try {
    const back = ofJson(JSON.parse(JSON.stringify(at)) as Json);
    return sameBytes(bytesOf(documentOfId(back)), bytesOf(documentOfId(id)));
  } catch {
    return false;
  }
};

/** `id`: as `fieldsOf` gives it, a Map where it is a document. */
export const identityOfId = (id: unknown): Identity => {
  const {_id: at} = canonicalJsonOf({_id: id}) as {_id: Json};
  if (!(id instanceof Map) || survivesJson(id, at)) return {by: 'key', at: {_id: at}};
  return {by: 'key', at: {_id: {[asBson]: Buffer.from(bytesOf(documentOfId(id))).toString('base64')}}};
};

const ofBson = (text: string): unknown => {
  try {
    return fieldsOf(Buffer.from(text, 'base64')).get('_id');
  } catch (error) {
    throw new SesstuiError('usage', 'The _id of a document is not BSON.', '', error);
  }
};

const fieldsIn = (value: object): [string, unknown][] =>
  value instanceof Map ? ([...value] as [string, unknown][]) : Object.entries(value);

const refuseKeys = (value: unknown): void => {
  if (value === undefined)
    throw new SesstuiError('usage', 'A document without an _id can not be told from others.');
  if (Array.isArray(value)) value.forEach(refuseKeys);
  else if (
    value instanceof Map ||
    (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
  )
    for (const [name, item] of fieldsIn(value)) {
      if (name.startsWith('$')) throw new SesstuiError('usage', `A key may not start with $: ${name}`);
      refuseKeys(item);
    }
};

/** The `_id` of an identity as BSON. Throws `usage` for one that could be read as an operator. */
export const idOfIdentity = ({at: {_id: at}}: Identity): unknown => {
  const text = at !== null && typeof at === 'object' && !Array.isArray(at) ? at[asBson] : undefined;
  const id = typeof text === 'string' ? ofBson(text) : ofJson(at);
  refuseKeys(id);
  return id;
};
