/** Puts a document that is to be there once: updated where it is there, made where it is not, never replaced. */
import {setTimeout as wait} from 'node:timers/promises';
import {EJSON, ObjectId} from 'bson';
import type {Document} from 'mongodb';
import type {Kept, NewValue, Put} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {holds} from '../../source/evaluate.js';
import {attributesOfPred, isNothing, partnersOf} from '../../source/forms.js';
import {settle} from './change.js';
import type {Access} from './client.js';
import {serverNow} from './clock.js';
import {describeCollection, documentsOf} from './collections.js';
import {bytesOf, type Fields, fieldsOf} from './document.js';
import {isDuplicateKey, mapError} from './errors.js';
import {refuseNames, type Target, targetOf} from './put-target.js';
import {type FullRow, fullRowOf} from './row.js';
import {stateFilter} from './state.js';
import {inTurn} from './turns.js';
import {applySets, type Write} from './writes.js';

/** Rounds in which the document came, went or changed between the look and the write. */
const mostRounds = 20;
/** How often an insert may meet a unique index while no document is found: another index than the one meant. */
const mostCollisions = 3;

type Set = Record<string, NewValue>;
type Job = {
  access: Access;
  target: Target;
  table: string;
  where: Put['where'];
  create: Set;
  update: Set | null;
  now: number;
};

const refused = (table: string): SesstuiError =>
  new SesstuiError(
    'refused',
    `MongoDB has a document in ${table} already with a value that has to be unique, and it is not the one that is meant.`,
    'Nothing was written. Look at the unique indexes of the collection, or use another value.',
  );

const optionsOf = ({limit}: Access) => ({...limit, raw: true});

const lookFor = async ({access, table, target}: Job): Promise<FullRow | null> => {
  if (target.filter) for await (const row of documentsOf(access, table, target.filter)) return row;
  return null;
};

const kept = (result: Kept['result'], {bytes: _, ...row}: FullRow): Kept => ({result, row});

/** Whether a write without an answer was made, found out by reading; throws where it was not, or nobody knows. */
const settled = async ({access, table}: Job, write: Write, error: unknown): Promise<void> => {
  const found = await settle(access, table, write, error);
  if (found.result === 'applied') return;
  const mapped = mapError(error, `writing to ${table}`);
  if (found.result === 'failed') throw mapped;
  const hint = `Whether it was written is not known. Calling again is harmless. ${mapped.hint}`.trim();
  throw new SesstuiError(mapped.code, mapped.message, hint);
};

/** What a document may have (https://www.mongodb.com/docs/manual/reference/limits/). */
const mostBytes = 16 * 2 ** 20;

/** The document as it is sent; throws `usage` for what no document can be, before anything is. */
const bytesWithin = (fields: Fields): Uint8Array => {
  let bytes: Uint8Array | undefined;
  try {
    bytes = bytesOf(fields);
  } catch (error) {
    // Its buffer is a little larger than a document may be.
    if (!(error instanceof RangeError))
      throw new SesstuiError('usage', `MongoDB can not hold the document: ${(error as Error).message}`);
  }
  if (bytes && bytes.length <= mostBytes) return bytes;
  throw new SesstuiError(
    'usage',
    'The document is larger than MongoDB takes (16 MiB).',
    'Nothing was written.',
  );
};

/** The new document; null where a unique index has one of its values. */
const make = async (job: Job): Promise<Kept | null> => {
  const {access, table} = job;
  const {after} = applySets(new Map(), job.create, job.now);
  const rest = [...after].filter(([name]) => name !== '_id');
  const fields: Fields = new Map([['_id', after.get('_id') ?? new ObjectId()], ...rest]);
  const bytes = bytesWithin(fields);
  try {
    await access.db
      .collection(table)
      .insertOne(fields as unknown as Document, {...access.limit, forceServerObjectId: true});
  } catch (error) {
    if (isDuplicateKey(error)) return null;
    await settled(job, {kind: 'insert', after: fields}, error);
  }
  return kept('created', fullRowOf(table, bytes));
};

