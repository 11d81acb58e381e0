/** FerretDB 1.24 with SQLite, built by Go once into a cache folder: a MongoDB server that nobody here wrote. */
import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rename, rm} from 'node:fs/promises';
import {type AddressInfo, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {MongoClient} from 'mongodb';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('.', import.meta.url));

/** The path of the server; built when these sources were not built before (about a minute). */
export const buildFerretdb = async (): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(await readFile(join(sources, file)));
  const folder = join(tmpdir(), 'sesstui-ferretdb');
  const binary = join(folder, `ferretdb-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(binary)) return binary;
  await mkdir(folder, {recursive: true});
  // Under another name until it is whole: another test run may be building it as well.
  const unfinished = `${binary}.${process.pid}`;
  await run('go', ['build', '-trimpath', '-o', unfinished, '.'], {
    cwd: sources,
    env: {...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly'},
  });
  await rename(unfinished, binary);
  return binary;
};

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
};

/** Waits until the server answers; rejects when the process ends first. */
const whenAnswering = async (url: string, child: ChildProcess): Promise<void> => {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`FerretDB ended with code ${child.exitCode}`);
    const client = new MongoClient(url, {serverSelectionTimeoutMS: 200});
    try {
      await client.db('admin').command({ping: 1});
      return;
    } catch {
      // Not yet.
    } finally {
      await client.close();
    }
  }
};

export const startFerretdb = async (): Promise<{url: string; stop(): Promise<void>}> => {
  const binary = await buildFerretdb();
  const data = await mkdtemp(join(tmpdir(), 'sesstui-ferretdb-data-'));
  const port = await freePort();
  const child = spawn(binary, [`127.0.0.1:${port}`, data], {stdio: 'ignore'});
  const ended = new Promise(resolve => child.once('exit', resolve));
  const url = `mongodb://127.0.0.1:${port}`;
  await whenAnswering(url, child);
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      await rm(data, {recursive: true, force: true});
    },
  };
};
