/** The HTTP server on a real engine: what each address answers, and what it does to the database. */
import {readdir, readlink} from 'node:fs/promises';
import {get} from 'node:http';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import type {FullEngine} from '../../source/engine/engine.js';
import type {RunResult} from '../../source/types.js';
import {
  bearer,
  type ErrorJson,
  errorOf,
  gated,
  type Harness,
  id,
  openHarness,
  roundOf,
  tables,
  token,
} from './server-harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  await harness.client.query(tables);
});

const waiting = async (): Promise<string[]> =>
  (await harness.client.query(`select id from sessions where status = 'waiting' order by id`)).rows.map(
    row => row.id,
  );
const post = (url: string, query = '', init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/cleanup-sessions${query}`, {method: 'POST', headers: bearer, ...init});
const runsOf = async (response: Response): Promise<RunResult[]> =>
  ((await response.json()) as {runs: RunResult[]}).runs;

test('GET /session-health is the health report', async () => {
  const {url} = await harness.serve();
  const response = await fetch(`${url}/session-health`, {headers: bearer});
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await response.json()).toMatchObject({
    health: 'critical',
    environment: 'test',
    sessions: {
      total: 25,
      byStatus: {waiting: 4, live: 1, completed: 20},
      waiting: {total: 4, stale: 3, veryStale: 2},
    },
    checks: [{check: id, status: 'fail'}],
  });
});

test('GET /cleanup-sessions is a dry run, and POST carries the same plan out', async () => {
  const {url} = await harness.serve();
  const dry = await fetch(`${url}/cleanup-sessions`, {headers: bearer});
  expect(dry.status).toBe(200);
  const [planned, ...others] = await runsOf(dry);
  expect(others).toEqual([]);
  expect(planned).toMatchObject({
    run: null,
    dryRun: true,
    check: id,
    action: 'cancel',
    planned: 3,
    applied: 0,
  });
  expect(await waiting()).toEqual(['s0', 's1', 's2', 's3']);

  const response = await post(url);
  expect(response.status).toBe(200);
  const [run] = await runsOf(response);
  expect(run).toMatchObject({dryRun: false, check: id, planned: 3, applied: 3, failed: 0, remaining: 0});
  expect(run!.changes.map(({key}) => key)).toEqual(planned!.changes.map(({key}) => key));
  expect(run!.notes).toContainEqual(`take it back with: sesstui undo ${run!.run} --yes`);
  expect(await waiting()).toEqual(['s0']);
});

test('a run is in the history with the address that asked for it, and can be taken back', async () => {
  const engine = await harness.engine();
  const {url} = await harness.serve({engine, sameFlags: ['--state-dir', '/var/lib/a b']});
  const [run] = await runsOf(await post(url));
  expect(run!.notes.at(-1)).toMatch(/ --yes --state-dir '\/var\/lib\/a b'$/);
  expect(await engine.history()).toMatchObject([
    {run: run!.run, state: 'done', note: 'POST /cleanup-sessions from 127.0.0.1', applied: 3},
  ]);
  await engine.run(await engine.planUndo(run!.run!));
  expect(await waiting()).toHaveLength(4);
});

const openPlans = async (): Promise<string[]> => {
  const links = (await readdir('/proc/self/fd')).map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter(path => /\/plan-[0-9a-f]{16}/.test(path));
};

test.skipIf(process.platform !== 'linux')('a plan so large that it lies on disk is let go', async () => {
  await harness.client.query(
    `insert into sessions select 'big' || i, repeat('x', 20000) || i, 'waiting', now() - interval '2 hours', now() from generate_series(1, 500) i`,
  );
  const engine = await harness.engine();
  const plan = await engine.plan(id, 'cancel', {});
  expect(await openPlans()).toHaveLength(1);
  const {url} = await harness.serve({engine});
  expect(await runsOf(await fetch(`${url}/cleanup-sessions`, {headers: bearer}))).toMatchObject([
    {planned: 503},
  ]);
  expect(await runsOf(await post(url))).toMatchObject([{applied: 503}]);
  expect(await openPlans()).toHaveLength(1);
  await engine.release(plan);
  expect(await openPlans()).toEqual([]);
});

test('with ?customer only that customer is planned and cleaned', async () => {
  const {url} = await harness.serve();
  const [planned] = await runsOf(await fetch(`${url}/cleanup-sessions?customer=c2`, {headers: bearer}));
  expect(planned!.changes.map(({key}) => key)).toEqual([{id: 's2'}]);
  expect(await runsOf(await post(url, '?customer=c2'))).toMatchObject([{planned: 1, applied: 1}]);
  expect(await waiting()).toEqual(['s0', 's1', 's3']);
  expect(await runsOf(await post(url, '?customer=nobody'))).toMatchObject([{run: null, planned: 0}]);
  await harness.client.query(
    `insert into sessions values ('odd', 'a+b &=é', 'waiting', now() - interval '1 hour', now())`,
  );
  expect(await runsOf(await post(url, `?customer=${encodeURIComponent('a+b &=é')}`))).toMatchObject([
    {applied: 1},
  ]);
});

test.each([
  ['misspelt', '?custommer=c2'],
  ['misspelt in its case', '?Customer=c2'],
  ['empty', '?customer='],
  ['without a value', '?customer'],
  ['white space', '?customer=%20'],
  ['twice', '?customer=c1&customer=c2'],
  ['followed by another', '?customer=c2&all=1'],
  ['not UTF-8', '?customer=%ff'],
  ['cut off', '?customer=%4'],
  ['with a NUL', '?customer=c%002'],
  ['too long', `?customer=${'c'.repeat(513)}`],
  ['an empty pair', '?&'],
])('a customer that is %s is refused, and nobody is cleaned', async (_, query) => {
  const {url} = await harness.serve();
  expect(await errorOf(await post(url, query))).toEqual([400, 'usage']);
  expect(await errorOf(await fetch(`${url}/cleanup-sessions${query}`, {headers: bearer}))).toEqual([
    400,
    'usage',
  ]);
  expect(await waiting()).toHaveLength(4);
});

test('a body that says something is refused, whatever it says; an empty object is none', async () => {
  const {url} = await harness.serve();
  for (const body of ['{"customer":"c2"}', 'customer=c2', '[]'])
    expect(await errorOf(await post(url, '', {body})), body).toEqual([400, 'usage']);
  expect(await errorOf(await post(url, '', {body: ' '.repeat(1025)}))).toEqual([413, 'usage']);
  const stream = new ReadableStream({
    start: controller => {
      for (let index = 0; index < 4; index++) controller.enqueue(new Uint8Array(512).fill(32));
      controller.close();
    },
  });
  expect(await errorOf(await post(url, '', {body: stream, duplex: 'half'} as RequestInit))).toEqual([
    413,
    'usage',
  ]);
  expect(await waiting()).toHaveLength(4);
  expect((await post(url, '', {body: '{}'})).status).toBe(200);
});

test('what may not write answers 403 with its reason, and still shows the plan', async () => {
  const {url} = await harness.serve({
    canWrite: {ok: false, code: 'confirmation', text: 'watch was started without --confirm production'},
  });
  expect(await errorOf(await post(url))).toEqual([403, 'confirmation']);
  expect(await runsOf(await fetch(`${url}/cleanup-sessions`, {headers: bearer}))).toMatchObject([
    {planned: 3},
  ]);
  expect(await waiting()).toHaveLength(4);
});

test('an engine that is read-only writes nothing, whatever the server was told', async () => {
  const engine = await harness.engine({}, {readOnly: true});
  const {url} = await harness.serve({engine});
  expect(await errorOf(await post(url))).toEqual([403, 'read-only']);
  expect(await waiting()).toHaveLength(4);
});

test('in production a plan over the limits is 409 and says how it is carried out; one below them runs', async () => {
  const settings = {environment: 'production', readOnly: false, limits: {changes: 1, share: 1}};
  const engine = await harness.engine(settings);
  const {url} = await harness.serve({engine, canWrite: {ok: true, confirmed: ['production']}});
  const refused = await post(url);
  expect(refused.status).toBe(409);
  const {error} = (await refused.json()) as ErrorJson;
  expect(error.code).toBe('confirmation');
  expect(error.hint).toContain(`sesstui clean ${id} --action cancel --yes --confirm production:3`);
  expect(await waiting()).toHaveLength(4);
  const [run] = await runsOf(await post(url, '?customer=c3'));
  expect(run).toMatchObject({applied: 1});
  expect(run!.notes.at(-1)).toMatch(/--yes --confirm production$/);
});

test('a store that is down is 503 with the error of the contract', async () => {
  const engine = await harness.engine({
    stores: {
      rides: {
        kind: 'postgres',
        url: 'postgres://u:hunter2222@127.0.0.1:1/none',
        checks: [{check: 'stale-sessions'}],
      },
    },
  });
  const {url} = await harness.serve({engine});
  for (const response of [await post(url), await fetch(`${url}/cleanup-sessions`, {headers: bearer})]) {
    const text = await response.text();
    expect(response.status).toBe(503);
    expect(JSON.parse(text).error.code).toBe('unreachable');
    expect(text).not.toContain('hunter2222');
  }
  const health = await fetch(`${url}/session-health`, {headers: bearer});
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({health: 'unknown'});
});

test('one store of two that is down does not keep the other from being cleaned, and is told', async () => {
  const checks = [{check: 'stale-sessions'}];
  const engine = await harness.engine({
    stores: {
      down: {kind: 'postgres', url: 'postgres://u@127.0.0.1:1/none', checks},
      rides: {kind: 'postgres', url: harness.url, checks},
    },
  });
  const {url} = await harness.serve({engine});
  const response = await post(url);
  expect(response.status).toBe(500);
  expect(await runsOf(response)).toMatchObject([
    {check: 'down/stale-sessions', run: null, faults: [expect.stringContaining('unreachable: ')]},
    {check: id, applied: 3},
  ]);
  expect(await waiting()).toEqual(['s0']);
});

test('a second POST while one runs is 409, and the first is carried out', async () => {
  const {engine, begun, letGo} = gated(await harness.engine());
  const {url} = await harness.serve({engine});
  const first = post(url);
  await begun;
  expect(await errorOf(await post(url))).toEqual([409, 'throttled']);
  letGo();
  expect(await runsOf(await first)).toMatchObject([{applied: 3}]);
  expect((await post(url)).status).toBe(200);
});

test('a client that goes away does not stop its run, and a server that closes waits for it', async () => {
  const real = await harness.engine();
  const {engine, begun, letGo} = gated(real);
  const server = await harness.serve({engine});
  const gone = new AbortController();
  const asked = post(server.url, '', {signal: gone.signal}).catch(error => error.name);
  await begun;
  gone.abort();
  expect(await asked).toBe('AbortError');
  const closing = server.close();
  letGo();
  await closing;
  expect(await waiting()).toEqual(['s0']);
  expect(await real.history()).toMatchObject([{state: 'done', applied: 3}]);
});

test('a server that closes answers what it was asked before, and nothing after', async () => {
  const {engine, begun, letGo} = gated(await harness.engine());
  const server = await harness.serve({engine});
  const asked = post(server.url);
  await begun;
  const closing = server.close();
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  letGo();
  expect(await runsOf(await asked)).toMatchObject([{applied: 3}]);
  await closing;
});

test('a run that takes longer than a closing server waits ends after its chunk, and is answered', async () => {
  const {engine, begun, letGo} = gated(await harness.engine());
  const stopped = new AbortController();
  const server = await harness.serve({engine, signal: stopped.signal});
  const asked = post(server.url);
  await begun;
  stopped.abort();
  const closing = server.close();
  letGo();
  const response = await asked;
  expect(response.status).toBe(500);
  const [run] = await runsOf(response);
  expect(run).toMatchObject({interrupted: true});
  expect(run!.notes.at(-1)).toMatch(/^finish it with: sesstui resume /);
  await closing;
});

test('a server that is being stopped begins no run, and does not say that all is done', async () => {
  const stopped = new AbortController();
  const real = await harness.engine();
  const engine: FullEngine = Object.create(real, {
    plan: {
      value: async (...given: Parameters<FullEngine['plan']>) => {
        const plan = await real.plan(...given);
        stopped.abort();
        return plan;
      },
    },
  });
  const {url} = await harness.serve({engine, signal: stopped.signal});
  const response = await post(url);
  expect(response.status).toBe(500);
  expect(await runsOf(response)).toMatchObject([
    {run: null, applied: 0, faults: [expect.stringContaining('interrupted: ')]},
  ]);
  expect(await waiting()).toHaveLength(4);
});

test('many who ask for the health at once cost one look, and after a run a new one is taken', async () => {
  const engine = await harness.engine();
  let looks = 0;
  const counting: FullEngine = Object.create(engine, {
    health: {
      value: () => {
        looks++;
        return engine.health();
      },
    },
  });
  let clock = 0;
  const {url} = await harness.serve({engine: counting, now: () => clock});
  const ask = async (): Promise<number> => {
    const response = await fetch(`${url}/session-health`, {headers: bearer});
    return ((await response.json()) as {sessions: {waiting: {stale: number}}}).sessions.waiting.stale;
  };
  expect(await Promise.all(Array.from({length: 30}, ask))).toEqual(new Array(30).fill(3));
  expect(looks).toBe(1);
  await post(url);
  expect(await ask()).toBe(0);
  expect(looks).toBe(2);
  clock = 999;
  await ask();
  expect(looks).toBe(2);
  clock = 1001;
  await ask();
  expect(looks).toBe(3);
});

test('/healthz is 503 once a loop has not got on within three intervals and the time limit', async () => {
  let clock = 0;
  const {url, watcher} = await harness.serve({everyMs: 10_000, timeoutMs: 5000, now: () => clock});
  const status = async (): Promise<unknown> => {
    const response = await fetch(`${url}/healthz`);
    return [response.status, await response.json()];
  };
  const stores = [{store: 'rides', state: 'connecting'}];
  clock = 35_000;
  expect(await status()).toEqual([
    200,
    {status: 'ok', checks: [{check: id, lookedSecondsAgo: null, late: false}], stores},
  ]);
  clock = 35_001;
  expect(await status()).toMatchObject([503, {status: 'dead-loop', checks: [{late: true}]}]);
  await watcher.tell(roundOf({status: 'error', sessions: null, blockedCustomers: null}));
  clock = 70_001;
  expect(await status()).toMatchObject([200, {status: 'ok', checks: [{lookedSecondsAgo: 35}]}]);
  clock = 70_002;
  expect(await status()).toMatchObject([503, {status: 'dead-loop'}]);
  // A long cleaning lives while its run goes on, and no longer.
  watcher.getOn(id);
  clock = 105_002;
  expect(await status()).toMatchObject([200, {status: 'ok', checks: [{lookedSecondsAgo: 70, late: false}]}]);
  clock = 105_003;
  expect(await status()).toMatchObject([503, {status: 'dead-loop', checks: [{late: true}]}]);
});

test('/metrics tells of rounds and of runs by POST', async () => {
  const told: RunResult[] = [];
  const {url, watcher} = await harness.serve({onRuns: runs => void told.push(...runs)});
  await watcher.tell(roundOf());
  const [run] = await runsOf(await post(url));
  expect(told.map(result => result.run)).toEqual([run!.run]);
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  expect(text).toContain(`sesstui_findings{store="rides",check="${id}",reason="orphaned"} 2\n`);
  expect(text).toContain(
    `sesstui_changes_total{store="rides",check="${id}",action="cancel",result="applied"} 3\n`,
  );
  expect(text).not.toContain(token);
});

test('HEAD has the headers of GET and no body; other addresses and methods are refused as JSON', async () => {
  const {url} = await harness.serve();
  const head = await new Promise<number>((done, fail) => {
    get(`${url}/`, {method: 'HEAD'}, response => {
      response.resume();
      done(Number(response.headers['content-length']));
    }).on('error', fail);
  });
  const page = await fetch(`${url}/`);
  expect(head).toBe((await page.arrayBuffer()).byteLength);
  for (const path of ['/nothing', '/metrics/', '//', '/%6detrics', '/constructor'])
    expect(await errorOf(await fetch(url + path)), path).toEqual([404, 'not-found']);
  for (const [method, path, allow] of [
    ['DELETE', '/cleanup-sessions', 'GET, HEAD, POST'],
    ['POST', '/session-health', 'GET, HEAD'],
    ['OPTIONS', '/', 'GET, HEAD'],
  ] as const) {
    const response = await fetch(url + path, {method, headers: bearer});
    expect(response.headers.get('allow')).toBe(allow);
    expect(await errorOf(response)).toEqual([405, 'usage']);
  }
});

test('every answer says that it is for nobody else: no other site, frame, cache or guess', async () => {
  const {url} = await harness.serve();
  for (const path of ['/', '/metrics', '/healthz', '/session-health', '/nothing']) {
    const {headers} = await fetch(url + path, {headers: {Origin: 'http://evil.example'}});
    expect(headers.get('cache-control'), path).toBe('no-store');
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('referrer-policy'), path).toBe('no-referrer');
    expect(headers.get('access-control-allow-origin'), path).toBe(null);
    expect(headers.get('set-cookie'), path).toBe(null);
    const policy = headers.get('content-security-policy')!;
    for (const part of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ])
      expect(policy, path).toContain(part);
    expect(policy).not.toContain('unsafe');
  }
});
