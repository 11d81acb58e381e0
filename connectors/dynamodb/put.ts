/** Puts a row that is to be there once: updated where its key is there, made where it is not, never overwritten. */
import type {Connector, Kept, Put, Row} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {type Environment, holds} from '../../source/evaluate.js';
import {isNothing, partnersOf} from '../../source/forms.js';
import {type Item, neutralItem} from './attributes.js';
import {fullRow} from './candidates.js';
import {isInvalid} from './errors.js';
import type {Operation} from './operations.js';
import {getInOrder} from './pages.js';
import {pause} from './pause.js';
import {
  besides,
  creation,
  keyOfCreate,
  keyOfValues,
  presence,
  refuseKeyUpdates,
  updating,
} from './put-writes.js';
import {type Store, serverNow} from './store.js';
import type {TableInfo} from './tables.js';
import {type Answer, transact, writeOne} from './write.js';

/** Rounds in which the row came, went or changed between the look and the write; each begins with a new look. */
const mostRounds = 20;

type Besides = {info: TableInfo; key: Item; also: NonNullable<Put['also']>[number]};
type Job = {store: Store; request: Put; info: TableInfo; key: Item; others: Besides[]; signal?: AbortSignal};

const rowOf = (item: Item, info: TableInfo): Row => ({...fullRow(item, info), tags: []});

const readOne = async ({store, signal}: Job, info: TableInfo, key: Item): Promise<Item | undefined> =>
  (await getInOrder(store.client, info, [key], signal))[0];

/** The row has the key but is another one than the caller means, as a unique constraint would say. */
const taken = (info: TableInfo): SesstuiError =>
  new SesstuiError(
    'refused',
    `There is a row of ${info.table} with this key already, and it is not the one that is meant.`,
    'Nothing was written. Look at the row, or use another key.',
  );

const isMeant = ({where}: Put, item: Item, now: number): boolean => {
  const env: Environment = {now, hasPartner: () => false};
  return holds(where, neutralItem(item), env);
};

/** Writes it all: one operation alone, several in a transaction. */
const write = async (job: Job, own: Operation | null, before: Item | undefined, now: number) => {
  const wanted = await Promise.all(
    job.others.map(async ({info, key, also}) => besides(info, key, await readOne(job, info, key), also, now)),
  );
  const others = wanted.filter(operation => operation !== null);
  if (others.length === 0) return own ? writeOne(job.store, own) : null;
  // A transaction takes no update that sets nothing.
  const leaves = own === null || (own.kind === 'Update' && !own.input.UpdateExpression);
  if (!leaves) return transact(job.store, [own, ...others], []);
  return transact(job.store, others, [presence(job.info, job.key, before!, job.request.where)]);
};

/** Throws unless everything was written. */
const requireDone = (answer: Exclude<Answer, {kind: 'conditions'}>): void => {
  if (answer.kind === 'done') return;
  const {error} = answer;
  if (answer.kind === 'failed' && isInvalid(error.cause))
    throw new SesstuiError(
      'usage',
      error.message,
      'Nothing was written. Look at what was given for the row.',
    );
  if (answer.kind === 'failed') throw error;
  if (answer.states.every(state => state === 'applied')) return;
  const hint = `Whether it was written is not known. Calling again is harmless. ${error.hint}`.trim();
  throw new SesstuiError(error.code, error.message, hint, error);
};

/** One look and one write; null when the row was no longer what the look saw. */
const round = async (job: Job): Promise<Kept | null> => {
  const {store, request, info, key} = job;
  const before = await readOne(job, info, key);
  const now = store.client.seen.micros ?? (await serverNow(store, job.signal));
  if (before && (isNothing(request.where) || !isMeant(request, before, now))) throw taken(info);
  const {where} = request;
  const update = request.update && Object.keys(request.update).length > 0 ? request.update : null;
  const own = !before
    ? creation(info, request.create, now)
    : update && updating(info, key, before, {where, update}, now);
  const answer = await write(job, own, before, now);
  if (answer === null) return {result: 'kept', row: rowOf(before!, info)};
  if (answer.kind === 'conditions') return null;
  requireDone(answer);
  const alone = job.others.length === 0 && answer.kind === 'done' ? answer.items[0] : undefined;
  const after = alone ?? (await readOne(job, info, key)) ?? own?.after ?? before!;
  return {result: before ? (update ? 'updated' : 'kept') : 'created', row: rowOf(after, info)};
};

const jobOf = async (store: Store, request: Put, signal?: AbortSignal): Promise<Job> => {
  if (partnersOf(request.where).length > 0)
    throw new SesstuiError(
      'unsupported',
      'DynamoDB can not make a write conditional on rows of other tables.',
    );
  const info = await store.tables.known(request.table, signal);
  refuseKeyUpdates(info, request.update);
  const others = await Promise.all(
    (request.also ?? []).map(async also => {
      const other = await store.tables.known(also.table, signal);
      return {info: other, also, key: keyOfValues(other, name => also.key[name])};
    }),
  );
  return {store, request, info, key: keyOfCreate(info, request.create), others, signal};
};

/**
 * See `Connector.put`. The row is found by its key, so `lock` and `keep` have nothing to do. Every write is
 * conditional on what a consistent read saw: an update on the row being there, a new row on its key being free.
 * Throws `refused` when the key is taken by a row that `where` does not hold for.
 */
export const putRow = async (
  store: Store,
  request: Put,
  {signal}: Pick<Parameters<Connector['put']>[1], 'signal'>,
): Promise<Kept> => {
  const job = await jobOf(store, request, signal);
  for (let attempt = 0; attempt < mostRounds; attempt++) {
    if (signal?.aborted) throw new SesstuiError('interrupted', 'Interrupted before the row was written.');
    if (attempt > 0) await pause(attempt - 1, signal);
    const kept = await round(job);
    if (kept) return kept;
  }
  throw new SesstuiError(
    'throttled',
    `The row of ${request.table} kept changing while it was to be written.`,
    'Nothing was written. Try again later.',
  );
};
