/** Documents as rows. */
import type {BSON} from 'bson';
import type {Image} from '../../source/connector.js';
import type {RawRow} from '../../source/evaluate.js';
import type {ValueMap} from '../../source/values.js';
import {documentOf, fieldsOf, imageOf, versionOf} from './document.js';
import {identityOfId} from './identity.js';
import {valueOfBson} from './values.js';

/** The `_id` of a document, with its fields in their order where it has some. */
const exactIdOf = (bytes: Uint8Array, {_id: id}: BSON.Document): unknown =>
  id !== null && typeof id === 'object' && Object.getPrototypeOf(id) === Object.prototype
    ? fieldsOf(bytes).get('_id')
    : id;

/** A row for the evaluator, from a projected document. */
export const rawRowOf = (table: string, bytes: Uint8Array): RawRow => {
  const document = documentOf(bytes);
  const identity = identityOfId(exactIdOf(bytes, document));
  return {table, identity, values: valueOfBson(document) as ValueMap};
};

export type FullRow = RawRow & {tags: string[]; image: Image; version: string; bytes: Uint8Array};

/** A whole document as a row with its image and version. */
export const fullRowOf = (table: string, bytes: Uint8Array): FullRow => ({
  ...rawRowOf(table, bytes),
  tags: [],
  image: imageOf(bytes),
  version: versionOf(bytes),
  bytes,
});
