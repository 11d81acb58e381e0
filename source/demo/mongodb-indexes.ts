import {failed} from './mongodb-errors.js';
import {compileFilter, isTrue, type Test} from './mongodb-match.js';
import {equal, keyOf} from './mongodb-order.js';
import {valuesAt} from './mongodb-paths.js';
import {type Doc, isDocument, isNumeric, toNumber} from './mongodb-values.js';

/** One index. Only guarded ones are kept up, for they are all that a client can notice. */
export type Index = {
  name: string;
  key: Doc;
  unique: boolean;
  /** Refuses new duplicates, and leaves those that are there: unique, or prepared to become so. */
  guarded: boolean;
  /** What listIndexes answers. */
  spec: Doc;
  /** The entries of a document: none where the index leaves it out. */
  keysOf(doc: Doc): string[];
  /** Whose `_id`s (as text) have an entry; several where duplicates were there before it was prepared. */
  owners: Map<string, Set<string>>;
};

const KNOWN = new Set([
  'v',
  'key',
  'name',
  'ns',
  'unique',
  'sparse',
  'partialFilterExpression',
  'background',
  'expireAfterSeconds',
  'hidden',
  'prepareUnique',
]);

/** As listIndexes tells it: without what is false (but for `sparse`, which MongoDB keeps). */
const storedSpec = ({v: _, ns: __, background: ___, ...rest}: Doc): Doc => ({
  v: 2,
  ...Object.fromEntries(
    Object.entries(rest).filter(
      ([option, value]) => !['unique', 'hidden', 'prepareUnique'].includes(option) || isTrue(value),
    ),
  ),
});

const isOn = (key: Doc, wanted: Doc): boolean => equal(Object.entries(key), Object.entries(wanted));

/** Whether a specification means the index of `_id`, which is always there and takes no options; throws where it is wrong. */
export const isIdIndex = ({key, name, v: _, ns: __, ...options}: Doc): boolean => {
  const isId = isDocument(key) && isOn(key, {_id: 1});
  const option = Object.keys(options)[0];
  if (isId && option !== undefined)
    throw failed(
      'InvalidIndexSpecificationOption',
      `The field '${option}' is not valid for an _id index specification.`,
    );
  if (!isId && isDocument(key) && isOn(key, {_id: -1}))
    throw failed('BadValue', "The field 'key' for an _id index must be {_id: 1}, but got { _id: -1 }");
  if (!isId && name === '_id_')
    throw failed('BadValue', "The index name '_id_' is reserved for the _id index");
  return isId;
};

/** An index from the specification that createIndexes takes. */
export const makeIndex = (spec: Doc): Index => {
  const {key, name} = spec;
  if (!isDocument(key) || Object.keys(key).length === 0)
    throw failed('CannotCreateIndex', 'Index keys cannot be empty.');
  if (typeof name !== 'string' || name === '') throw failed('FailedToParse', 'an index needs a name');
  const unknown = Object.keys(spec).find(option => !KNOWN.has(option));
  if (unknown) throw failed('InvalidOptions', `the index option '${unknown}' is not supported`);
  for (const direction of Object.values(key))
    if (!isNumeric(direction) || toNumber(direction) === 0)
      throw failed('CannotCreateIndex', `an index of the type ${String(direction)} is not supported`);
  const {partialFilterExpression: filter} = spec;
  if (filter !== undefined && !isDocument(filter))
    throw failed('CannotCreateIndex', 'partialFilterExpression must be a document');
  const covered: Test = filter === undefined ? () => true : compileFilter(filter);
  const paths = Object.keys(key);
  const sparse = isTrue(spec.sparse);
  const unique = name === '_id_' || isTrue(spec.unique);
  return {
    name,
    key,
    unique,
    guarded: unique || isTrue(spec.prepareUnique),
    spec: storedSpec(spec),
    keysOf: doc => (covered(doc) && !(sparse && isAbsent(doc, paths)) ? entries(doc, paths) : []),
    owners: new Map(),
  };
};

