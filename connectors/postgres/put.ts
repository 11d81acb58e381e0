/**
 * A row that is to be there once (connector.ts: Put), in one transaction: callers with the same lock wait for each
 * other, the rows are looked for and locked, and one of them is updated or a new one made. A writer that knows
 * nothing of the lock may make the row meanwhile: where a guard of the database refuses ours then, it is looked for
 * again.
 */
import {createHash} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';
import pg from 'pg';
import type {Kept, NewValue, Put, Row} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {isNothing} from '../../source/forms.js';
import {commit, settled} from './apply.js';
import {assignmentsOf} from './assignments.js';
import {updateRows, type Workspace} from './batches.js';
import type {Table} from './catalogue.js';
import {interrupted, isRetriable} from './errors.js';
import {lockGroup} from './groups-lock.js';
import {explained} from './put-errors.js';
import {asSet, insertRow, setBeside} from './put-rows.js';
import type {Run, Session} from './session.js';

export type PutJob = {
  session: Session;
  store: string;
  options: {decideKeeper: (rule: Put['keep'], rows: Row[]) => number; signal?: AbortSignal};
  /** What a transaction knows of tables and of the server. */
  prepare: (run: Run) => Promise<Omit<Workspace, 'run'>>;
};

const attempts = 5;

/** A number for `pg_advisory_xact_lock`, the same in every process: 64 bits of a hash of the table and the text. */
const lockNumber = (table: Table, lock: string): string =>
  createHash('sha256').update(`${table.sql}\0${lock}`).digest().readBigInt64BE().toString();

/** In one order for everybody, so that two puts wait for each other instead of deadlocking. */
const takeLocks = async (request: Put, {tables, run}: Workspace): Promise<void> => {
  const own = isNothing(request.where) ? [] : [lockNumber(tables(request.table), request.lock)];
  const beside = (request.also ?? []).map(({table, key}) =>
    lockNumber(tables(table), JSON.stringify(assignmentsOf(tables(table), asSet(key)).map(({text}) => text))),
  );
  for (const number of [...new Set([...own, ...beside])].sort())
    await run({text: 'select pg_advisory_xact_lock($1::int8)', values: [number]});
};

const refuseKeys = ({update}: Put, table: Table): void => {
  const column = table.key.find(({name}) => update && Object.hasOwn(update, name));
  if (column)
    throw new SesstuiError(
      'usage',
      `"${column.name}" is of the key of ${table.name}, which no update changes`,
      'Leave it out of what is updated.',
    );
};

/** The row as it is then; null when somebody changed or removed it before it was locked. */
const updateRow = async (
  found: Row,
  set: Record<string, NewValue>,
  workspace: Workspace,
): Promise<Row | null> => {
  const {table, identity} = found;
  const change = {op: 'update' as const, table, identity, version: found.version!, image: found.image!, set};
  const outcome = (await updateRows([{index: 0, change}], workspace)).get(0)!;
  if (outcome.result === 'applied') return {table, tags: [], ...outcome.after!};
  if (outcome.result === 'skipped' && outcome.why !== 'protected') return null;
  throw new SesstuiError(
    'protected',
    `the row of ${table} was not changed: ${'error' in outcome ? outcome.error : 'a trigger of the table kept it'}`,
    'Look at the triggers of the table.',
  );
};

/**
 * How often rows are looked for in a transaction. A row that another client makes between the locking and the reading
 * is read without having been locked, and may be gone again; the next look locks what there is by then.
 */
const looks = 10;

const putRow = async (
  request: Put,
  workspace: Workspace,
  {decideKeeper}: PutJob['options'],
): Promise<Kept> => {
  const {table, where, keep, create, update} = request;
  for (let look = 1; look <= looks; look++) {
    const rows = isNothing(request.where) ? [] : await lockGroup(table, where, workspace);
    const found = rows[rows.length > 1 ? decideKeeper(keep, rows) : 0];
    if (!found && rows.length > 0)
      throw new SesstuiError(
        'usage',
        `${rows.length} rows of ${table} are the one that was asked for, and none was chosen`,
        'Give a rule that chooses one.',
      );
    if (!found) return {result: 'created', row: await insertRow(create, table, workspace)};
    if (!update || Object.keys(update).length === 0) return {result: 'kept', row: found};
    const row = await updateRow(found, update, workspace);
    if (row) return {result: 'updated', row};
  }
  throw new SesstuiError('timeout', `Others keep changing the same row of ${table}.`, 'Try again later.');
};

/** One transaction; undefined when it is certain that it was rolled back though nothing in it had failed. */
const oneTransaction = async (request: Put, job: PutJob): Promise<Kept | undefined> => {
  let kept: Kept | undefined;
  let ending: Awaited<ReturnType<typeof commit>> | undefined;
  const work = job.session.withClient(async client => {
    const run = await job.session.beginWrite(client);
    const workspace: Workspace = {...(await job.prepare(run)), run};
    refuseKeys(request, workspace.tables(request.table));
    await takeLocks(request, workspace);
    kept = await putRow(request, workspace, job.options);
    for (const beside of request.also ?? []) await setBeside(beside, workspace);
    const [row] = await run({text: 'select pg_current_xact_id_if_assigned()::text', values: []});
    ending = await commit(client, row?.[0] ?? null);
    if (ending.kind !== 'committed') throw ending.error;
  }, job.options.signal);
  try {
    await work;
  } catch (error) {
    if (ending?.kind !== 'lost') throw error;
    // Nobody heard the answer to COMMIT: the server knows what became of it.
    const status = ending.transaction === null ? null : await settled(ending.transaction, job.session);
    if (status === 'aborted') return undefined;
    if (status !== 'committed') throw error;
  }
  return kept;
};

/** Somebody else was in the way: a lock, a deadlock, or a row that a guard found there. */
const mayPass = (error: unknown): boolean => {
  const cause = error instanceof SesstuiError ? error.cause : error;
  return isRetriable(cause) || isTaken(cause);
};

const isTaken = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === '23505' || error.code === '23P01');

/**
 * Makes or updates the row. Throws as the server does (`explained`) with nothing written, or `unreachable` when
 * the connection was lost and nobody can say what was; to repeat it is harmless then.
 */
export const putOnce = async (request: Put, job: PutJob): Promise<Kept> => {
  for (let attempt = 1; ; attempt++) {
    try {
      const kept = await oneTransaction(request, job);
      if (kept) return kept;
      if (attempt === attempts)
        throw new SesstuiError('unreachable', `The connection to ${job.store} was lost.`, 'Try again later.');
    } catch (error) {
      if (attempt === attempts || !mayPass(error)) throw explained(error, job.store);
    }
    await pause(15 * 2 ** attempt * (0.5 + Math.random()));
    if (job.options.signal?.aborted) throw interrupted();
  }
};
