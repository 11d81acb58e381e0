/** Alerts from a round to the log and to whoever receives them, over failures and restarts. */
import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, expect, test} from 'vitest';
import {createRedactor} from '../../source/redact.js';
import {type Alerts, type AlertsOptions, openAlerts} from '../../source/watch/alerts/alerts.js';
import type {AlertsState, CancellingRun} from '../../source/watch/alerts/types.js';
import {openMemory} from '../../source/watch/memory.js';
import {temporaryDirectory} from '../support/cli.js';
import {answering, openReceiver, type Post, type Receiver, taking} from './receiver.js';
import {iso, round, start} from './rounds.js';

const quick = {firstMs: 5, mostMs: 40, giveUpMs: 60_000};

type Setting = {directory: string; lines: string[]; open: (more?: Partial<AlertsOptions>) => Alerts};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const setting = async (webhook: string | null, secret: string | null = null): Promise<Setting> => {
  const directory = await temporaryDirectory();
  const lines: string[] = [];
  const open = (more: Partial<AlertsOptions> = {}): Alerts => {
    const alerts = openAlerts({
      memory: openMemory(directory),
      environment: 'staging',
      webhook,
      secret,
      log: (level, text) => void lines.push(`${level} ${text}`),
      redact: createRedactor(['canary-password']),
      pauses: quick,
      ...more,
    });
    closing.push(() => alerts.close());
    return alerts;
  };
  return {directory, lines, open};
};

const receive = async (answer: Receiver['answer'] = taking): Promise<Receiver> => {
  const receiver = await openReceiver(answer);
  closing.push(() => receiver.close());
  return receiver;
};

const stateIn = (directory: string): AlertsState =>
  JSON.parse(readFileSync(join(directory, 'watch/alerts.json'), 'utf8')) as AlertsState;

const told = (posts: Post[]): string[] =>
  posts.map(({body}) => `${body.alert}${body.of ? ` ${body.of}` : ''} ${body.check ?? body.store}`);

const problems = {found: {'stale-waiting': 1}};
const stale = 'rides/stale-sessions';

