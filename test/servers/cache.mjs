/** Where servers for tests are kept: `.servers/` of the project, which git ignores. */
import {existsSync} from 'node:fs';
import {chmod, mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const cache = fileURLToPath(new URL('../../.servers/', import.meta.url));

/**
 * The folder of that name, made by `make` when it isn't there. It gets its name when it is whole, so that a
 * second test run at the same time, or one that was killed, never leaves half a server.
 *
 * @param {string} name with the version in it: another version is another folder
 * @param {(folder: string) => Promise<unknown>} make fills an empty folder
 * @returns {Promise<string>}
 */
export const cached = async (name, make) => {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  await mkdir(cache, {recursive: true});
  const unfinished = await mkdtemp(join(cache, `${name}-unfinished-`));
  try {
    await make(unfinished);
    // PostgreSQL runs as another user when the tests run as root.
    await chmod(unfinished, 0o755);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, {recursive: true, force: true});
    if (!existsSync(folder)) throw error;
  }
  return folder;
};
