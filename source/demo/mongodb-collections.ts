import type {Collection} from './mongodb-collection.js';
import type {Call} from './mongodb-commands.js';
import {failed} from './mongodb-errors.js';
import {compileFilter} from './mongodb-match.js';
import {modifyIndex} from './mongodb-modify-index.js';
import {equal} from './mongodb-order.js';
import {cursorReply, document, integer} from './mongodb-read.js';
import {RawDocument} from './mongodb-reply.js';
import {createdValidation, isSameValidation, modifiedValidation} from './mongodb-validation.js';
import {type Doc, encode, isDocument} from './mongodb-values.js';

const ALL = Number.POSITIVE_INFINITY;

const existing = ({databases, database, name}: Call): Collection => {
  const collection = databases.find(database, name);
  if (!collection) throw failed('NamespaceNotFound', `ns does not exist: ${database}.${name}`);
  return collection;
};

const raw = (docs: Doc[]): RawDocument[] => docs.map(doc => new RawDocument(encode(doc)));

export const listDatabases = ({databases, command}: Call): Doc => {
  const all = databases.names().map(name => {
    const bytes = [...databases.collections(name).values()].flatMap(collection => [...collection.rows()]);
    return {name, sizeOnDisk: bytes.reduce((sum, row) => sum + row.bytes.length, 0), empty: false};
  });
  const shown = all.filter(compileFilter(document(command.filter, 'filter')));
  if (command.nameOnly === true) return {databases: shown.map(({name}) => ({name})), ok: 1};
  return {databases: shown, totalSize: shown.reduce((sum, {sizeOnDisk}) => sum + sizeOnDisk, 0), ok: 1};
};

export const listCollections = ({databases, database, command}: Call): Doc => {
  const all = [...databases.collections(database)].map(([name, {uuid, validation}]) => ({
    name,
    type: 'collection',
    options: validation,
    info: {readOnly: false, uuid},
    idIndex: {v: 2, key: {_id: 1}, name: '_id_'},
  }));
  const shown = all.filter(compileFilter(document(command.filter, 'filter')));
  const docs = command.nameOnly === true ? shown.map(({name, type}) => ({name, type})) : shown;
  const {batchSize} = document(command.cursor, 'cursor');
  return cursorReply(databases, `${database}.$cmd.listCollections`, raw(docs), integer(batchSize, ALL));
};

export const create = (call: Call): Doc => {
  const {databases, database, name, command} = call;
  for (const option of ['viewOn', 'capped', 'timeseries', 'clusteredIndex', 'collation'])
    if (command[option]) throw failed('CommandNotSupported', `create with '${option}' is not supported`);
  const before = databases.find(database, name);
  const validation = createdValidation(command);
  if (before && !isSameValidation(before.validation, validation))
    throw failed('NamespaceExists', `Collection ${database}.${name} already exists.`);
  if (!before) databases.ensure(database, name).setValidation(validation);
  return {ok: 1};
};

export const collMod = (call: Call): Doc => {
  const collection = existing(call);
  const {index, viewOn} = call.command;
  if (viewOn !== undefined) throw failed('CommandNotSupported', 'collMod of a view is not supported');
  const changed = index === undefined ? {} : modifyIndex(collection, document(index, 'index'), call.command);
  collection.setValidation(modifiedValidation(call.command, collection.validation));
  return {...changed, ok: 1};
};

export const drop = (call: Call): Doc => {
  const {databases, database, name} = call;
  const count = databases.find(database, name)?.indexes.size ?? 0;
  if (!databases.drop(database, name)) return {ok: 1};
  return {nIndexesWas: count, ns: `${database}.${name}`, ok: 1};
};

export const dropDatabase = ({databases, database}: Call): Doc => {
  databases.dropDatabase(database);
  return {dropped: database, ok: 1};
};

export const listIndexes = (call: Call): Doc => {
  const specs = [...existing(call).indexes.values()].map(({spec}) => spec);
  const {batchSize} = document(call.command.cursor, 'cursor');
  return cursorReply(call.databases, `${call.database}.${call.name}`, raw(specs), integer(batchSize, ALL));
};

export const createIndexes = (call: Call): Doc => {
  const {databases, database, name, command} = call;
  const createdCollectionAutomatically = !databases.find(database, name);
  const collection = databases.ensure(database, name);
  const numIndexesBefore = collection.indexes.size;
  const added: string[] = [];
  try {
    for (const spec of command.indexes as Doc[])
      if (collection.createIndex(spec)) added.push(String(spec.name));
  } catch (error) {
    for (const index of added) collection.indexes.delete(index);
    if (createdCollectionAutomatically) databases.drop(database, name);
    throw error;
  }
  const reply: Doc = {
    numIndexesBefore,
    numIndexesAfter: collection.indexes.size,
    createdCollectionAutomatically,
    ok: 1,
  };
  return added.length > 0 ? reply : {...reply, note: 'all indexes already exist'};
};

export const dropIndexes = (call: Call): Doc => {
  const {indexes} = existing(call);
  const nIndexesWas = indexes.size;
  const {index} = call.command;
  if (index === '*') {
    for (const name of [...indexes.keys()]) if (name !== '_id_') indexes.delete(name);
    return {nIndexesWas, msg: 'non-_id indexes dropped for collection', ok: 1};
  }
  for (const wanted of Array.isArray(index) ? index : [index]) {
    const [found, ...more] = [...indexes.values()].filter(({name, key}) =>
      isDocument(wanted) ? equal(Object.entries(key), Object.entries(wanted)) : name === wanted,
    );
    if (more.length > 0)
      throw failed('AmbiguousIndexKeyPattern', `${more.length + 1} indexes found, identify by name instead`);
    if (!found) throw failed('IndexNotFound', `index not found with name [${String(wanted)}]`);
    if (found.name === '_id_') throw failed('InvalidOptions', 'cannot drop _id index');
    indexes.delete(found.name);
  }
  return {nIndexesWas, ok: 1};
};