/** The updated document; null where it is gone, or what `where` judges it by has changed since it was read. */
const change = async (job: Job, found: FullRow, update: Set): Promise<Kept | null> => {
  const {access, table} = job;
  const before = fieldsOf(found.bytes);
  const sets = applySets(before, update, job.now);
  const wanted = bytesWithin(sets.after);
  const judged = ['_id', ...attributesOfPred(job.where).map(name => name.split('.')[0]!)];
  const filter = stateFilter(
    new Map([...before].filter(([name]) => judged.includes(name))),
    judged.filter(name => !before.has(name)),
  );
  try {
    const after = await access.db
      .collection(table)
      .findOneAndUpdate(filter, sets.update, {...optionsOf(access), returnDocument: 'after'});
    return after && kept('updated', fullRowOf(table, after as unknown as Uint8Array));
  } catch (error) {
    if (isDuplicateKey(error)) throw refused(table);
    await settled(job, {kind: 'update', before, ...sets}, error);
    return kept('updated', fullRowOf(table, wanted));
  }
};

const pause = (attempt: number, signal?: AbortSignal): Promise<unknown> =>
  wait(Math.min(1000, 5 * 2 ** attempt) * (0.5 + Math.random() / 2), undefined, {signal});

const putAlone = async (job: Job): Promise<Kept> => {
  const {access, table, where, target} = job;
  const update = job.update && Object.keys(job.update).length > 0 ? job.update : null;
  for (let attempt = 0, collisions = 0; attempt < mostRounds; attempt++) {
    if (attempt > 0) await pause(attempt, access.signal);
    const found = await lookFor(job);
    if (found && (isNothing(where) || !holds(where, found.values, {now: job.now, hasPartner: () => false})))
      throw refused(table);
    if (found && !update) return kept('kept', found);
    const done = found ? await change(job, found, update!) : await make(job);
    if (done) return done;
    if (!found && (target.filter === null || ++collisions > mostCollisions)) throw refused(table);
  }
  throw new SesstuiError(
    'throttled',
    `The document of ${table} kept changing while it was to be written.`,
    'Nothing was written. Try again later.',
  );
};

/** On a server whose updates are not atomic at least the puts of this process wait for each other. */
const putOne = (job: Job): Promise<Kept> => {
  const {info} = job.access;
  if (info.atomic || job.target.filter === null) return putAlone(job);
  const name = `${info.id} ${job.table} ${EJSON.stringify(job.target.filter, {relaxed: false})}`;
  return inTurn(name, () => putAlone(job));
};

/** A row besides is put by its key, whatever else it holds. */
const asRequest = ({table, key, set}: NonNullable<Put['also']>[number]) => {
  const values = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, {value}]));
  return {table, where: {all: []}, create: {...values, ...set}, update: set};
};

/**
 * See `Connector.put`. The document is found by its `_id` or by a unique index, so `lock` and `keep` have nothing
 * to do. Rows besides are written after it, one by one and without a transaction: each of the writes can be made
 * again, so that the next put completes what one that was cut off has left. Throws `refused` for a document that
 * a unique index does not let in, and where `where` does not hold for the one that is there. On FerretDB 1.24, whose
 * updates are not atomic, it is right among the callers of one process only.
 */
export const putDocument = async (access: Access, request: Put): Promise<Kept> => {
  if (partnersOf(request.where).length > 0)
    throw new SesstuiError(
      'unsupported',
      'MongoDB can not make a write conditional on documents of other collections.',
    );
  const jobs: Omit<Job, 'now'>[] = [];
  for (const {table, where, create, update} of [request, ...(request.also ?? []).map(asRequest)]) {
    refuseNames(create, update);
    const target = await targetOf({table, where, create}, () => describeCollection(access, table));
    jobs.push({access, target, table, where, create, update});
  }
  const now = await serverNow(access);
  const [own, ...others] = jobs.map(job => ({...job, now}));
  const row = await putOne(own!);
  for (const job of others) await putOne(job);
  return row;
};
