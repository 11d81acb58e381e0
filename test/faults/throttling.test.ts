/** A DynamoDB that limits the rate: what is retried, how often, how long it is waited for, and what is told (S6). */

import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {DynamoDBClient} from '@aws-sdk/client-dynamodb';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {openDynamodb} from '../../connectors/dynamodb/index.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Connector, Row, Unit} from '../../source/connector.js';
import {Pacer} from '../../source/engine/run/pacing.js';
import {allRows} from '../connectors/contract-answers.js';
import {cliJson, temporaryDirectory} from '../support/cli.js';
import {
  type DynamodbServer,
  dynamodbServers,
  makeTable,
  type RawItem,
  rawClient,
  scanTable,
} from '../support/dynamodb.js';
import {startThrottlingProxy, type ThrottlingProxy} from '../support/throttling-proxy.js';
import {record} from './record.js';

const name = 'DynamoDB Local';
const table = 'kite-sessions';
const now = Date.UTC(2026, 10, 21, 10) * 1000;
/** Attempts after the first, in connectors/dynamodb/write.ts. */
const mostRetries = 10;
const longestPauseMs = 3000;

let server: DynamodbServer;
let proxy: ThrottlingProxy;
let client: DynamoDBClient;
let connector: Connector;

beforeAll(async () => {
  server = await dynamodbServers()
    .find(kind => kind.name === name)!
    .start();
  client = rawClient(server.endpoint);
  proxy = await startThrottlingProxy(server.endpoint);
  connector = openDynamodb({
    store: 'kite',
    environment: 'test',
    timeoutMs: 20_000,
    readOnly: false,
    region: 'eu-west-1',
    endpoint: proxy.endpoint,
  });
});
afterAll(async () => {
  await connector?.close();
  await proxy?.stop();
  client?.destroy();
  await server?.stop();
});

/** Ten accounts with two sessions each; the older one of account n is `old-n`. */
beforeEach(async () => {
  proxy.throttle = () => null;
  const item = (id: string, account: number, minute: number): RawItem => ({
    sessionId: {S: id},
    accountId: {S: `account-${account}`},
    updatedAt: {S: `2026-11-20T09:0${minute}:00Z`},
  });
  const items = Array.from({length: 10}, (_, n) => [item(`old-${n}`, n, 1), item(`new-${n}`, n, 2)]).flat();
  await makeTable(client, table, {sessionId: 'S'}, items);
  await connector.strain!();
  proxy.asked.length = 0;
});

const ids = async (): Promise<string[]> =>
  (await scanTable(client, table)).map(item => (item.sessionId as {S: string}).S).sort();

const oldOnes = async (): Promise<Row[]> => {
  const rows = await allRows(connector, table, now);
  return rows
    .filter(row => String(row.values.sessionId).startsWith('old-'))
    .sort((a, b) => String(a.values.sessionId).localeCompare(String(b.values.sessionId)))
    .map(row => ({...row, tags: []}));
};

/** Deletes the row, alone or under the lock of its group. */
const unitOf = (row: Row, inGroup = false): Unit => ({
  group: inGroup
    ? {
        table,
        where: {in: [String(row.values.accountId)], of: {attr: 'accountId'}},
        keep: {
          by: 'latest',
          latestBy: ['updatedAt'],
          canonicalId: null,
          idAttribute: 'sessionId',
          zone: 'UTC',
        },
        keeper: {by: 'key', at: {sessionId: {S: String(row.values.sessionId).replace('old', 'new')}}},
      }
    : null,
  changes: [{table, identity: row.identity, version: row.version!, image: row.image!, op: 'delete'}],
});

/** Throttles the first `times` requests of an operation. */
const throttleFirst = (operation: string, times: number, kind: 'whole' | 'reason' = 'whole'): void => {
  let left = times;
  proxy.throttle = asked => (asked === operation && left-- > 0 ? kind : null);
};

const asked = (operation: string) => proxy.asked.filter(request => request.operation === operation);