test('without a webhook an alert is a line of the log', async () => {
  const {lines, open} = await setting(null);
  const alerts = open();
  await alerts.round(round({found: {'very-stale-waiting': 1}, cancelled: {r1: ['c1']}, at: 0}));
  await alerts.round(round({error: 'unreachable', at: 1}));
  await alerts.round(round({error: 'unreachable', message: 'for canary-password\u001b[2J', at: 2}));
  await alerts.round(round({at: 3}));
  await alerts.round(round({at: 4}));
  expect(lines.map(line => line.slice(0, 60))).toEqual([
    'info [staging] rides/stale-sessions: run r1 cancelled 1 sess',
    expect.stringMatching(/^error \[staging\] rides can't be reached: for •+\\x1b\[2J$/),
    'info [staging] rides: can be reached again (it began 2026-11',
  ]);
});

test('a watch without a webhook does not tell in the stead of one that has it', async () => {
  const receiver = await receive();
  const {open} = await setting(receiver.url);
  const terminal = open({webhook: null});
  await terminal.round(round({found: problems.found, cancelled: {r1: ['c1']}, at: 0}));
  const service = open();
  await service.round(round({found: problems.found, cancelled: {r1: ['c1']}, at: 1}));
  await service.round(round({found: problems.found, at: 2}));
  await receiver.until(posts => posts.length === 2);
  expect(told(receiver.posts)).toEqual([`sessions-cancelled ${stale}`, `problems ${stale}`]);
});

test('each alert is posted once when it begins and once when it ends, over a restart', {
  timeout: 15_000,
}, async () => {
  const receiver = await receive();
  const {open} = await setting(receiver.url);
  const first = open();
  await first.round(round({at: 0, ...problems}));
  await first.round(round({at: 1, ...problems}));
  await first.close();
  const second = open();
  await second.round(round({at: 2, ...problems}));
  await second.round(round({at: 3}));
  await second.close();
  const third = open();
  await third.round(round({at: 4}));
  await third.round(round({at: 5}));
  await receiver.until(posts => posts.length >= 2);
  await third.close();
  expect(told(receiver.posts)).toEqual([`problems ${stale}`, `resolved problems ${stale}`]);
  expect(receiver.posts[1]!.body.since).toBe(iso(start));
});

test('several watches with one state directory tell each alert once between them', async () => {
  const receiver = await receive();
  const {open} = await setting(receiver.url);
  const copies = [open(), open(), open()];
  for (let at = 0; at < 4; at++)
    await Promise.all(
      copies.map(alerts =>
        alerts.round(round({at, ...(at < 2 ? problems : {}), cancelled: {[`run${at}`]: ['c1']}})),
      ),
    );
  await receiver.until(posts => posts.length >= 7);
  for (const alerts of copies) await alerts.close();
  const posted = told(receiver.posts);
  const runs = receiver.posts.flatMap(({body}) => body.run ?? []);
  expect(runs).toEqual(['run0', 'run1', 'run2', 'run3']);
  expect(posted.filter(name => !name.startsWith('sessions-cancelled'))).toEqual([
    `problems ${stale}`,
    `blocked-repeatedly ${stale}`,
    `resolved problems ${stale}`,
  ]);
});

test('a receiver that fails first gets everything, in order, under the same ids', async () => {
  const receiver = await receive((post, response, number) =>
    answering(number <= 3 ? 503 : 200)(post, response, number),
  );
  const {open, lines} = await setting(receiver.url);
  const alerts = open();
  for (let at = 0; at < 4; at++) await alerts.round(round({at, cancelled: {[`run${at}`]: ['c1']}}));
  await receiver.until(posts => posts.at(-1)?.body.alert === 'sessions-cancelled' && posts.length >= 8);
  await alerts.close();
  const runs = receiver.posts.map(({body}) => body.run ?? body.alert);
  expect(runs).toEqual(['run0', 'run0', 'run0', 'run0', 'run1', 'run2', 'blocked-repeatedly', 'run3']);
  expect(new Set(receiver.posts.slice(0, 4).map(({headers}) => headers['webhook-id'])).size).toBe(1);
  const about = lines.filter(line => line.includes('webhook 127'));
  expect(about).toHaveLength(2);
  expect(about[0]).toMatch(
    /^warn webhook 127\.0\.0\.1:\d+: answered 503; sessions-cancelled of run run0 for rides/,
  );
  expect(about[1]).toMatch(/takes messages again$/);
});

test('a receiver that hangs keeps nobody waiting but the messages of that check', async () => {
  const receiver = await receive((post, response, number) => {
    if (post.body.store !== 'rides') taking(post, response, number);
  });
  const {open} = await setting(receiver.url);
  const alerts = open();
  await alerts.round(round({...problems}));
  await receiver.until(posts => posts.length === 1);
  const before = performance.now();
  await alerts.round(round({at: 1, cancelled: {r1: ['c1']}}));
  await alerts.round(
    round({at: 1, check: 'gym/device-sessions', kind: 'device-sessions', found: {'expired-device': 1}}),
  );
  expect(performance.now() - before).toBeLessThan(3000);
  await receiver.until(posts => posts.length === 2);
  expect(told(receiver.posts)).toEqual([`problems ${stale}`, 'problems gym/device-sessions']);
});

test('Retry-After is waited for', async () => {
  const receiver = await receive((post, response, number) =>
    number === 1
      ? answering(429, {'retry-after': '1'})(post, response, number)
      : taking(post, response, number),
  );
  const {open} = await setting(receiver.url);
  await open().round(round({...problems}));
  await receiver.until(posts => posts.length === 2);
  expect(receiver.posts[1]!.atMs - receiver.posts[0]!.atMs).toBeGreaterThanOrEqual(990);
});

test('what is refused is not sent again, and it is told what was lost', async () => {
  const receiver = await receive((post, response, number) =>
    number === 1 ? answering(404, {}, 'no_service')(post, response, number) : taking(post, response, number),
  );
  const {open, lines, directory} = await setting(receiver.url);
  const alerts = open();
  await alerts.round(round({cancelled: {r1: ['c1', 'c2']}}));
  await alerts.round(round({cancelled: {r2: ['c1']}}));
  await receiver.until(posts => posts.length === 2);
  await alerts.close();
  expect(receiver.posts.map(({body}) => body.run)).toEqual(['r1', 'r2']);
  expect(stateIn(directory).queue).toEqual([]);
  expect(lines.filter(line => line.startsWith('error'))).toEqual([
    expect.stringMatching(
      /^error webhook 127\.0\.0\.1:\d+ answered 404: no_service: it was not told sessions-cancelled of run r1 for rides\/stale-sessions: .* of 2 customers: c1, c2$/,
    ),
  ]);
});

test('what nobody takes for long is given up, and told', async () => {
  const receiver = await receive(answering(500));
  const {open, lines, directory} = await setting(receiver.url);
  const alerts = open({pauses: {firstMs: 5, mostMs: 20, giveUpMs: 150}});
  await alerts.round(round({cancelled: {r1: ['c1']}}));
  await expect.poll(() => lines.filter(line => line.startsWith('error')).length, {timeout: 20_000}).toBe(1);
  expect(lines.at(-1)).toMatch(
    /gave no good answer for 0 s \(answered 500\): it was not told sessions-cancelled of run r1/,
  );
  await expect.poll(() => stateIn(directory).queue.length).toBe(0);
  expect(receiver.posts.length).toBeGreaterThan(2);
});

test('what waits at the end is kept, told, and posted after the next start', async () => {
  const receiver = await receive(answering(503));
  const {open, lines, directory} = await setting(receiver.url);
  const alerts = open({pauses: {firstMs: 60_000, mostMs: 60_000, giveUpMs: 3_600_000}});
  await alerts.round(round({...problems, cancelled: {r1: ['c1']}}));
  await alerts.round(round({at: 1, ...problems}));
  await receiver.until(posts => posts.length === 1);
  const before = performance.now();
  await alerts.close();
  expect(performance.now() - before).toBeLessThan(6000);
  expect(lines.at(-1)).toBe('warn 2 messages were not posted yet: they are kept for the next start');
  expect(stateIn(directory)).toMatchObject({sender: null, queue: [{alert: {run: 'r1'}}, {}]});
  receiver.answer = taking;
  const seen = receiver.posts.length;
  open();
  await receiver.until(posts => posts.length === seen + 2);
  expect(told(receiver.posts.slice(seen))).toEqual([`sessions-cancelled ${stale}`, `problems ${stale}`]);
  expect(receiver.posts[seen]!.headers['webhook-id']).toBe(receiver.posts[0]!.headers['webhook-id']);
});

test('what is refused while the watch ends is told all the same', async () => {
  let refuse = (): void => undefined;
  const receiver = await receive((_, response) => {
    refuse = () => void response.writeHead(410).end();
  });
  const {open, lines, directory} = await setting(receiver.url);
  const alerts = open();
  await alerts.round(round({...problems}));
  await receiver.until(posts => posts.length === 1);
  const closed = alerts.close();
  refuse();
  await closed;
  expect(lines.at(-1)).toMatch(/^error webhook .* answered 410: it was not told problems for rides/);
  expect(stateIn(directory).queue).toEqual([]);
});

test('the end does not wait for a receiver that hangs', async () => {
  const receiver = await receive(() => undefined);
  const {open, directory} = await setting(receiver.url);
  const alerts = open();
  await alerts.round(round({...problems}));
  await receiver.until(posts => posts.length === 1);
  const before = performance.now();
  await alerts.close();
  expect(performance.now() - before).toBeLessThan(6000);
  expect(stateIn(directory).queue).toHaveLength(1);
});

test('a thousand messages wait at most; of the oldest it is told that they were dropped', async () => {
  const receiver = await receive(answering(503));
  const {open, lines, directory} = await setting(receiver.url);
  const alerts = open({pauses: {firstMs: 60_000, mostMs: 60_000, giveUpMs: 3_600_000}});
  const runs = (from: number, count: number): Record<string, string[]> =>
    Object.fromEntries(
      Array.from({length: count}, (_, index) => [`run${from + index}`, [`c${from + index}`]]),
    );
  await alerts.round(round({cancelled: runs(0, 1000)}));
  await alerts.round(round({cancelled: runs(1000, 5)}));
  expect(stateIn(directory).queue).toHaveLength(1000);
  expect(stateIn(directory).queue[0]!.alert.run).toBe('run5');
  expect(lines.filter(line => line.includes('the oldest was dropped'))).toHaveLength(5);
});

test('nothing is written where nothing has changed', async () => {
  const {directory, open} = await setting(null);
  const alerts = open();
  await alerts.round(round({at: 0, ...problems}));
  await alerts.round(round({at: 1, ...problems}));
  const {ino} = statSync(join(directory, 'watch/alerts-log.json'));
  await alerts.round(round({at: 2, ...problems}));
  expect(statSync(join(directory, 'watch/alerts-log.json')).ino).toBe(ino);
});

test('what could not be kept is told by the next look', async () => {
  const {directory, lines, open} = await setting(null);
  const memory = openMemory(directory);
  let isFull = false;
  const refusing = {
    read: memory.read,
    update: <T>(name: string, change: (before: T | null) => T): Promise<T> =>
      isFull ? Promise.reject(new Error('no space left')) : memory.update(name, change),
  };
  const alerts = open({memory: refusing});
  await alerts.round(round({at: 0}));
  isFull = true;
  await alerts.round(round({at: 1, cancelled: {r1: ['c1']}}));
  await alerts.round(round({at: 2}));
  isFull = false;
  await alerts.round(round({at: 3}));
  expect(lines).toEqual([
    'error alerts can not be kept: no space left; the next look tries again',
    expect.stringMatching(
      /^info \[staging\] rides\/stale-sessions: run r1 cancelled 1 session or request of 1 customer: c1$/,
    ),
  ]);
});

test('a run that no round told of is found and told once', async () => {
  const receiver = await receive();
  const {open} = await setting(receiver.url);
  const run: CancellingRun = {
    run: 'r1',
    at: iso(start),
    store: 'rides',
    check: stale,
    applied: 2,
    customers: ['c1', 'c2'],
  };
  const asked: string[][] = [];
  const alerts = open({
    missed: async ({runs}) => {
      asked.push([...runs]);
      return [run];
    },
  });
  await receiver.until(posts => posts.length === 1);
  await alerts.round(round({cancelled: {r1: ['c1', 'c2'], r2: ['c3']}}));
  await receiver.until(posts => posts.length === 2);
  await alerts.close();
  expect(receiver.posts.map(({body}) => [body.run, body.customers])).toEqual([
    ['r1', ['c1', 'c2']],
    ['r2', ['c3']],
  ]);
  expect(asked[0]).toEqual([]);
  expect(asked.at(-1)).toContain('r1');
});

test('neither the address nor the secret is in the log or in what is kept', async () => {
  const secret = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0';
  const receiver = await receive(
    (post, response) => void response.writeHead(400).end(`no ${post.path} with ${secret} here`),
  );
  const {open, lines, directory} = await setting(receiver.url, secret);
  const alerts = open();
  await alerts.round(round({...problems}));
  await expect.poll(() => lines.some(line => line.startsWith('error'))).toBe(true);
  await alerts.close();
  const everything = `${lines.join('\n')}\n${readFileSync(join(directory, 'watch/alerts.json'), 'utf8')}`;
  expect(everything).not.toMatch(/abcdefghijkl|T0123|c2VjcmV0/);
  expect(everything).toContain('answered 400: no ');
});
