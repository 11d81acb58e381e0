import {ObjectId} from 'bson';
import type {Collection, Row} from './mongodb-collection.js';
import type {Call} from './mongodb-commands.js';
import {failed, MongodbFailure} from './mongodb-errors.js';
import {setPath} from './mongodb-paths.js';
import {compileProjection} from './mongodb-projection.js';
import {document} from './mongodb-read.js';
import {RawDocument} from './mongodb-reply.js';
import {sorted} from './mongodb-sort.js';
import {compileUpdate, type Update} from './mongodb-update.js';
import {type Doc, decode, encode, isDocument} from './mongodb-values.js';

/** Carries operations out one by one; one that fails is listed, and ends the rest where they are ordered. */
const each = <T>(operations: T[], ordered: boolean, run: (operation: T, index: number) => void): Doc[] => {
  const errors: Doc[] = [];
  for (const [index, operation] of operations.entries()) {
    try {
      run(operation, index);
    } catch (error) {
      if (!(error instanceof MongodbFailure)) throw error;
      errors.push(error.writeError(index));
      if (ordered) break;
    }
  }
  return errors;
};

const withErrors = (reply: Doc, writeErrors: Doc[]): Doc =>
  writeErrors.length === 0 ? {...reply, ok: 1} : {...reply, writeErrors, ok: 1};

const bypasses = (command: Doc): boolean => command.bypassDocumentValidation === true;

/** The operations of a command, whether they came inside it or beside it. */
const operationsOf = ({command, sequences}: Call, name: string): Doc[] =>
  sequences.get(name)?.map(decode) ?? (command[name] as Doc[]) ?? [];

export const insert = (call: Call): Doc => {
  const {databases, database, name, command, sequences} = call;
  const documents = sequences.get('documents') ?? (command.documents as Doc[]).map(encode);
  const collection = databases.ensure(database, name);
  let n = 0;
  const errors = each(documents, command.ordered !== false, bytes => {
    collection.insert(bytes, bypasses(command));
    n++;
  });
  return withErrors({n}, errors);
};

export const remove = (call: Call): Doc => {
  const {databases, database, name, command} = call;
  const collection = databases.find(database, name);
  let n = 0;
  const errors = each(operationsOf(call, 'deletes'), command.ordered !== false, ({q, limit}) => {
    const rows = collection?.find(document(q, 'q'), document(command.let, 'let')) ?? [];
    for (const row of Number(limit) === 0 ? rows : rows.slice(0, 1)) {
      collection!.delete(row);
      n++;
    }
  });
  return withErrors({n}, errors);
};

export const update = (call: Call): Doc => {
  const {databases, database, name, command} = call;
  // Only an upsert makes a collection.
  const counts = {n: 0, nModified: 0};
  const upserted: Doc[] = [];
  const errors = each(operationsOf(call, 'updates'), command.ordered !== false, (operation, index) => {
    const {q, u, multi, upsert, sort} = operation;
    refuse(operation);
    const {apply, isReplacement} = compileUpdate(u);
    if (isReplacement && multi === true)
      throw failed('FailedToParse', 'multi update is not supported for replacement-style update');
    const filter = document(q, 'q');
    const found = sorted(
      databases.rows(database, name, filter, document(command.let, 'let')),
      document(sort, 'sort'),
      row => row.doc,
    );
    for (const row of multi === true ? found : found.slice(0, 1)) {
      const after = databases.ensure(database, name).replace(row, apply(row.doc, false), bypasses(command));
      counts.n++;
      if (after) counts.nModified++;
    }
    if (found.length === 0 && upsert === true) {
      const row = insertFor(
        databases.ensure(database, name),
        filter,
        apply,
        isReplacement,
        bypasses(command),
      );
      counts.n++;
      upserted.push({index, _id: row.doc._id});
    }
  });
  return withErrors(upserted.length === 0 ? counts : {...counts, upserted}, errors);
};

const refuse = ({arrayFilters, collation}: Doc): void => {
  if (Array.isArray(arrayFilters) && arrayFilters.length > 0)
    throw failed('BadValue', 'arrayFilters are not supported');
  if (isDocument(collation) && collation.locale !== 'simple')
    throw failed('BadValue', 'collations are not supported');
};

/** An upsert's document: what the filter says by equality, and then the update. */
const insertFor = (
  collection: Collection,
  filter: Doc,
  apply: Update,
  isReplacement: boolean,
  bypass: boolean,
): Row => {
  const seed: Doc = {};
  seedFrom(filter, seed, isReplacement);
  const doc = apply(seed, true);
  return collection.insert(encode({_id: doc._id ?? new ObjectId(), ...doc}), bypass);
};

const seedFrom = (filter: Doc, seed: Doc, onlyId: boolean): void => {
  for (const [path, condition] of Object.entries(filter)) {
    if (path === '$and') for (const part of condition as Doc[]) seedFrom(part, seed, onlyId);
    if (path.startsWith('$') || (onlyId && path !== '_id')) continue;
    const operators = isDocument(condition) && Object.keys(condition)[0]?.startsWith('$');
    if (!operators) setPath(seed, path, condition);
    else if ('$eq' in condition) setPath(seed, path, condition.$eq);
  }
};

export const findAndModify = ({databases, database, name, command}: Call): Doc => {
  refuse(command);
  const filter = document(command.query, 'query');
  const rows = databases.rows(database, name, filter, document(command.let, 'let'));
  const [row] = sorted(rows, document(command.sort, 'sort'), found => found.doc);
  const spec = document(command.fields, 'fields');
  const value = (shown: Row | undefined) => {
    if (!shown) return null;
    return new RawDocument(
      Object.keys(spec).length === 0 ? shown.bytes : encode(compileProjection(spec)(shown.doc)),
    );
  };
  if (command.remove === true) {
    if (row) databases.ensure(database, name).delete(row);
    return {lastErrorObject: {n: row ? 1 : 0}, value: value(row), ok: 1};
  }
  const {apply, isReplacement} = compileUpdate(command.update);
  if (row) {
    const collection = databases.ensure(database, name);
    const after = collection.replace(row, apply(row.doc, false), bypasses(command)) || row;
    return {
      lastErrorObject: {n: 1, updatedExisting: true},
      value: value(command.new === true ? after : row),
      ok: 1,
    };
  }
  if (command.upsert !== true) return {lastErrorObject: {n: 0, updatedExisting: false}, value: null, ok: 1};
  const collection = databases.ensure(database, name);
  const inserted = insertFor(collection, filter, apply, isReplacement, bypasses(command));
  return {
    lastErrorObject: {n: 1, updatedExisting: false, upserted: inserted.doc._id},
    value: command.new === true ? value(inserted) : null,
    ok: 1,
  };
};
