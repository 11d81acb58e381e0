/**
 * What the watch keeps over a restart: small JSON files under `watch/` in the state directory, each replaced whole and
 * on disk when an update returns. Several processes may share them.
 */
import {constants, existsSync} from 'node:fs';
import {open, rename} from 'node:fs/promises';
import {join} from 'node:path';
import pLimit from 'p-limit';
import {locked} from '../engine/disk/locked.js';
import {
  fsFault,
  makeDirectory,
  openToRead,
  removeFile,
  requireNoLink,
  syncDirectory,
} from '../engine/disk/state-files.js';

export type Memory = {
  /** null where nothing was kept under that name, or what was kept is damaged (then it was moved aside). */
  read<T>(name: string): Promise<T | null>;
  /** Replaces what is kept with what `change` makes of it, while no other process does; returns it. */
  update<T>(name: string, change: (before: T | null) => T): Promise<T>;
};

const replaceFile = async (path: string, text: string): Promise<void> => {
  const {O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW} = constants;
  const fresh = `${path}.new`;
  try {
    // Left by a process that was killed: the lock says that nobody writes it now.
    await removeFile(fresh);
    const handle = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
    await syncDirectory(join(path, '..'));
  } catch (error) {
    await removeFile(fresh).catch(() => undefined);
    throw fsFault(error, path, 'written');
  }
};

type Kept<T> = {value: T | null; damaged: boolean};

const readKept = async <T>(path: string): Promise<Kept<T>> => {
  const handle = await openToRead(path);
  if (!handle) return {value: null, damaged: false};
  try {
    return {value: JSON.parse(await handle.readFile('utf8')) as T, damaged: false};
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fsFault(error, path, 'read');
    return {value: null, damaged: true};
  } finally {
    await handle.close();
  }
};

/**
 * Opens nothing before it is asked. `tell` hears of files that were damaged and moved aside. Both calls throw `state`
 * where the directory can't be used.
 */
export const openMemory = (
  stateDirectory: string,
  tell: (text: string) => void = () => undefined,
): Memory => {
  const directory = join(stateDirectory, 'watch');
  const pathOf = (name: string): string => join(directory, `${encodeURIComponent(name)}.json`);
  const one = pLimit(1);

  const alone = <T>(name: string, work: () => Promise<T>): Promise<T> =>
    one(async () => {
      await makeDirectory(directory);
      await requireNoLink(directory);
      return locked(`${pathOf(name)}.lock`, work);
    });

  /** Only under the lock: another process may have mended the file since. */
  const readOrMoveAside = async <T>(name: string): Promise<T | null> => {
    const path = pathOf(name);
    const kept = await readKept<T>(path);
    if (kept.damaged) {
      const aside = `${path}.damaged`;
      await rename(path, aside).catch(error => {
        throw fsFault(error, path, 'moved aside');
      });
      tell(`${path} is not JSON any more: it was moved to ${aside}, and what it held is begun anew`);
    }
    return kept.value;
  };

  return {
    read: async <T>(name: string) => {
      if (existsSync(directory)) await requireNoLink(directory);
      const kept = await readKept<T>(pathOf(name));
      return kept.damaged ? alone(name, () => readOrMoveAside<T>(name)) : kept.value;
    },
    update: <T>(name: string, change: (before: T | null) => T) =>
      alone(name, async () => {
        const value = change(await readOrMoveAside<T>(name));
        await replaceFile(pathOf(name), `${JSON.stringify(value)}\n`);
        return value;
      }),
  };
};
