/** A streaming standby of a PostgreSQL server for tests, made by pg_basebackup. */
import {execFile, spawn} from 'node:child_process';
import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {promisify} from 'node:util';
import pg from 'pg';
import {freePort} from './postgres.js';

export type Standby = {url: string; stop(): Promise<void>};

const run = promisify(execFile);

/** PostgreSQL refuses to run as root. */
const user = async (): Promise<{uid?: number; gid?: number}> => {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'postgres'])).stdout);
  return {uid: await id('-u'), gid: await id('-g')};
};

const answers = async (url: string): Promise<boolean> => {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Copies the server at `url` and follows it; `name` is what the server knows it by. Resolves when it can be read. */
export const startStandby = async (url: string, name: string): Promise<Standby> => {
  const folder = await mkdtemp(join(tmpdir(), 'sesstui-standby-'));
  await chmod(folder, 0o777);
  const as = {...(await user()), cwd: folder, env: {...process.env, LC_ALL: 'C.UTF-8'}};
  const data = join(folder, 'data');
  const primary = new URL(url);
  const from = `host=${primary.hostname} port=${primary.port} user=${primary.username} application_name=${name}`;
  await run('pg_basebackup', ['-d', from, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'], as);
  const port = await freePort();
  const args = [
    '-D',
    data,
    '-p',
    `${port}`,
    '-k',
    folder,
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'fsync=off',
  ];
  const child = spawn('postgres', args, {...as, stdio: 'ignore'});
  const ended = new Promise(resolve => child.once('exit', resolve));
  // Nothing outlives a test run that failed before it could stop its servers.
  const kill = (): boolean => child.kill('SIGQUIT');
  process.once('exit', kill);
  const own = new URL(url);
  own.port = String(port);
  while (!(await answers(own.href))) {
    if (child.exitCode !== null) throw new Error(`the standby ended with code ${child.exitCode}`);
    await pause(50);
  }
  return {
    url: own.href,
    async stop() {
      process.off('exit', kill);
      kill();
      await ended;
      await rm(folder, {recursive: true, force: true});
    },
  };
};
