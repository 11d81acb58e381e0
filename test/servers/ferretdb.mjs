/** FerretDB with SQLite inside, built by Go: MongoDB's protocol by people who have nothing to do with sesstui. */
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {cached} from './cache.mjs';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('../support/ferretdb/', import.meta.url));

/** The program's path; built when these sources were not built before (about a minute). */
export const ferretdb = async () => {
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(await readFile(join(sources, file)));
  const folder = await cached(`ferretdb-${hash.digest('hex').slice(0, 12)}`, into =>
    run('go', ['build', '-trimpath', '-o', join(into, 'ferretdb'), '.'], {
      cwd: sources,
      env: {...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly'},
    }),
  );
  return join(folder, 'ferretdb');
};

/** The release that is built in, as in `FerretDB v1.24.0`: the server itself says `unknown` when it is embedded. */
export const ferretdbVersion = async program => (await run(program, ['version'])).stdout.trim();
