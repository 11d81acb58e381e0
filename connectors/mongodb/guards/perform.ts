/** Carries a step's commands out: short ones behind a short wait for locks, long ones for as long as they take. */
import {setTimeout as wait} from 'node:timers/promises';
import {type Document, MongoServerError} from 'mongodb';
import {SesstuiError} from '../../../source/errors.js';
import type {Access} from '../client.js';
import {codeOf, mapError} from '../errors.js';
import {signalOf} from './seen.js';
import type {Command, Task} from './task.js';

export type Watcher = {signal?: AbortSignal; onProgress?: (text: string) => void};

/** A command that waits for its lock holds up everybody who comes after it. */
const lockLimitMs = 2000;
const mostTries = 8;
const mostTriesOfLong = 40;
const progressEveryMs = 1000;

/** Lock timeouts, busy locks, write conflicts, builds that are under way: what is worth another try. */
const worthAnotherTry = [24, 46, 50, 112, 117, 262, 12587];
const outOfTime = 50;
const duplicateKey = 11000;
const cannotConvert = 359;

/** FerretDB passes on what SQLite said, under a code that says nothing. */
export const isDuplicates = (error: unknown): boolean =>
  [duplicateKey, cannotConvert].includes(codeOf(error)) ||
  (error instanceof MongoServerError &&
    codeOf(error) === 1 &&
    /UNIQUE constraint failed/.test(error.message));

/**
 * FerretDB asks SQLite through several connections. One that has not heard yet that another has dropped an index says
 * that it is there already; the next one it asks, or the same a moment later, knows.
 */
const isStaleSchema = (error: unknown): boolean =>
  error instanceof MongoServerError &&
  codeOf(error) === 1 &&
  /SQL logic error: index \S+ already exists/.test(error.message);

const tableOf = ({document}: Command): string => String(Object.values(document)[0]);

const pause = (attempt: number, signal?: AbortSignal): Promise<unknown> =>
  wait(Math.min(4000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2), undefined, {signal});

/** `building the index: 41 %`, from what currentOp tells of it; null where it tells nothing. */
export const progressOf = (operations: Document[], namespace: string): string | null => {
  const found = operations.find(
    ({ns, command, msg, progress}) =>
      (ns === namespace || command?.createIndexes === namespace.slice(namespace.indexOf('.') + 1)) &&
      typeof msg === 'string' &&
      msg.startsWith('Index Build') &&
      Number(progress?.total) > 0,
  );
  if (!found) return null;
  const share = Math.floor((100 * Number(found.progress.done)) / Number(found.progress.total));
  return `building the index: ${Math.min(100, share)} %`;
};

/** Tells now and then how far a build has come, where this user may know; ends when `ended` does. */
const follow = async (access: Access, table: string, {onProgress}: Watcher, ended: AbortSignal) => {
  const {db, limit} = access;
  const question = {currentOp: 1, $all: false, ...limit};
  for (;;) {
    await wait(progressEveryMs, undefined, {signal: ended, ref: false});
    const {inprog} = await db.client.db('admin').command(question, {signal: ended});
    const text = progressOf(inprog as Document[], `${db.databaseName}.${table}`);
    if (text) onProgress?.(text);
  }
};

/** The last try of those that run out of time is for two minutes: a transaction lasts for one, unless that was changed. */
const mostExpired = 7;

/**
 * While a command waits for somebody's transaction to end, everybody waits for it. One that also holds its lock for long
 * lets them through after 2 s, and then tries for 4 s, for 8 s, ….
 */
const limitOf = ({lengthening}: Command, expired: number): {maxTimeMS?: number} =>
  lengthening ? {maxTimeMS: lockLimitMs * 2 ** expired} : {};

const long = async (access: Access, command: Command, watcher: Watcher, expired: number): Promise<void> => {
  const ended = new AbortController();
  const table = tableOf(command);
  // Whoever may not look goes without.
  const following = follow(access, table, watcher, ended.signal).catch(() => {});
  try {
    const document = {...command.document, ...limitOf(command, expired)};
    await access.db.command(document, {...signalOf(access), socketTimeoutMS: 0} as object);
  } finally {
    ended.abort();
    await following;
  }
};

const short = async (access: Access, {document}: Command): Promise<void> => {
  const maxTimeMS = Math.min(lockLimitMs, access.limit.maxTimeMS);
  await access.db.command({...document, maxTimeMS}, signalOf(access));
};

/** Another build on the collection is waited for before a long command, too: for about two minutes. */
const patiently = async (access: Access, command: Command, watcher: Watcher): Promise<void> => {
  const most = command.long ? mostTriesOfLong : mostTries;
  let expired = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      await (command.long ? long(access, command, watcher, expired) : short(access, command));
      return;
    } catch (error) {
      const isWorthIt = worthAnotherTry.includes(codeOf(error)) || isStaleSchema(error);
      if (!isWorthIt || access.signal?.aborted) throw error;
      if (codeOf(error) === outOfTime && command.lengthening) expired++;
      if (attempt === most || expired === mostExpired)
        throw new SesstuiError(
          'timeout',
          `MongoDB: the lock on ${tableOf(command)} was not to be had in ${attempt} tries.`,
          'Long transactions or other changes of the collection hold it. Try again later: it goes on from here.',
        );
      watcher.onProgress?.(`waiting for a lock on ${tableOf(command)} (try ${attempt + 1})`);
      await pause(attempt, access.signal);
    }
  }
};

const one = async (access: Access, command: Command, watcher: Watcher): Promise<void> => {
  try {
    await patiently(access, command, watcher);
  } catch (error) {
    if (!command.done?.includes(codeOf(error))) throw error;
  }
};

/**
 * Throws `timeout` when a lock was not to be had, `refused` where the user may not, and what else the server says.
 * `again`: duplicates were in the way; what was taken away for the step is back.
 */
export const carryOut = async (access: Access, task: Task, watcher: Watcher): Promise<'done' | 'again'> => {
  if (task.blocked) return 'again';
  if (task.skipped) return 'done';
  try {
    for (const command of task.commands) await one(access, command, watcher);
    return 'done';
  } catch (error) {
    const {signal: _, ...outside} = access;
    // Whatever ended the step, an index that it took away for another one comes back.
    for (const command of task.back ?? []) await one(outside, command, watcher);
    if (isDuplicates(error)) return 'again';
    throw mapError(error, task.text, access.signal);
  }
};
