/** What the program tells to type works as it is printed; names that match nothing are told. */
import {execFile, spawn} from 'node:child_process';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import type pg from 'pg';
import {beforeEach, describe, expect, test} from 'vitest';
import {type Called, cli, cliJson, cliPath, temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;
let cwd: string;
let state: string;
let config: string;

onPglite((started, connected) => {
  server = started;
  client = connected;
});

const configure = (environment: string): Promise<void> =>
  writeFile(
    config,
    `environment: ${environment}
limits: {share: 0.6}
stores:
  db:
    kind: postgres
    url: ${server.url}
    checks:
      - {check: duplicates, table: keys, groupBy: [account], latestBy: [seen], payload: [body]}
      - {check: stale-sessions}
`,
  );

beforeEach(async () => {
  cwd = await temporaryDirectory();
  state = join(cwd, 'the state');
  config = join(cwd, 'own.yaml');
  await client.query(`
    drop table if exists keys, sessions, session_requests;
    create table keys (id text primary key, account text, seen timestamptz, body text);
    insert into keys select 'k' || i, 'acc-' || i / 2, now() - i * interval '1 minute', 'same' from generate_series(0, 3) i;
    insert into keys values ('d1', 'differs', now(), 'a'), ('d2', 'differs', now(), 'b');
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    insert into sessions select 's' || i, 'c ' || i, 'waiting', now() - interval '2 hours', null from generate_series(1, 4) i;`);
  await configure('production');
});

const flags = (): string[] => ['--config', config, '--state-dir', state];
const call = (args: string[]): Promise<Called> => cli([...args, ...flags()], {cwd});
const keep = ['clean', 'db/duplicates', '--action', 'keep-latest'];

/** Types a line into a shell, where `sesstui` is this program. */
const typed = (line: string): Promise<{code: number; stdout: string; stderr: string}> =>
  new Promise(done => {
    const script = `sesstui() { "${process.execPath}" "${cliPath}" "$@"; }\n${line}`;
    execFile('/bin/sh', ['-c', script], {cwd}, (error, stdout, stderr) =>
      done({code: error ? Number(error.code) : 0, stdout, stderr}),
    );
  });

/** A call that is interrupted as soon as it has changed something. */
const interrupted = async (args: string[]): Promise<{code: number | null; stdout: string}> => {
  const child = spawn(process.execPath, [cliPath, ...args], {cwd, stdio: ['ignore', 'pipe', 'ignore']});
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', chunk => {
    stdout += chunk;
  });
  const ended = new Promise<number | null>(done => child.on('close', done));
  await expect.poll(() => count(`sessions where status = 'cancelled'`), {timeout: 20_000}).toBeGreaterThan(0);
  child.kill('SIGINT');
  return {code: await ended, stdout};
};

/** The command that stands behind these words. */
const told = (words: string, text: string): string => {
  const line = text.split('\n').find(item => item.includes(words));
  expect(line, text).toBeDefined();
  return line!.slice(line!.indexOf('sesstui ', line!.indexOf(words)));
};

const count = async (query: string): Promise<number> =>
  (await client.query<{n: number}>(`select count(*)::int as n from ${query}`)).rows[0]!.n;

