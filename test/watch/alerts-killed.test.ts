/** Alerts of processes that are killed, and of several processes at once. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {afterEach, expect, test} from 'vitest';
import type {AlertsState} from '../../source/watch/alerts/types.js';
import type {Round} from '../../source/watch/round.js';
import {temporaryDirectory} from '../support/cli.js';
import {openReceiver, taking} from './receiver.js';
import {round} from './rounds.js';

const dist = resolve(import.meta.dirname, '../../dist/source');
const program = `
  import {createInterface} from 'node:readline';
  import {openAlerts} from ${JSON.stringify(join(dist, 'watch/alerts/alerts.js'))};
  import {openMemory} from ${JSON.stringify(join(dist, 'watch/memory.js'))};
  const [directory, webhook] = process.argv.slice(1);
  const alerts = openAlerts({
    memory: openMemory(directory), environment: 'staging', webhook, secret: null,
    log: (level, text) => console.error(level, text), redact: text => text,
    pauses: {firstMs: 5, mostMs: 40, giveUpMs: 60000},
  });
  for await (const line of createInterface(process.stdin)) {
    await alerts.round(JSON.parse(line));
    console.log('kept');
  }
  await alerts.close();
`;

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

type Watch = {round: (given: Round) => Promise<void>; kill: () => Promise<void>; end: () => Promise<void>};

const startWatch = (directory: string, url: string): Watch => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.add(child);
  const lines = createInterface(child.stdout);
  return {
    round: async given => {
      const kept = once(lines, 'line');
      child.stdin.write(`${JSON.stringify(given)}\n`);
      await kept;
    },
    kill: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    end: async () => {
      const gone = once(child, 'exit');
      child.stdin.end();
      expect(await gone).toEqual([0, null]);
    },
  };
};

const stateIn = (directory: string): AlertsState =>
  JSON.parse(readFileSync(join(directory, 'watch/alerts.json'), 'utf8')) as AlertsState;

test('what was kept before a kill is posted by the next start, soon, under the same id', async () => {
  const directory = await temporaryDirectory();
  // It has come, and the watch never learns of it.
  const receiver = await openReceiver(() => undefined);
  const killed = startWatch(directory, receiver.url);
  await killed.round(round({found: {'stale-waiting': 1}, cancelled: {r1: ['c1']}}));
  await receiver.until(posts => posts.length === 1);
  await killed.round(round({at: 1, cancelled: {r2: ['c1']}}));
  await killed.kill();
  expect(stateIn(directory).queue.map(({alert}) => alert.run)).toEqual(['r1', 'r2']);
  receiver.answer = taking;
  const restarted = performance.now();
  const next = startWatch(directory, receiver.url);
  await receiver.until(posts => posts.length === 3);
  // The killed one's say is not waited for: it is seen to be dead.
  expect(performance.now() - restarted).toBeLessThan(20_000);
  await next.round(round({at: 1, cancelled: {r2: ['c1']}}));
  await next.end();
  expect(receiver.posts.map(({body}) => body.run)).toEqual(['r1', 'r1', 'r2']);
  expect(receiver.posts[1]!.headers['webhook-id']).toBe(receiver.posts[0]!.headers['webhook-id']);
  await receiver.close();
});

test('one of several processes posts, and when it is killed another goes on', async () => {
  const directory = await temporaryDirectory();
  const receiver = await openReceiver();
  const watches = [0, 1, 2].map(() => startWatch(directory, receiver.url));
  const all = (given: Round): Promise<unknown> => Promise.all(watches.map(watch => watch.round(given)));
  for (let at = 0; at < 5; at++) await all(round({at, cancelled: {[`r${at}`]: [`c${at}`]}}));
  await receiver.until(posts => posts.length === 5);
  await watches.shift()!.kill();
  for (let at = 5; at < 10; at++)
    await all(round({at, found: {'stale-waiting': 1}, cancelled: {[`r${at}`]: [`c${at}`]}}));
  await receiver.until(posts => posts.some(({body}) => body.run === 'r9'));
  for (const watch of watches) await watch.end();
  const {posts} = receiver;
  const runs = posts.flatMap(({body}) => body.run ?? []);
  // The one that was killed may have posted its last without having noted it.
  expect([...new Set(runs)]).toEqual(Array.from({length: 10}, (_, at) => `r${at}`));
  expect(runs.length).toBeLessThanOrEqual(11);
  expect(posts.filter(({body}) => body.alert === 'problems')).toHaveLength(1);
  await receiver.close();
});