test.each([
  ['DeleteItem', 'whole', false],
  ['TransactWriteItems', 'whole', true],
  ['TransactWriteItems', 'reason', true],
] as const)(
  '%s that is throttled (%s) k times is sent k + 1 times, and applied once',
  async (operation, kind, inGroup) => {
    const rows = await oldOnes();
    for (const [index, times] of [0, 1, 2, 4].entries()) {
      await connector.strain!();
      proxy.asked.length = 0;
      throttleFirst(operation, times, kind);
      const outcomes = await connector.apply([unitOf(rows[index]!, inGroup)], {decideKeeper});
      const exact = asked(operation).length === times + 1;
      record({
        requirement: 'S6',
        fault: `${operation} throttled k times (${kind === 'whole' ? 'refused' : 'cancelled'})`,
        server: name,
        rounds: 1,
        violations: exact && outcomes[0]![0]!.result === 'applied' ? 0 : 1,
      });
      expect(outcomes).toEqual([[{result: 'applied', after: null}]]);
      expect(asked(operation)).toHaveLength(times + 1);
      const words = `DynamoDB limited the rate ${times === 1 ? 'once' : `${times} times`} since it was last looked at`;
      expect(await connector.strain!()).toBe(times === 0 ? null : words);
      expect(await connector.strain!()).toBeNull();
    }
    expect((await ids()).filter(id => id.startsWith('old'))).toHaveLength(6);
  },
);

test('reads that are throttled are asked again, and counted', async () => {
  for (const operation of ['Scan', 'BatchGetItem']) {
    await connector.strain!();
    throttleFirst(operation, 3);
    expect(await oldOnes()).toHaveLength(10);
    expect(await connector.strain!()).toBe('DynamoDB limited the rate 3 times since it was last looked at');
  }
});

test('a throttled chunk makes the next one smaller, and is waited for once', async () => {
  const told: string[] = [];
  const pacer = new Pacer({
    unitsPerApply: connector.capabilities.unitsPerApply,
    strain: () => connector.strain!(),
    onWait: why => told.push(why),
  });
  const rows = await oldOnes();
  throttleFirst('DeleteItem', 2);
  expect(pacer.next()).toBe(25);
  await pacer.pause();
  await connector.apply(
    rows.slice(0, 5).map(row => unitOf(row)),
    {decideKeeper},
  );
  pacer.after({ms: 100, changes: 5});
  const began = performance.now();
  await pacer.pause();
  expect(performance.now() - began).toBeGreaterThan(200);
  expect(told).toEqual(['DynamoDB limited the rate 2 times since it was last looked at']);
  expect(pacer.next()).toBe(12);
});

test('one change of ten that stays throttled fails: exact counts, exit 4, and a growing, random, capped wait', async () => {
  const directory = await temporaryDirectory();
  const config = join(directory, 'sesstui.json');
  const checks = [{check: 'duplicates', table, groupBy: ['accountId'], latestBy: ['updatedAt']}];
  const stores = {kite: {kind: 'dynamodb', region: 'eu-west-1', endpoint: proxy.endpoint, checks}};
  await writeFile(config, JSON.stringify({environment: 'test', stores}));
  const isSeventh = (operation: string, body: string): boolean =>
    operation === 'TransactWriteItems' && body.includes('"old-6"');
  proxy.throttle = (operation, body) => (isSeventh(operation, body) ? 'whole' : null);
  const {code, json} = await cliJson<{
    planned: number;
    applied: number;
    failed: number;
    skipped: number;
    unknown: number;
    remaining: number;
    changes: {key: {sessionId: string}; result: string; error?: string}[];
  }>([
    'clean',
    'kite/duplicates',
    '--action',
    'keep-latest',
    '--yes',
    '--config',
    config,
    '--state-dir',
    directory,
  ]);
  expect(code).toBe(4);
  expect(json).toMatchObject({planned: 10, applied: 9, failed: 1, skipped: 0, unknown: 0, remaining: 1});
  expect(json.changes.filter(({result}) => result === 'failed')).toMatchObject([
    {key: {sessionId: 'old-6'}, error: expect.stringMatching(/limiting the rate/)},
  ]);
  expect((await ids()).filter(id => id.startsWith('old'))).toEqual(['old-6']);
  const attempts = proxy.asked.filter(({operation, body}) => isSeventh(operation, body));
  expect(attempts).toHaveLength(mostRetries + 1);
  const gaps = attempts.slice(1).map(({at}, index) => at - attempts[index]!.at);
  for (const [attempt, gap] of gaps.entries()) {
    const cap = Math.min(longestPauseMs, 50 * 2 ** attempt);
    expect(gap).toBeGreaterThanOrEqual(cap / 2 - 2);
    expect(gap).toBeLessThan(cap + 1000);
  }
  // At random: the longest pause every time would bring all clients back at once.
  expect(gaps.some((gap, attempt) => gap < 0.9 * Math.min(longestPauseMs, 50 * 2 ** attempt))).toBe(true);
  record({
    requirement: 'S6',
    fault: 'one change of ten always throttled',
    server: name,
    rounds: 1,
    violations: 0,
    note: `${attempts.length} attempts in ${(gaps.reduce((sum, gap) => sum + gap, 0) / 1000).toFixed(1)} s, exit ${code}`,
  });
});
