/**
 * Ages of documents and items (safety S8): dates, ISO 8601 with offsets and epochs as numbers and text are the same
 * moments whatever the client's clock and zone, on a server's own clock; what can't be read is never cleaned.
 */
import {join} from 'node:path';
import {MongoClient} from 'mongodb';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {dynamodbServers, makeTable, type RawItem, rawClient} from '../support/dynamodb.js';
import {documentServers} from './document-servers.js';
import {record} from './record.js';
import {type CheckJson, configured, type RunJson} from './stage.js';

const preload = join(import.meta.dirname, 'shifted-clock.mjs');
const clients = [
  {TZ: 'UTC', SESSTUI_TEST_SHIFT_MS: '0'},
  {TZ: 'UTC', SESSTUI_TEST_SHIFT_MS: '-86400000'},
  {TZ: 'Asia/Tokyo', SESSTUI_TEST_SHIFT_MS: '86400000'},
  {TZ: 'America/Los_Angeles', SESSTUI_TEST_SHIFT_MS: '0'},
].map(env => ({...env, NODE_OPTIONS: `--import=${preload}`}));

const minute = 60_000;
/** ISO 8601 of a moment as a clock `hours` ahead of UTC shows it. */
const inOffset = (ms: number, hours: number): string => {
  const sign = hours < 0 ? '-' : '+';
  return `${new Date(ms + hours * 60 * minute).toISOString().slice(0, 19)}${sign}${String(Math.abs(hours)).padStart(2, '0')}:00`;
};

type Case = {id: string; at: Date | string | number | null; plan: boolean; unknown: boolean};
const casesAt = (now: number): Case[] => {
  const spelt = (ms: number): [string, string | number][] => [
    ['iso', new Date(ms).toISOString()],
    ['tokyo', inOffset(ms, 9)],
    ['angeles', inOffset(ms, -8)],
    ['naive', new Date(ms).toISOString().slice(0, 19)],
    ['seconds', Math.floor(ms / 1000)],
    ['millis', ms],
    ['seconds-text', String(Math.floor(ms / 1000))],
    ['millis-text', String(ms)],
  ];
  const all = (name: string, ms: number, plan: boolean, unknown: boolean): Case[] =>
    spelt(ms).map(([how, at]) => ({id: `${name}-${how}`, at, plan, unknown}));
  return [
    ...all('stale', now - 20 * minute, true, false),
    ...all('fresh', now - 2 * minute, false, false),
    ...all('future', now + 10 * minute, false, true),
    {id: 'null', at: null, plan: false, unknown: true},
    {id: 'text', at: 'yesterday', plan: false, unknown: true},
    {id: 'no-date', at: '2026-02-30T10:00:00Z', plan: false, unknown: true},
    {id: 'too-large', at: 9e15, plan: false, unknown: true},
  ];
};

const check = (table: string) => ({
  check: 'stale-sessions',
  sessions: {table, customer: 'customer', createdAt: 'createdAt', updatedAt: 'updatedAt'},
  requests: {
    table: `${table}-requests`,
    customer: 'customer',
    session: 'session',
    createdAt: 'createdAt',
    updatedAt: 'updatedAt',
  },
  orphanedAfter: '400d',
});

const judged = async (store: object, cases: Case[], server: string): Promise<void> => {
  const calls = await configured({environment: 'test', stores: {rides: store}});
  const ids = (wanted: (one: Case) => boolean): string[] =>
    cases
      .filter(wanted)
      .map(({id}) => id)
      .sort();
  let first: RunJson['changes'] | undefined;
  for (const env of clients) {
    const {json} = await calls.json<RunJson>(['clean', 'rides/stale-sessions', '--action', 'cancel'], {env});
    first ??= json.changes;
    expect(json.changes.map(({key}) => Object.values(key)[0]).sort()).toEqual(ids(({plan}) => plan));
    expect(json.changes, JSON.stringify(env)).toEqual(first);
  }
  const {json} = await calls.json<CheckJson>(['check'], {env: clients[2]!});
  const unknown = json.checks[0]!.findings.filter(({reasons}) => reasons.includes('unknown-age'));
  expect(unknown.map(({rows: [row]}) => Object.values(row!.key)[0]).sort()).toEqual(ids(one => one.unknown));
  expect(json.checks[0]!.total).toBe(cases.filter(({plan, unknown: is}) => plan || is).length);
  record({
    requirement: 'S8',
    fault: "client's clock ±1 day and three zones; dates, ISO 8601, epochs",
    server,
    rounds: clients.length,
    violations: 0,
  });
};

describe.each(documentServers)('$name', ({name, start}) => {
  let server: {url: string; stop: () => Promise<void>};
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  test('the same plan for every client', {timeout: 240_000}, async () => {
    const client = new MongoClient(server.url);
    const database = client.db('rides');
    const {localTime} = await database.command({hello: 1});
    const now = (localTime as Date).getTime();
    const cases: Case[] = [
      ...casesAt(now),
      {id: 'stale-date', at: new Date(now - 20 * minute), plan: true, unknown: false},
      {id: 'fresh-date', at: new Date(now - 2 * minute), plan: false, unknown: false},
      {id: 'future-date', at: new Date(now + 10 * minute), plan: false, unknown: true},
    ];
    await database.createCollection('sessions-requests');
    await database.collection<{_id: string}>('sessions').insertMany(
      cases.map(({id, at}) => ({
        _id: id,
        id,
        customer: `c-${id}`,
        status: 'waiting',
        createdAt: at,
        updatedAt: null,
      })),
    );
    await client.close();
    await judged(
      {kind: 'mongodb', url: server.url, database: 'rides', checks: [check('sessions')]},
      cases,
      name,
    );
  });
});

describe('DynamoDB Local', () => {
  let server: {endpoint: string; stop: () => Promise<void>};
  beforeAll(async () => {
    server = await dynamodbServers()
      .find(({name}) => name === 'DynamoDB Local')!
      .start();
  }, 180_000);
  afterAll(() => server?.stop());

  test('the same plan for every client', {timeout: 240_000}, async () => {
    const cases = casesAt(Date.now());
    const client = rawClient(server.endpoint);
    const itemOf = ({id, at}: Case): RawItem => ({
      id: {S: id},
      customer: {S: `c-${id}`},
      status: {S: 'waiting'},
      createdAt: at === null ? {NULL: true} : typeof at === 'number' ? {N: String(at)} : {S: String(at)},
    });
    await makeTable(client, 'sessions', {id: 'S'}, cases.map(itemOf));
    await makeTable(client, 'sessions-requests', {id: 'S'}, []);
    client.destroy();
    const store = {
      kind: 'dynamodb',
      region: 'eu-west-1',
      endpoint: server.endpoint,
      checks: [check('sessions')],
    };
    await judged(store, cases, 'DynamoDB Local');
  });
});
