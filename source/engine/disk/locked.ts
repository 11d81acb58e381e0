/** Keeping other processes away for a moment, by a file that grows old when its process dies. */
import {lock} from 'proper-lockfile';
import {fsFault} from './state-files.js';

/**
 * Does `work` while no other process does what the same file guards. Throws `state` where the file can't be made, or
 * others hold it for too long. A process that was stopped meanwhile is not told that it lost the lock.
 */
export const locked = async <T>(lockfilePath: string, work: () => Promise<T>): Promise<T> => {
  // By its own name, not its directory's: the library keeps one lock a name, and another one there would take its place.
  const release = await lock(lockfilePath, {
    lockfilePath,
    realpath: false,
    retries: {retries: 150, minTimeout: 10, maxTimeout: 200},
    stale: 10_000,
    onCompromised: () => undefined,
  }).catch(error => {
    throw fsFault(error, lockfilePath, 'locked');
  });
  try {
    return await work();
  } finally {
    await release().catch(() => undefined);
  }
};