describe.each(['production', 'test'])('what is told to be typed in %s', environment => {
  beforeEach(() => configure(environment));
  const asks = environment === 'production' ? ' --confirm production' : '';

  test('a customer is unblocked, and the run taken back', async () => {
    const blocked = await call(['customer', 'c 2']);
    expect(blocked.code).toBe(1);
    const dry = await call(['customer', 'c 2', '--clean']);
    expect(told('Carry it out with', dry.stdout)).toBe(told('Unblock with', blocked.stdout));
    const done = await typed(told('Unblock with', blocked.stdout));
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(await count(`sessions where status = 'cancelled'`)).toBe(1);
    const undo = told('Take it back', done.stdout);
    expect(undo).toContain(`--yes${asks} --config`);
    expect((await typed(undo)).code).toBe(0);
    expect(await count(`sessions where status = 'cancelled'`)).toBe(0);
  });

  test('guards are installed, and taken back', async () => {
    const install = ['guards', 'install', 'db/stale-sessions', '--yes', ...asks.split(' ').slice(1)];
    const installed = await call(install);
    expect(installed.code).toBe(0);
    expect(await count(`pg_trigger where tgname = 'sessions_auto_cancel'`)).toBe(1);
    const undone = await typed(told('Take it back', installed.stdout));
    expect([undone.code, undone.stderr]).toEqual([0, '']);
    expect(await count(`pg_trigger where tgname = 'sessions_auto_cancel'`)).toBe(0);
    expect((await typed(told('Take it back', undone.stdout))).code).toBe(0);
  });

  test('a plan that was written is applied, also beyond the limits', async () => {
    const all = ['clean', 'db/stale-sessions', '--action', 'cancel'];
    const written = await call([...all, '--out', join(cwd, "the 'plan'.jsonl")]);
    const line = told('the plan is in', written.stdout);
    const apply = line.slice(line.indexOf('sesstui apply'));
    expect(written.stdout).not.toContain('add --yes');
    expect(written.stdout).not.toContain('Carry it out');
    if (asks) expect(apply).toContain('--confirm production:4');
    const done = await typed(apply);
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(await count(`sessions where status = 'cancelled'`)).toBe(4);
  });

  test('an interrupted run is finished, and its dry run says how far it came', async () => {
    const confirm = asks ? ['--confirm', 'production:4'] : [];
    const all = ['clean', 'db/stale-sessions', '--action', 'cancel', '--yes', ...confirm];
    const run = await interrupted([...all, '--limit-rate', '1', ...flags()]);
    expect(run.code).toBe(130);
    const made = await count(`sessions where status = 'cancelled'`);
    const finish = told('Finish it with', run.stdout);
    expect(finish).toContain(asks ? `--yes${asks}:${4 - made} --config` : '--yes --config');
    const dry = await typed(finish.replace(' --yes', ''));
    expect(dry.stdout).toMatch(
      new RegExp(`${made} of 4 changes w(as|ere) made, ${4 - made} (is|are) left\\. Nothing was changed now`),
    );
    const {json} = await cliJson(['resume', finish.split(' ')[2]!, ...flags()], {cwd});
    expect(json).toMatchObject({dryRun: true, planned: 4, applied: made, skipped: 0, failed: 0, unknown: 0});
    const done = await typed(finish);
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(await count(`sessions where status = 'cancelled'`)).toBe(4);
  });
});

test('a confirmation that is missing is told as what to add', async () => {
  const {code, stderr} = await call([...keep, '--yes']);
  expect(code).toBe(2);
  expect(stderr).toContain('repeat with --yes --confirm production');
});

describe('names that match nothing', () => {
  type Told = {planned: number; notes: string[]};
  const notes = async (...more: string[]): Promise<string[]> => {
    const {code, json} = await cliJson<Told>([...keep, ...more, ...flags()], {cwd});
    expect(code).toBe(0);
    return json.notes.filter(note => !note.startsWith('to carry it out'));
  };

  test.each([
    ['--id', 'no finding has the id nothere'],
    ['--group', 'no finding is of the group nothere'],
    ['--customer', 'no finding is of the customer nothere'],
  ])('%s', async (flag, note) => {
    expect(await notes(flag, 'nothere')).toEqual([note]);
    expect((await call([...keep, flag, 'nothere'])).stdout).toContain(`Note: ${note}`);
  });

  test('one of several, and none where all match', async () => {
    expect(await notes('--id', 'k1', '--id', 'nothere')).toEqual(['no finding has the id nothere']);
    expect(await notes('--group', 'acc-0', '--group', 'nothere')).toEqual([
      'no finding is of the group nothere',
    ]);
    expect(await notes('--id', 'k1')).toEqual([]);
    expect(await notes('--group', 'acc-0', '--group', 'acc-1')).toEqual([]);
  });

  test('the one of several is told of a run as well', async () => {
    await configure('test');
    expect(await notes('--id', 'k1', '--id', 'nothere', '--yes')).toEqual(['no finding has the id nothere']);
    expect(await count(`keys where id = 'k1'`)).toBe(0);
  });

  test('findings that are taken only when they are named', async () => {
    await client.query(`delete from keys where account <> 'differs'`);
    expect(await notes()).toEqual(['1 finding is left: keep-latest takes such only by --group or --id']);
    expect((await call([...keep, '--group', 'differs'])).stdout).toContain(': 1 change. Nothing');
  });
});