const isAbsent = (doc: Doc, paths: string[]): boolean =>
  paths.every(path => valuesAt(doc, path).every(value => value === undefined));

/** One entry for each combination of values; an array has one for each element, and what is missing counts as null. */
const entries = (doc: Doc, paths: string[]): string[] => {
  let keys = [''];
  for (const path of paths) {
    const values = valuesAt(doc, path).flatMap<unknown>(value =>
      Array.isArray(value) ? (value.length === 0 ? [undefined] : value) : [value ?? null],
    );
    const texts = new Set((values.length === 0 ? [null] : values).map(keyOf));
    keys = keys.flatMap(prefix => [...texts].map(text => `${prefix}\0${text}`));
  }
  return keys;
};

/** Throws E11000 where another document has one of a document's entries, unless it has shared it all along. */
export const checkUnique = (indexes: Iterable<Index>, id: string, doc: Doc, namespace: string): void => {
  for (const index of indexes) {
    if (!index.guarded || index.name === '_id_') continue;
    for (const key of index.keysOf(doc)) {
      const owners = index.owners.get(key);
      if (owners && !owners.has(id)) throw duplicateKey(index, doc, namespace);
    }
  }
};

export const duplicateKey = ({name, key}: Pick<Index, 'name' | 'key'>, doc: Doc, namespace: string) => {
  const keyValue = Object.fromEntries(Object.keys(key).map(path => [path, valuesAt(doc, path)[0] ?? null]));
  const shown = Object.entries(keyValue).map(([path, value]) => `${path}: ${shownValue(value)}`);
  return failed(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespace} index: ${name} dup key: { ${shown.join(', ')} }`,
    {keyPattern: key, keyValue},
  );
};

const shownValue = (value: unknown): string => {
  const type = (value as {_bsontype?: string} | null)?._bsontype;
  return type === 'ObjectId' ? `ObjectId('${String(value)}')` : JSON.stringify(value);
};

export const addEntries = (indexes: Iterable<Index>, id: string, doc: Doc): void => {
  for (const index of indexes) {
    if (!index.guarded) continue;
    for (const key of index.keysOf(doc)) {
      const owners = index.owners.get(key);
      if (owners) owners.add(id);
      else index.owners.set(key, new Set([id]));
    }
  }
};

export const removeEntries = (indexes: Iterable<Index>, id: string, doc: Doc): void => {
  for (const index of indexes) {
    if (!index.guarded) continue;
    for (const key of index.keysOf(doc)) {
      const owners = index.owners.get(key);
      owners?.delete(id);
      if (owners?.size === 0) index.owners.delete(key);
    }
  }
};

/** Two indexes on the same fields are different ones when they differ in these. */
const identity = ({key, unique, spec}: Index): unknown[] => [
  Object.entries(key),
  unique,
  isTrue(spec.sparse),
  spec.partialFilterExpression ?? null,
];

const otherOptions = ({spec}: Index): unknown[] => [
  isTrue(spec.prepareUnique),
  spec.expireAfterSeconds ?? null,
];

/** Whether the index that is wanted is there already; throws where one with its name or on its fields is in the way. */
export const isThere = (indexes: Index[], wanted: Index): boolean => {
  const named = indexes.find(({name}) => name === wanted.name);
  if (named && !equal(identity(named), identity(wanted)))
    throw failed(
      'IndexKeySpecsConflict',
      `An existing index has the same name as the requested index: ${wanted.name}`,
    );
  const same = named ?? indexes.find(existing => equal(identity(existing), identity(wanted)));
  if (!same) return false;
  if (!equal(otherOptions(same), otherOptions(wanted)))
    throw failed(
      'IndexOptionsConflict',
      `An equivalent index already exists with other options: ${same.name}`,
    );
  if (!named)
    throw failed('IndexOptionsConflict', `Index already exists with a different name: ${same.name}`);
  return true;
};
