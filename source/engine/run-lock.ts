/**
 * One process at a time carries a run out, finishes it or takes it back. The holder's process id stands beside the
 * lock, so that the lock of one that was killed here need not grow old before a run can be resumed.
 */
import {rmdir, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {check, lock} from 'proper-lockfile';
import {SesstuiError} from '../errors.js';
import {runDirectory} from './run-files.js';
import {fsFault, readJsonLines, removeFile, runsDirectory} from './state-files.js';

/** A holder that gives no sign for so long is taken to be gone, wherever it runs. */
const stale = 30_000;

type Owner = {pid: number; host: string};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

export type HeldRun = {
  /** Aborts when the lock was lost: this process was stopped for so long that another one may have taken it. */
  lost: AbortSignal;
  release: () => Promise<void>;
};

const heldBy = (run: string, owner: Owner | undefined): SesstuiError => {
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process';
  return new SesstuiError(
    'usage',
    `run ${run} is being carried out or taken back by ${who}`,
    'Wait until it has ended; `sesstui history` shows what was done.',
  );
};

/** Is it this machine's, and no process any more? */
const isDead = (owner: Owner | undefined): boolean =>
  owner !== undefined && owner.host === hostname() && owner.pid !== process.pid && !isAlive(owner.pid);

const self = (): Owner => ({pid: process.pid, host: hostname()});

const ownerPathOf = (directory: string): string => join(directory, 'owner.json');

const readOwner = async (directory: string): Promise<Owner | undefined> =>
  (await readJsonLines<Owner>(ownerPathOf(directory)))[0];

const isLocked = (directory: string): Promise<boolean> =>
  check(directory, {lockfilePath: join(directory, 'lock'), stale}).catch(() => false);

/** The lock first: an owner without a lock is nothing. */
const letGo = async (directory: string, release: () => Promise<void>): Promise<void> => {
  await release().catch(() => undefined);
  const owner = await readOwner(directory).catch(() => undefined);
  if (owner?.pid === process.pid && owner.host === hostname() && !(await isLocked(directory)))
    await removeFile(ownerPathOf(directory)).catch(() => undefined);
};

/** Throws `usage` where a process holds the run now. */
export const requireFree = async (stateDirectory: string, run: string): Promise<void> => {
  const directory = runDirectory(stateDirectory, run);
  const owner = await readOwner(directory);
  if (!isDead(owner) && (await isLocked(directory))) throw heldBy(run, owner);
};

/** Throws `usage` where another process holds the run. */
export const holdRun = async (stateDirectory: string, run: string): Promise<HeldRun> => {
  const directory = runDirectory(stateDirectory, run);
  const lockfilePath = join(directory, 'lock');
  const ownerPath = ownerPathOf(directory);
  // Nobody else looks at owners and removes locks meanwhile.
  const runs = runsDirectory(stateDirectory);
  const releaseAll = await lock(runs, {
    lockfilePath: join(runs, 'lock'),
    retries: {retries: 100, minTimeout: 10, maxTimeout: 200},
    stale: 10_000,
    onCompromised: () => undefined,
  }).catch(error => {
    throw fsFault(error, join(runs, 'lock'), 'locked');
  });
  try {
    const owner = await readOwner(directory);
    if (isDead(owner)) await rmdir(lockfilePath).catch(() => undefined);
    if (await isLocked(directory)) throw heldBy(run, owner);
    // Before the lock: there is none without its owner.
    await writeFile(ownerPath, `${JSON.stringify(self())}\n`, {mode: 0o600}).catch(error => {
      throw fsFault(error, ownerPath, 'written');
    });
    const lost = new AbortController();
    const release = await lock(directory, {lockfilePath, stale, onCompromised: () => lost.abort()}).catch(
      error => {
        throw fsFault(error, lockfilePath, 'locked');
      },
    );
    return {lost: lost.signal, release: () => letGo(directory, release)};
  } finally {
    await releaseAll().catch(() => undefined);
  }
};
