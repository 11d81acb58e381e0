/**
 * One process at a time carries a run out, finishes it or takes it back. The holder stands beside the lock: one that
 * is dead on this machine is out at once, one that lives is never pushed aside, whatever a clock says, and of one
 * elsewhere the lock's heartbeat is watched for a while. Who lost the lock all the same finds out before it writes.
 */
import {randomUUID} from 'node:crypto';
import {readFileSync, readlinkSync} from 'node:fs';
import {rmdir, stat, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {lock} from 'proper-lockfile';
import {SesstuiError} from '../../errors.js';
import {locked} from '../disk/locked.js';
import {runDirectory} from '../disk/run-files.js';
import {fsFault, readJsonLines, removeFile, runsDirectory} from '../disk/state-files.js';

const heartbeatMs = 5000;
/** How long a holder elsewhere is watched for a heartbeat. */
const watchedMs = 12_000;
/** Never by age: see above. */
const never = 10 * 365 * 86_400_000;

/** `boot` and `space`: the machine's start and the process namespace that the number is one of; null where unknown. */
export type Owner = {
  token: string;
  pid: number;
  host: string;
  boot: string | null;
  space: string | null;
  started: string | null;
};

const orNull = (read: () => string): string | null => {
  try {
    return read();
  } catch {
    // Only Linux tells.
    return null;
  }
};

const bootId = (): string | null =>
  orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
const processSpace = (): string | null => orNull(() => readlinkSync('/proc/self/ns/pid'));
/** When a process began, in ticks since the boot: tells a number that was given out again. */
const startOf = (pid: number): string | null =>
  orNull(
    () =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? '',
  );

export const self = (): Owner => ({
  token: randomUUID(),
  pid: process.pid,
  host: hostname(),
  boot: bootId(),
  space: processSpace(),
  started: startOf(process.pid),
});

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

export const lifeOf = (owner: Owner | undefined): 'alive' | 'dead' | 'unknown' => {
  if (!owner || owner.host !== hostname() || owner.boot !== bootId() || owner.space !== processSpace())
    return 'unknown';
  return isRunning(owner.pid) && startOf(owner.pid) === owner.started ? 'alive' : 'dead';
};

export type HeldRun = {
  /** Aborts when the lock was lost. */
  lost: AbortSignal;
  /** Throws `state` when another process has taken the run since. */
  check: () => Promise<void>;
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

const ownerPathOf = (directory: string): string => join(directory, 'owner.json');
const lockPathOf = (directory: string): string => join(directory, 'lock');

/** undefined where there is none, or nobody can read it. */
const readOwner = async (directory: string): Promise<Owner | undefined> =>
  (await readJsonLines<Owner>(ownerPathOf(directory)).catch(() => []))[0];

const lastSign = async (directory: string): Promise<number | null> => {
  try {
    return (await stat(lockPathOf(directory))).mtimeMs;
  } catch {
    return null;
  }
};

/** Throws `usage` where a process of this machine holds the run now. */
export const requireFree = async (stateDirectory: string, run: string): Promise<void> => {
  const directory = runDirectory(stateDirectory, run);
  const owner = await readOwner(directory);
  if (lifeOf(owner) === 'alive' && (await lastSign(directory)) !== null) throw heldBy(run, owner);
};

/** Removes the lock of a holder that is gone; throws `usage` for one that lives. */
const clear = async (directory: string, run: string): Promise<void> => {
  const sign = await lastSign(directory);
  if (sign === null) return;
  const owner = await readOwner(directory);
  const life = lifeOf(owner);
  if (life === 'alive') throw heldBy(run, owner);
  if (life === 'unknown') {
    await pause(watchedMs);
    if ((await lastSign(directory)) !== sign) throw heldBy(run, owner);
  }
  await rmdir(lockPathOf(directory)).catch(() => undefined);
};

const lostRun = (run: string): SesstuiError =>
  new SesstuiError(
    'state',
    `another process has taken over run ${run}`,
    'This one was stopped for so long that it seemed to be gone; `sesstui history` shows what was done.',
  );

/** Throws `usage` where another process holds the run. */
export const holdRun = (stateDirectory: string, run: string): Promise<HeldRun> => {
  // Nobody else looks at owners and removes locks meanwhile.
  const runs = runsDirectory(stateDirectory);
  return locked(join(runs, 'lock'), () => take(runDirectory(stateDirectory, run), run));
};

const take = async (directory: string, run: string): Promise<HeldRun> => {
  await clear(directory, run);
  const owner = self();
  const isOurs = async (): Promise<boolean> => (await readOwner(directory))?.token === owner.token;
  // Before the lock: there is none without its owner.
  await writeFile(ownerPathOf(directory), `${JSON.stringify(owner)}\n`, {mode: 0o600}).catch(error => {
    throw fsFault(error, ownerPathOf(directory), 'written');
  });
  const lost = new AbortController();
  const release = await lock(directory, {
    lockfilePath: lockPathOf(directory),
    stale: never,
    update: heartbeatMs,
    onCompromised: () => lost.abort(),
  }).catch(error => {
    throw fsFault(error, lockPathOf(directory), 'locked');
  });
  return {
    lost: lost.signal,
    check: async () => {
      if (lost.signal.aborted || !(await isOurs())) throw lostRun(run);
    },
    release: async () => {
      // Not somebody else's. The lock first: an owner without a lock is nothing.
      if (!(await isOurs())) return;
      await release().catch(() => undefined);
      if (await isOurs()) await removeFile(ownerPathOf(directory)).catch(() => undefined);
    },
  };
};
