/** Carries a step's commands out: short ones behind a short wait for locks, long ones for as long as they take. */
import {setTimeout as wait} from 'node:timers/promises';
import {type Document, MongoError, MongoServerError} from 'mongodb';
import {SesstuiError} from '../../../source/errors.js';
import type {Access} from '../client.js';
import {codeOf, mapError} from '../errors.js';
import {signalOf} from './seen.js';
import type {Command, Task} from './task.js';

export type Watcher = {signal?: AbortSignal; onProgress?: (text: string) => void};

/** A command that waits for its lock holds up everybody who comes after it. */
const lockLimitMs = 2000;
const mostTries = 8;
const progressEveryMs = 1000;

/** Of commands that end in a moment: lock timeouts, busy locks, write conflicts, builds that are under way: what is worth another try. */
const worthAnotherTry = [24, 46, 50, 112, 117, 262, 12587];
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

/** Of commands that have no time limit: another change of the collection is under way. */
const isBusy = (error: unknown): boolean =>
  [24, 46, 112, 117, 12587].includes(codeOf(error)) || isStaleSchema(error);

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

/** Tries again what is worth it, with growing pauses; throws `timeout` when it never came to pass. */
const patiently = async (
  access: Access,
  command: Command,
  watcher: Watcher,
  isWorthIt: (error: unknown) => boolean,
  send: (attempt: number) => Promise<unknown>,
): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await send(attempt);
      return;
    } catch (error) {
      if (!isWorthIt(error) || access.signal?.aborted) throw error;
      if (attempt === mostTries)
        throw new SesstuiError(
          'timeout',
          `MongoDB: the lock on ${tableOf(command)} was not to be had in ${mostTries} tries.`,
          'Long transactions or other changes of the collection hold it. Try again later: it goes on from here.',
        );
      watcher.onProgress?.(`waiting for a lock on ${tableOf(command)} (try ${attempt + 1})`);
      await pause(attempt, access.signal);
    }
  }
};

const long = async (access: Access, command: Command, watcher: Watcher): Promise<void> => {
  const ended = new AbortController();
  const table = tableOf(command);
  // Whoever may not look goes without.
  const following = follow(access, table, watcher, ended.signal).catch(() => {});
  const send = () => access.db.command(command.document, {...signalOf(access), socketTimeoutMS: 0} as object);
  try {
    await patiently(access, command, watcher, isBusy, send);
  } finally {
    ended.abort();
    await following;
  }
};

const short = (access: Access, command: Command, watcher: Watcher): Promise<void> => {
  const maxTimeMS = Math.min(lockLimitMs, access.limit.maxTimeMS);
  return patiently(
    access,
    command,
    watcher,
    error => worthAnotherTry.includes(codeOf(error)),
    () => access.db.command({...command.document, maxTimeMS}, signalOf(access)),
  );
};

/**
 * While it waits for somebody's transaction to end, everybody waits for it: after 2 s it lets them through, and tries
 * for 4 s, for 8 s, …; the last time for as long as it takes.
 */
const lengthening = (access: Access, command: Command, watcher: Watcher): Promise<void> =>
  patiently(
    access,
    command,
    watcher,
    error => worthAnotherTry.includes(codeOf(error)),
    attempt => {
      const limit = attempt === mostTries ? {} : {maxTimeMS: lockLimitMs * 2 ** (attempt - 1)};
      const options = {...signalOf(access), socketTimeoutMS: 0} as object;
      return access.db.command({...command.document, ...limit}, options);
    },
  );

const wayOf = ({long: isLong, lengthening: isLengthening}: Command) =>
  isLengthening ? lengthening : isLong ? long : short;

const one = async (access: Access, command: Command, watcher: Watcher): Promise<void> => {
  try {
    await wayOf(command)(access, command, watcher);
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
    if (error instanceof MongoError || access.signal?.aborted)
      for (const command of task.back ?? []) await one(outside, command, watcher);
    if (isDuplicates(error)) return 'again';
    throw mapError(error, task.text, access.signal);
  }
};
