/**
 * Documents as bytes: what is backed up, compared and put back is the BSON that the server gave, never a
 * JavaScript object (which loses the order of keys like `1`, and tells 1 from 1.0 only with care).
 */
import {createHash} from 'node:crypto';
import {BSON, EJSON} from 'bson';
import type {Image} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Json, ValueMap} from '../../source/values.js';
import {valueOfBson} from './values.js';

/** A document in the order of its fields, nested ones too; leaves are BSON's own types. */
export type Fields = Map<string, unknown>;

const typed = {promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true} as const;

/** A document without promotion: every type is still to be seen. Not for its order of keys. */
export const documentOf = (bytes: Uint8Array): BSON.Document => BSON.deserialize(bytes, typed);

const documentType = 3;
const arrayType = 4;

/** One element's value: the element is wrapped in a document of its own, so that the driver's reader reads it. */
const leafOf = (type: number, bytes: Uint8Array): unknown => {
  const wrapped = new Uint8Array(bytes.length + 8);
  new DataView(wrapped.buffer).setInt32(0, wrapped.length, true);
  wrapped[4] = type;
  wrapped[5] = 0x76;
  wrapped.set(bytes, 7);
  return documentOf(wrapped).v;
};

/** A name may begin with U+FEFF, which a decoder takes for a mark and drops unless told not to. */
const names = new TextDecoder('utf-8', {ignoreBOM: true});

const elementsOf = (bytes: Uint8Array): [string, unknown][] =>
  [...BSON.onDemand.parseToElements(bytes, 0)].map(([type, nameStart, nameLength, start, length]) => {
    const name = names.decode(bytes.subarray(nameStart, nameStart + nameLength));
    const value = bytes.subarray(start, start + length);
    if (type === documentType) return [name, fieldsOf(value)];
    if (type === arrayType) return [name, elementsOf(value).map(([, item]) => item)];
    return [name, leafOf(type, value)];
  });

/** The fields of a document in their order, with the types that they have. */
export const fieldsOf = (bytes: Uint8Array): Fields => new Map(elementsOf(bytes));

export const bytesOf = (fields: Fields): Uint8Array => BSON.serialize(fields, {ignoreUndefined: false});

/** Two documents with the same bytes: the same fields in the same order, with the same types and values. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/**
 * Could the driver write this document back byte for byte? Not if it holds BSON's long deprecated `undefined`,
 * or a field twice.
 */
export const canBeRestored = (bytes: Uint8Array): boolean => sameBytes(bytesOf(fieldsOf(bytes)), bytes);

/** sha256 of the document's bytes: changes when anything in it does. */
export const versionOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const canonicalJsonOf = (value: unknown): Json =>
  EJSON.serialize(value as object, {relaxed: false}) as Json;

/** Raw BSON, and canonical Extended JSON beside it for people. */
export const imageOf = (bytes: Uint8Array): Image => ({
  bson: Buffer.from(bytes).toString('base64'),
  ejson: canonicalJsonOf(documentOf(bytes)),
});

/** The document of an image. Throws `damaged` when it isn't one. */
export const bytesOfImage = (image: Image): Uint8Array => {
  const text = image !== null && typeof image === 'object' && !Array.isArray(image) ? image.bson : undefined;
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64');
  try {
    BSON.deserialize(bytes);
  } catch (error) {
    throw new SesstuiError('damaged', 'A backed up document is not BSON.', 'sesstui history --verify', error);
  }
  return bytes;
};

/** Every attribute as neutral values. */
export const valuesOfBytes = (bytes: Uint8Array): ValueMap => valueOfBson(documentOf(bytes)) as ValueMap;
