/**
 * PostgreSQL for tests: always PGlite behind a socket (one backend: a transaction blocks every other
 * connection), and a real server from initdb and pg_ctl on PATH when SESSTUI_TEST_PG is `server`.
 */
import {execFile} from 'node:child_process';
import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {type AddressInfo, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {PGlite} from '@electric-sql/pglite';
import {PGLiteSocketServer} from '@electric-sql/pglite-socket';

export type PostgresServer = {
  name: 'pglite' | 'server';
  url: string;
  /** Several connections at once, each with a backend of its own. */
  concurrent: boolean;
  stop(): Promise<void>;
};

const run = promisify(execFile);

/** PGlite behind a socket on a free port. */
export const startPglite = async (): Promise<PostgresServer> => {
  const db = await PGlite.create();
  const server = new PGLiteSocketServer({db, port: 0, host: '127.0.0.1', maxConnections: 50});
  await server.start();
  const url = `postgres://postgres:postgres@${server.getServerConn()}/postgres?sslmode=disable`;
  const stop = async (): Promise<void> => {
    await server.stop();
    await db.close();
  };
  return {name: 'pglite', url, concurrent: false, stop};
};

/** A port that nothing listens on just now. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
};

/** initdb and pg_ctl refuse to run as root. */
const asPostgres = async (program: string, args: string[], cwd: string): Promise<void> => {
  const root = process.getuid?.() === 0;
  // pg_ctl's server inherits the pipes of its starter, so nothing may wait for them to close.
  const [file, rest] = root ? ['runuser', ['-u', 'postgres', '--', program, ...args]] : [program, args];
  await run(file, rest, {cwd, env: {...process.env, LC_ALL: 'C.UTF-8'}});
};

/** A real PostgreSQL in a temporary directory on a free port. */
export const startServer = async (): Promise<PostgresServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'sesstui-pg-'));
  await chmod(directory, 0o777);
  const data = join(directory, 'data');
  const port = await freePort();
  await asPostgres(
    'initdb',
    ['-D', data, '-U', 'postgres', '-E', 'UTF8', '-A', 'trust', '--no-sync'],
    directory,
  );
  const options = `-p ${port} -k ${directory} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60`;
  const log = join(directory, 'log');
  await asPostgres('pg_ctl', ['-D', data, '-l', log, '-w', '-s', '-o', options, 'start'], directory);
  const stop = async (): Promise<void> => {
    await asPostgres('pg_ctl', ['-D', data, '-m', 'immediate', '-s', 'stop'], directory).catch(
      () => undefined,
    );
    await rm(directory, {recursive: true, force: true});
  };
  const url = `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`;
  return {name: 'server', url, concurrent: true, stop};
};

/** What the tests run on: PGlite, and a real server where one was asked for. */
export const postgresServers: {name: string; start: () => Promise<PostgresServer>}[] = [
  {name: 'pglite', start: startPglite},
  ...(process.env.SESSTUI_TEST_PG === 'server' ? [{name: 'server', start: startServer}] : []),
];
