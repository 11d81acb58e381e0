/**
 * PostgreSQL for tests: PGlite behind a socket (one backend: a transaction blocks every other connection), or
 * real servers: the machine's and version 18.
 */
import {execFile} from 'node:child_process';
import {chmod, cp} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {PGlite} from '@electric-sql/pglite';
import {PGLiteSocketServer} from '@electric-sql/pglite-socket';
import pg from 'pg';
import {newFolder, startChild} from '../servers/child-server.mjs';
import {machinePostgres, postgres18, postgresVersion} from '../servers/postgres.mjs';
import {isAsked, noteServer, onRealServers} from './asked.js';

export {freePort} from '../servers/child-server.mjs';

export type PostgresServer = {
  /** `PGlite`, or the product and its major version, as in `PostgreSQL 15`. */
  name: string;
  url: string;
  /** Several connections at once, each with a backend of its own. */
  concurrent: boolean;
  stop(): Promise<void>;
};
export type PostgresServerKind = {name: string; start: () => Promise<PostgresServer>};

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
  return {name: 'PGlite', url, concurrent: false, stop};
};

/** A client beside the program's own connections; that its server ends is no fault of a test's. */
export const openClient = async (server: PostgresServer): Promise<pg.Client> => {
  const client = new pg.Client(server.url);
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

type User = {uid: number; gid: number} | Record<string, never>;

/** PostgreSQL refuses to run as root. */
const postgresUser = async (): Promise<User> => {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string): Promise<number> => {
    const {stdout} = await run('id', [flag, 'postgres']).catch(() => run('id', [flag, 'nobody']));
    return Number(stdout);
  };
  return {uid: await id('-u'), gid: await id('-g')};
};

/** The programs where that user can read them: root's own folders are closed to it. */
const readable = async (programs: string, user: User, folder: string): Promise<string> => {
  const works = await run(join(programs, 'initdb'), ['--version'], user).then(
    () => true,
    () => false,
  );
  if (works) return programs;
  await cp(dirname(programs), join(folder, 'programs'), {recursive: true, verbatimSymlinks: true});
  return join(folder, 'programs', 'bin');
};

const versionOf = async (url: string): Promise<string> => {
  const client = new pg.Client(url);
  // A server that is starting up breaks connections.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query('show server_version')).rows[0].server_version as string;
  } finally {
    await client.end();
  }
};

/**
 * A real PostgreSQL in a temporary directory on a free port; `programs` is the folder of initdb and postgres, the
 * machine's own when it isn't given.
 */
export const startServer = async (programs?: string): Promise<PostgresServer> => {
  const user = await postgresUser();
  const env = {LC_ALL: 'C.UTF-8'};
  let version = '';
  const urlOf = (port: number): string => `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`;
  const spec = async (port: number) => {
    const folder = await newFolder('pg');
    await chmod(folder, 0o777);
    const bin = await readable(programs ?? (await machinePostgres()), user, folder);
    const data = join(folder, 'data');
    const options = {...user, cwd: folder, env: {...process.env, ...env}};
    const initdb = ['-D', data, '-U', 'postgres', '-E', 'UTF8', '-A', 'trust', '--no-sync'];
    await run(join(bin, 'initdb'), initdb, options);
    const set = {
      port,
      unix_socket_directories: folder,
      listen_addresses: '127.0.0.1',
      fsync: 'off',
      max_connections: 60,
    };
    const settings = Object.entries(set).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return {
      command: join(bin, 'postgres'),
      args: ['-D', data, ...settings],
      env,
      ...user,
      // Its backends go with it, and the shared memory is given back.
      signal: 'SIGQUIT' as const,
      folder,
      answers: async () => {
        version = await versionOf(urlOf(port));
        return true;
      },
    };
  };
  const {port, stop} = await startChild(spec);
  const name = `PostgreSQL ${Number.parseInt(version, 10)}`;
  noteServer(name, version);
  return {name, url: urlOf(port), concurrent: true, stop};
};

export const startPostgres18 = async (): Promise<PostgresServer> => startServer(await postgres18());

/** The machine's own by its major version, and 18; those that this run was asked for. */
const realPostgresServers = async (): Promise<PostgresServerKind[]> => {
  const own = await machinePostgres().then(
    async folder => `PostgreSQL ${/\d+/.exec(await postgresVersion(folder))![0]}`,
    () => null,
  );
  const kinds = own === null ? [] : [{name: own, start: () => startServer()}];
  if (own !== 'PostgreSQL 18') kinds.push({name: 'PostgreSQL 18', start: startPostgres18});
  return kinds.filter(({name}) => isAsked(name));
};

/** What the tests run on: PGlite, or real servers where they were asked for. */
export const postgresServers: PostgresServerKind[] = onRealServers
  ? await realPostgresServers()
  : [{name: 'PGlite', start: startPglite}];