test('the history tells which run an undo took back', async () => {
  await configure('test');
  await call([...keep, '--yes']);
  expect((await call(['history'])).stdout).not.toContain('TOOK BACK');
  const [run] = await readdir(join(state, 'runs'));
  await call(['undo', run!, '--yes']);
  const {stdout} = await call(['history']);
  const undo = stdout.split('\n').find(line => line.includes(' undo '));
  expect(stdout).toContain('TOOK BACK');
  expect(undo).toContain(run);
});

test('a run that wrote nothing is not offered to be taken back', async () => {
  await configure('test');
  const done = await call(['clean', 'db/stale-sessions', '--action', 'cancel', '--yes']);
  expect(done.stdout).toContain('Take it back');
  await client.query(`update sessions set updated_at = now() + interval '1 second'`);
  const [run] = await readdir(join(state, 'runs'));
  const undo = await call(['undo', run!, '--yes']);
  expect(undo.stdout).toContain(': 0 applied, ');
  expect(undo.stdout).not.toContain('Take it back');
});

test('a misspelt environment is refused by everything that reads the configuration', async () => {
  await writeFile(config, (await readFile(config, 'utf8')).replace('environment:', 'environmnt:'));
  const calls = [['check'], ['health'], ['customer', 'x'], keep, ['clean', '--all'], ['apply', 'x']];
  for (const args of [...calls, ['undo', '20200101T000000Z-0000'], ['resume', '20200101T000000Z-0000']]) {
    const {code, stderr} = await call(args);
    expect([args, code]).toEqual([args, 2]);
    expect(stderr).toMatch(/environmnt.*environment/s);
  }
});

test('wrong words are refused before anything is opened, and paths are told as they are', async () => {
  const calls: [string, string[]][] = [
    ['0', keep],
    ['-1', keep],
    ['many', keep],
    ['0', ['undo', 'x']],
    ['0', ['customer', 'x']],
  ];
  for (const [rate, args] of calls) {
    const {code, stderr} = await call([...args, '--limit-rate', rate]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`--limit-rate "${rate}"`)]);
  }
  expect(await call(['customer', ''])).toMatchObject({code: 2, stderr: expect.stringContaining('empty')});
  const directory = join(cwd, 'plans');
  await mkdir(directory);
  const env = {PWD: cwd, OLDPWD: cwd, INIT_CWD: cwd, npm_package_json: join(cwd, 'package.json')};
  const refused = await cli(['apply', directory, ...flags()], {cwd, env});
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`${directory} is a directory`)]);
  const missing = await cli(['check', '--config', join(cwd, 'none.yaml')], {cwd, env});
  expect(missing.stderr).toContain(join(basename(cwd), 'none.yaml'));
  expect(missing.stderr).not.toContain('•');
});

test('a check without its store is told with it', async () => {
  for (const args of [
    ['check', 'stale-sessions'],
    ['clean', 'stale-sessions', '--action', 'cancel'],
  ]) {
    const {code, stderr} = await call(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining('Did you mean db/stale-sessions?')]);
  }
});
