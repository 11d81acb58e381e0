/** `sesstui watch` as a service: started, stopped, killed and started again. */
import {readFile, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import type pg from 'pg';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {cli, cliJson, temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';
import {type Service, startService} from '../support/service.js';

let server: PostgresServer;
let client: pg.Client;
let cwd: string;
const services: Service[] = [];

onPglite((started, connected) => {
  server = started;
  client = connected;
});
beforeEach(async () => {
  cwd = await temporaryDirectory();
  await client.query(`drop table if exists sessions, session_requests;
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    insert into sessions values ('live', 'c9', 'live', now() - interval '9 days', now())`);
  await configure(server.url);
});
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop('SIGKILL');
});

const configure = (url: string, more = ''): Promise<void> =>
  writeFile(
    join(cwd, 'sesstui.yaml'),
    `environment: test
${more}stores:
  db: {kind: postgres, url: '${url}', checks: [{check: stale-sessions}]}
`,
  );
const production = (): Promise<void> =>
  configure(server.url).then(async () => {
    const path = join(cwd, 'sesstui.yaml');
    await writeFile(path, (await readFile(path, 'utf8')).replace('environment: test', 'environment: prod'));
  });

const stale = (count: number): Promise<unknown> =>
  client.query(
    `insert into sessions select 's' || i, 'c' || i % 3, 'waiting', now() - interval '20 minutes', now() from generate_series(0, $1 - 1) i`,
    [count],
  );

const watch = (args: string[] = [], env: NodeJS.ProcessEnv = {}): Service => {
  const service = startService(['watch', '--every', '1s', '--state-dir', 'state', ...args], {cwd, env});
  services.push(service);
  return service;
};
const history = async () =>
  (
    await cliJson<{runs: {run: string; state: string; applied: number; note: string}[]}>(
      ['history', '--state-dir', 'state'],
      {cwd},
    )
  ).json.runs;
const statusCounts = async (): Promise<Record<string, number>> => {
  const {rows} = await client.query('select status, count(*)::int n from sessions group by 1');
  return Object.fromEntries(rows.map(({status, n}) => [status, n]));
};

test('it looks, cleans, tells each change once, and ends with 0 when it is stopped', async () => {
  await stale(5);
  const service = watch(['--clean', '--ndjson', '--note', 'night shift']);
  await service.said(
    /cancel: 5 of 5 changes made; sessions of 3 customers cancelled; sesstui undo \S+ --yes --state-dir state/,
  );
  await service.printed(/(?:.*\n){4}/);
  expect(await service.stop()).toBe(0);
  const rounds = service
    .stdout()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(rounds[0]).toMatchObject({
    environment: 'test',
    check: 'db/stale-sessions',
    total: 0,
    sessions: {cancelled: 5, live: 1},
    blockedCustomers: 0,
    stores: [{store: 'db', state: 'up'}],
    runs: [{action: 'cancel', applied: 5, customers: ['c0', 'c1', 'c2']}],
    refused: [],
  });
  expect(rounds[0].runs[0].changes).toBeUndefined();
  expect(rounds[1].runs).toEqual([]);
  // Four looks of which three saw the same: said once.
  expect(service.stderr().match(/nothing found/g)).toHaveLength(1);
  expect(service.stderr()).toMatch(
    /^\S+Z info {2}watch of test looks and cleans every 1s: db\/stale-sessions$/m,
  );
  expect(service.stderr()).toMatch(/stopped\n$/);
  expect(await history()).toMatchObject([{state: 'done', applied: 5, note: 'night shift'}]);
  expect(await statusCounts()).toEqual({live: 1, cancelled: 5});
});

test('without --clean it writes nothing', async () => {
  await stale(5);
  const service = watch();
  await service.said(/warn {2}db\/stale-sessions: 5 found \(stale-waiting 5, orphaned 5\)/);
  expect(await service.stop('SIGINT')).toBe(0);
  expect(await statusCounts()).toEqual({live: 1, waiting: 5});
  expect(await history()).toEqual([]);
});

