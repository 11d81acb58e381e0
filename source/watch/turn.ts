/**
 * Whose turn it is among copies that share a state directory: tried, never waited for. Of a process that is dead on
 * this machine the turn is taken at once; of one elsewhere when its lock has grown old.
 */
import {rmdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {lock} from 'proper-lockfile';
import {locked} from '../engine/disk/locked.js';
import {
  fsFault,
  makeDirectory,
  readJsonLines,
  removeFile,
  requireNoLink,
} from '../engine/disk/state-files.js';
import {lifeOf, type Owner, self} from '../engine/run/run-lock.js';

type Turn = {release: () => Promise<void>};

const staleMs = 10_000;

const tryLock = async (path: string): Promise<Turn | null> => {
  try {
    const release = await lock(path, {
      realpath: false,
      lockfilePath: path,
      retries: 0,
      stale: staleMs,
      // Who was stopped for so long finds the rows changed: its writes are conditional.
      onCompromised: () => undefined,
    });
    return {release};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return null;
    throw fsFault(error, path, 'locked');
  }
};

/** The lock and its owner are written together: nobody else looks at them meanwhile. */
const take = (directory: string, path: string): Promise<Turn | null> =>
  locked(join(directory, 'turns.lock'), async () => {
    const ownerPath = `${path}.owner`;
    let turn = await tryLock(path);
    if (!turn) {
      const [owner] = await readJsonLines<Owner>(ownerPath).catch(() => []);
      if (lifeOf(owner) !== 'dead') return null;
      await rmdir(path).catch(() => undefined);
      turn = await tryLock(path);
      if (!turn) return null;
    }
    await removeFile(ownerPath);
    await writeFile(ownerPath, `${JSON.stringify(self())}\n`, {mode: 0o600, flag: 'wx'}).catch(error => {
      throw fsFault(error, ownerPath, 'written');
    });
    return turn;
  });

/** Does the work when no other process does what goes by that name; null when one does. Throws `state`. */
export const inTurn = async <T>(
  stateDirectory: string,
  name: string,
  work: () => Promise<T>,
): Promise<{done: T} | null> => {
  const directory = join(stateDirectory, 'watch');
  await makeDirectory(stateDirectory);
  await makeDirectory(directory);
  await requireNoLink(directory);
  const turn = await take(directory, join(directory, `${encodeURIComponent(name)}.turn`));
  if (!turn) return null;
  try {
    return {done: await work()};
  } finally {
    await turn.release().catch(() => undefined);
  }
};
