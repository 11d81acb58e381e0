import {ObjectId, UUID} from 'bson';
import {failed} from './mongodb-errors.js';
import {
  addEntries,
  checkUnique,
  duplicateKey,
  type Index,
  isIdIndex,
  isThere,
  makeIndex,
  removeEntries,
} from './mongodb-indexes.js';
import {compileFilter, type Test} from './mongodb-match.js';
import {compare, keyOf} from './mongodb-order.js';
import {type Doc, decode, encode, isDocument} from './mongodb-values.js';

const ID_NAME = Buffer.from('_id\0');
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** A stored document: the bytes as they came, and what they decode to. Neither is ever changed. */
export class Row {
  #doc: Doc | undefined;

  constructor(
    readonly id: string,
    readonly bytes: Uint8Array,
    doc?: Doc,
  ) {
    this.#doc = doc;
  }

  get doc(): Doc {
    this.#doc ??= decode(this.bytes);
    return this.#doc;
  }
}

/** What a collection says of its validation: only what somebody once said. */
export type Validation = {
  validator?: Doc | undefined;
  validationLevel?: string | undefined;
  validationAction?: string | undefined;
};

/** Documents by `_id` in the order they were inserted, with their indexes and validator. */
export class Collection {
  readonly uuid = new UUID();
  readonly indexes = new Map<string, Index>();
  readonly #rows = new Map<string, Row>();
  #validation: Validation = {};
  #isValid: Test = () => true;

  constructor(readonly namespace: string) {
    this.indexes.set('_id_', makeIndex({v: 2, key: {_id: 1}, name: '_id_'}));
  }

  get size(): number {
    return this.#rows.size;
  }

  get validation(): Validation {
    return this.#validation;
  }

  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  docs(): Doc[] {
    return Array.from(this.#rows.values(), row => row.doc);
  }

  setValidation(validation: Validation): void {
    this.#isValid = validation.validator ? compileFilter(validation.validator) : () => true;
    this.#validation = validation;
  }

  /** The rows that a filter takes; where it names the `_id`s, only those are looked at, in the order of their index. */
  find(filter: Doc, variables: Doc = {}): Row[] {
    const test = compileFilter(filter, variables);
    const ids = idsOf(filter._id, Object.hasOwn(filter, '_id'));
    const candidates = ids
      ? [...new Set(ids.map(keyOf))]
          .flatMap(id => this.#rows.get(id) ?? [])
          .sort((a, b) => compare(a.doc._id, b.doc._id))
      : [...this.#rows.values()];
    return candidates.filter(row => test(row.doc));
  }

  /** Inserts a document as it is encoded; without an `_id` it gets one, and one that isn't first becomes so. */
  insert(bytes: Uint8Array, bypassValidation = false): Row {
    const doc = decode(bytes);
    const row = startsWithId(bytes) ? rowOf(doc, Uint8Array.from(bytes)) : withIdFirst(doc);
    checkDocument(row);
    // Like MongoDB's: a document that is both invalid and a duplicate is told to be invalid.
    if (!bypassValidation) this.#validate(row.doc);
    if (this.#rows.has(row.id)) throw duplicateKey(this.indexes.get('_id_')!, row.doc, this.namespace);
    checkUnique(this.indexes.values(), row.id, row.doc, this.namespace);
    this.#rows.set(row.id, row);
    addEntries(this.#ownIndexes(), row.id, row.doc);
    return row;
  }

  /** Puts a document in another's place. Returns false where the bytes are the same. */
  replace(before: Row, doc: Doc, bypassValidation = false): Row | false {
    const row = Object.keys(doc)[0] === '_id' ? rowOf(doc) : withIdFirst(doc);
    if (row.id !== before.id)
      throw failed(
        'ImmutableField',
        "Performing an update on the path '_id' would modify the immutable field '_id'",
      );
    if (Buffer.compare(row.bytes, before.bytes) === 0) return false;
    checkDocument(row);
    if (!bypassValidation) this.#validate(row.doc, before.doc);
    checkUnique(this.indexes.values(), row.id, row.doc, this.namespace);
    removeEntries(this.#ownIndexes(), before.id, before.doc);
    this.#rows.set(row.id, row);
    addEntries(this.#ownIndexes(), row.id, row.doc);
    return row;
  }

  delete(row: Row): void {
    this.#rows.delete(row.id);
    removeEntries(this.#ownIndexes(), row.id, row.doc);
  }

  /** Adds an index unless it is there already; throws E11000 where documents that are there break it. */
  createIndex(spec: Doc): boolean {
    if (isIdIndex(spec)) return false;
    const index = makeIndex(spec);
    if (isThere([...this.indexes.values()], index)) return false;
    if (index.unique)
      for (const row of this.#rows.values()) {
        checkUnique([index], row.id, row.doc, this.namespace);
        addEntries([index], row.id, row.doc);
      }
    this.indexes.set(index.name, index);
    return true;
  }

  /** Puts an index in another's place: the same one with other options (collMod). */
  replaceIndex(index: Index): void {
    this.indexes.set(index.name, index);
    for (const row of this.#rows.values()) addEntries([index], row.id, row.doc);
  }

  /** The `_id` has the collection itself for an index. */
  *#ownIndexes(): Iterable<Index> {
    for (const index of this.indexes.values()) if (index.name !== '_id_') yield index;
  }

  #validate(doc: Doc, before?: Doc): void {
    const {validator = {}, validationLevel, validationAction} = this.#validation;
    if (validationAction === 'warn' || validationLevel === 'off' || this.#isValid(doc)) return;
    if (before && validationLevel === 'moderate' && !this.#isValid(before)) return;
    throw failed('DocumentValidationFailure', 'Document failed validation', {
      errInfo: {
        failingDocumentId: doc._id,
        details: {operatorName: Object.keys(validator)[0]},
      },
    });
  }
}

const rowOf = (doc: Doc, bytes = encode(doc)): Row => new Row(keyOf(doc._id), bytes, doc);

/** Asked of the bytes: JavaScript moves names that are numbers to the front. */
const startsWithId = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(5, 9)).equals(ID_NAME);

const withIdFirst = (doc: Doc): Row => {
  const {_id = new ObjectId(), ...rest} = doc;
  return rowOf({_id, ...rest});
};

const checkDocument = ({doc, bytes}: Row): void => {
  if (bytes.length > MAX_DOCUMENT_BYTES) throw failed('BSONObjectTooLarge', 'object to insert too large');
  if (Array.isArray(doc._id) || doc._id === undefined)
    throw failed('BadValue', "The '_id' value cannot be of type array");
};

/** The `_id`s that a condition can match, where it says so itself. */
const idsOf = (condition: unknown, present: boolean): unknown[] | undefined => {
  if (!present || condition === undefined) return undefined;
  if (condition instanceof RegExp || (condition as {_bsontype?: string} | null)?._bsontype === 'BSONRegExp')
    return undefined;
  if (!isDocument(condition) || !Object.keys(condition)[0]?.startsWith('$')) return [condition];
  if ('$eq' in condition) return [condition.$eq];
  const listed = condition.$in;
  return Array.isArray(listed) && !listed.some(isRegex) ? listed : undefined;
};

const isRegex = (value: unknown): boolean =>
  value instanceof RegExp || (value as {_bsontype?: string} | null)?._bsontype === 'BSONRegExp';