test('a run that is cut short by SIGTERM ends with 130, and the next start finishes it', async () => {
  await stale(150);
  const service = watch(['--clean', '--limit-rate', '60', '--ndjson']);
  await expect.poll(async () => (await statusCounts()).cancelled ?? 0, {timeout: 20_000}).toBeGreaterThan(0);
  expect(await service.stop()).toBe(130);
  expect(service.stderr()).toMatch(/cut short; sesstui resume \S+ --yes --state-dir state/);
  const [cut] = await history();
  expect(cut).toMatchObject({state: 'interrupted'});
  const again = watch(['--clean', '--ndjson']);
  const [, told] = await again.printed(/^(.*)\n/);
  expect(JSON.parse(told!)).toMatchObject({
    total: 0,
    runs: [{run: cut!.run, applied: 150, customers: ['c0', 'c1', 'c2']}],
  });
  expect(await again.stop()).toBe(0);
  expect(await history()).toMatchObject([{run: cut!.run, state: 'done'}]);
});

test('a watch that was killed in the middle of a run is finished by the next, and nothing is made twice', async () => {
  await stale(150);
  const service = watch(['--clean', '--limit-rate', '60']);
  await expect.poll(async () => (await statusCounts()).cancelled ?? 0, {timeout: 20_000}).toBeGreaterThan(0);
  await service.stop('SIGKILL');
  const [cut] = await history();
  expect(cut).toMatchObject({state: 'interrupted'});
  const again = watch(['--clean', '--ndjson']);
  const [, told] = await again.printed(/^(.*)\n/);
  expect(JSON.parse(told!)).toMatchObject({total: 0, runs: [{run: cut!.run, planned: 150}]});
  expect(await again.stop()).toBe(0);
  expect(await statusCounts()).toEqual({live: 1, cancelled: 150});
  expect(await history()).toMatchObject([{run: cut!.run, state: 'done', applied: 150}]);
  expect((await cli(['history', '--verify', '--state-dir', 'state'], {cwd})).code).toBe(0);
});

test('it serves what --listen names, until it is stopped', async () => {
  await stale(2);
  const service = watch(['--listen', '127.0.0.1:0'], {SESSTUI_TOKEN: 'a-token-of-sixteen-or-more'});
  const [, url] = await service.said(/listening on (http:\S+)/);
  await service.said(/2 found/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^sesstui_blocked_customers\{[^}]*\} 2$/m);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const headers = {authorization: 'Bearer a-token-of-sixteen-or-more'};
  const post = await fetch(`${url}/cleanup-sessions`, {method: 'POST', headers});
  expect(await post.json()).toMatchObject({runs: [{applied: 2}]});
  await service.said(/cancel: 2 of 2 changes made/);
  expect(await service.stop()).toBe(0);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  expect(service.stderr()).not.toContain('a-token-of');
});

/** A server that only counts who comes. */
const counting = async () => {
  let connections = 0;
  const listener = createServer(socket => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>(done => listener.listen(0, '127.0.0.1', done));
  const {port} = listener.address() as {port: number};
  return {
    url: `postgres://127.0.0.1:${port}/x`,
    connections: () => connections,
    close: () => listener.close(),
  };
};

test('production is not cleaned without its name, and nothing is opened to say so', async () => {
  const counted = await counting();
  await configure(counted.url);
  const path = join(cwd, 'sesstui.yaml');
  await writeFile(path, (await readFile(path, 'utf8')).replace('environment: test', 'environment: prod'));
  for (const args of [[], ['--yes'], ['--confirm', 'prod'], ['--yes', '--confirm', 'test']]) {
    const {code, stderr} = await cli(['watch', '--clean', ...args], {cwd});
    expect([code, stderr]).toEqual([2, expect.stringContaining('it needs --yes --confirm prod')]);
  }
  expect(counted.connections()).toBe(0);
  counted.close();
});

test('in production with its name it cleans', async () => {
  await stale(1);
  await client.query(
    `insert into sessions select 'done' || i, 'd', 'cancelled', now(), now() from generate_series(1, 50) i; analyze sessions`,
  );
  await production();
  const service = watch(['--clean', '--yes', '--confirm', 'prod']);
  await service.said(/cancel: 1 of 1 change/);
  expect(await service.stop()).toBe(0);
});

test.each([
  [['--clean', '--read-only'], '--read-only was given'],
  [['--json'], 'Use --ndjson'],
  [['--output', 'csv'], 'Use --ndjson'],
  [['--every', '10ms'], 'For example --every'],
  [['--every', '30d'], 'At most 7d'],
  [['--listen', 'nowhere'], 'is not HOST:PORT'],
  [['--webhook', 'ftp://x'], ''],
  [['--dry-run'], 'watch does not take it'],
  [['rides'], 'watch does not take "rides"'],
])('%j is refused', async (args, text) => {
  const {code, stdout, stderr} = await cli(['watch', ...args], {cwd});
  expect(code).toBe(2);
  expect(stdout + stderr).toContain(text);
});
