/** One write: made only if the document is as planned, proved by what the server returns, settled by reading. */
import type {Document} from 'mongodb';
import type {After} from '../../source/connector.js';
import type {Access} from './client.js';
import {bytesOf, type Fields, fieldsOf, sameBytes} from './document.js';
import {isAmbiguous, isDuplicateKey, mapError} from './errors.js';
import {fullRowOf} from './row.js';
import {stateFilter} from './state.js';
import {idOf, isResultOf, sameFields, type Write, withoutUpdate} from './writes.js';

/**
 * `missed`: no document was as planned; nothing was written. `exists`: the key is taken. `changed`: the document
 * turned out to be another one, and has been put back. `lost`: it could not be put back.
 */
export type Made =
  | {result: 'made'; after: After}
  | {result: 'missed' | 'exists' | 'changed'}
  | {result: 'lost'; error: string};

const afterOf = (table: string, bytes: Uint8Array): After => {
  const {identity, version, image, values} = fullRowOf(table, bytes);
  return {identity, version, image, values};
};

const optionsOf = ({limit, session}: Access) => ({...limit, ...(session ? {session} : {})});
/** With `raw` the document in the reply comes as its bytes. */
const rawOptions = (access: Access) => ({...optionsOf(access), raw: true});
const bytesOrNull = (document: Document | null | undefined): Uint8Array | null =>
  document ? (document as unknown as Uint8Array) : null;

/** The driver writes a Map as a document, in its order. */
const asDocument = (fields: Fields): Document => fields as unknown as Document;

const insert = async (access: Access, table: string, fields: Fields): Promise<boolean> => {
  try {
    await access.db
      .collection(table)
      .insertOne(asDocument(fields), {...optionsOf(access), forceServerObjectId: true});
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
};

/** Puts `wanted` where `held` is; false when something else is there by now. */
const replace = async (access: Access, table: string, held: Fields, wanted: Fields): Promise<boolean> => {
  const was = await access.db
    .collection(table)
    .findOneAndReplace(stateFilter(held, [], wanted), asDocument(wanted), {
      ...rawOptions(access),
      returnDocument: 'before',
    });
  return was !== null;
};

const putBack = async (undone: Promise<boolean>): Promise<Made> =>
  (await undone)
    ? {result: 'changed'}
    : {
        result: 'lost',
        error:
          'The document was changed by someone else at the same moment, and again before it could be put back.',
      };

/**
 * Makes one write. Its filter is the exact state that was planned for, as far as the match language goes; what
 * it can't say (a field that came besides, another order) shows in the document that the server returns, and
 * then the write is taken back. In a transaction that can't happen: it would have conflicted.
 */
export const make = async (access: Access, table: string, write: Write): Promise<Made> => {
  const collection = access.db.collection(table);
  if (write.kind === 'insert')
    return (await insert(access, table, write.after))
      ? {result: 'made', after: afterOf(table, bytesOf(write.after))}
      : {result: 'exists'};
  if (write.kind === 'update') {
    const absent = write.touched.filter(name => !write.before.has(name));
    const found = bytesOrNull(
      await collection.findOneAndUpdate(stateFilter(write.before, absent), write.update, {
        ...rawOptions(access),
        returnDocument: 'after',
      }),
    );
    if (!found) return {result: 'missed'};
    const fields = fieldsOf(found);
    if (isResultOf(write, fields)) return {result: 'made', after: afterOf(table, found)};
    return putBack(replace(access, table, fields, withoutUpdate(write, fields)));
  }
  const filter = stateFilter(write.before, [], write.kind === 'replace' ? write.after : undefined);
  const was = bytesOrNull(
    write.kind === 'delete'
      ? await collection.findOneAndDelete(filter, rawOptions(access))
      : await collection.findOneAndReplace(filter, asDocument(write.after), {
          ...rawOptions(access),
          returnDocument: 'before',
        }),
  );
  if (!was) return {result: 'missed'};
  const asPlanned = sameBytes(was, bytesOf(write.before));
  if (write.kind === 'delete')
    return asPlanned ? {result: 'made', after: null} : putBack(insert(access, table, fieldsOf(was)));
  return asPlanned
    ? {result: 'made', after: afterOf(table, bytesOf(write.after))}
    : putBack(replace(access, table, write.after, fieldsOf(was)));
};

/** Takes a write back that was made, if the document is still what it left. */
export const takeBack = async (
  access: Access,
  table: string,
  write: Write,
  after: After,
): Promise<boolean> => {
  if (write.kind === 'delete') return insert(access, table, write.before);
  if (write.kind === 'insert')
    return (
      (await access.db.collection(table).findOneAndDelete(stateFilter(write.after), rawOptions(access))) !==
      null
    );
  const left =
    write.kind === 'replace' || !after
      ? write.after
      : fieldsOf(Buffer.from((after.image as {bson: string}).bson, 'base64'));
  return replace(access, table, left, write.before);
};

/** Of a replica set only what a majority has, and none can take back: or else there is no answer in time. */
const lasting = {readConcern: {level: 'linearizable'}} as const;

const current = async (access: Access, table: string, write: Write): Promise<Uint8Array | null> => {
  const options = {...rawOptions(access), ...(access.info.transactions && lasting)};
  return bytesOrNull(
    await access.db.collection(table).findOne({_id: {$eq: idOf(write)}} as Document, options),
  );
};

export type Settled = {result: 'applied'; after: After} | {result: 'failed' | 'unknown'; error: string};

/** Whether a write that ended with an error has been made: where the error does not say, by reading. */
export const settle = async (
  access: Access,
  table: string,
  write: Write,
  error: unknown,
): Promise<Settled> =>
  isAmbiguous(error)
    ? settleByReading(access, table, write, error)
    : {result: 'failed', error: mapError(error, `writing to ${table}`).message};

/** Whether a write whose answer was lost has been made: by what is there, never by writing again. */
export const settleByReading = async (
  access: Access,
  table: string,
  write: Write,
  error: unknown,
): Promise<Settled> => {
  const text = mapError(error, `writing to ${table}`).message;
  const outside = {...access, session: undefined};
  for (let attempt = 1; attempt <= 3; attempt++) {
    try {
      const found = await current(outside, table, write);
      if (!found) {
        if (write.kind === 'delete') return {result: 'applied', after: null};
        return write.kind === 'insert' ? {result: 'failed', error: text} : {result: 'unknown', error: text};
      }
      const fields = fieldsOf(found);
      if ('after' in write && sameFields(fields, write.after))
        return {result: 'applied', after: afterOf(table, found)};
      const untouched = 'before' in write && sameBytes(found, bytesOf(write.before));
      return {result: untouched ? 'failed' : 'unknown', error: text};
    } catch {
      // Each attempt waits for a server for as long as the driver does; after a few the outcome stays unknown.
    }
  }
  return {result: 'unknown', error: text};
};
