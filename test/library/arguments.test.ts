/** What a caller may give by mistake is `usage`, whatever it is, and leaves nothing behind. */
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {openSesstui, type Sesstui, SesstuiError} from '../../source/library.js';
import {temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';
import {freshGym, gymConfiguration, sessionsIn} from './gym-bench.js';

let server: PostgresServer;
let client: pg.Client;
let stateDirectory: string;
let sesstui: Sesstui;

onPglite((started, connected) => {
  server = started;
  client = connected;
});
const config = () => ({environment: 'test', ...gymConfiguration(server.url)}) as never;
beforeEach(async () => {
  await freshGym(client);
  stateDirectory = await temporaryDirectory();
  sesstui = await openSesstui({config: config(), stateDirectory});
});
afterEach(() => sesstui.close());

const codeOf = (call: () => Promise<unknown>): Promise<string> =>
  call().then(
    () => 'answered',
    error => (error instanceof SesstuiError ? error.code : `not a SesstuiError: ${error}`),
  );

test.each([
  undefined,
  null,
  {config: ''},
  ...[0, -1, 0.4, Number.NaN, '5s', 1e12].map(timeoutMs => ({config: {stores: {}}, timeoutMs})),
  {config: {stores: {}}, stateDirectory: ''},
  {config: {stores: {}}, readOnly: 'false'},
  {config: {stores: {}}, allowScan: 'false'},
])('openSesstui(%o)', async options => {
  expect(await codeOf(() => openSesstui(options as never))).toBe('usage');
});

test('a time limit that is one', async () => {
  const other = await openSesstui({config: config(), stateDirectory, timeoutMs: 5000});
  expect(await other.getBackgroundSession('a@b')).toBeNull();
  await other.close();
});

const taking = [
  'upsertSession',
  'startConversation',
  'ensureConversation',
  'login',
  'upsertBackgroundSession',
  'createDeviceSession',
  'publishSessionKeys',
] as const;

describe.each(taking)('%s', name => {
  const call = (given: unknown): Promise<string> => codeOf(() => sesstui[name](given as never));

  test.each([null, 5, 'a@b', [[]]])('of %o', async given => expect(await call(given)).toBe('usage'));
  // A conversation may begin with nothing.
  if (name !== 'startConversation')
    test('of nothing', async () => expect(await call(undefined)).toBe('usage'));
});

test.each([
  null,
  5,
  'gym/device-sessions',
  {check: 5},
  {check: null},
  {confirm: 'production:1'},
  {confirm: [1]},
])('a last argument of %o', async which => {
  expect(await codeOf(() => sesstui.getBackgroundSession('a@b', which as never))).toBe('usage');
  expect(await codeOf(() => sesstui.deleteExpiredDeviceSessions(which as never))).toBe('usage');
});

test('half a character, which no store keeps, is refused: else each login would make a row that nobody finds', async () => {
  const half = '\ud800';
  for (const call of [
    () => sesstui.login({email: `${half}@example.com`}),
    () => sesstui.getBackgroundSession(`${half}@example.com`),
    () => sesstui.createDeviceSession({email: 'a@b', access_token: half}),
    () => sesstui.createDeviceSession({email: 'a@b', cookies: {deep: [half]}}),
    () => sesstui.logoutDevice(half),
  ])
    expect(await codeOf(call)).toBe('usage');
  expect(await sessionsIn(client)).toEqual([]);
  const {background} = await sesstui.login({email: '😀@example.com'});
  expect(await sesstui.getBackgroundSession('😀@example.com')).toEqual(background);
});

test('what holds itself is refused, and what is only deep is not', async () => {
  const own: Record<string, unknown> = {};
  own.own = [own];
  expect(await codeOf(() => sesstui.createDeviceSession({email: 'a@b', cookies: own}))).toBe('usage');
  const deep = JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`) as object;
  const {cookies} = await sesstui.createDeviceSession({email: 'a@b', cookies: deep});
  expect(cookies).toEqual(deep);
});

test('a logger that fails later ends neither a call nor the process', async () => {
  const rejected: unknown[] = [];
  const note = (reason: unknown): void => void rejected.push(reason);
  process.on('unhandledRejection', note);
  const late = async (): Promise<void> => {
    throw new Error('the log is full');
  };
  const logger = {debug: late, info: late, warn: late, error: late};
  const other = await openSesstui({config: config(), stateDirectory, logger});
  await client.query(`insert into auth_sessions (email, session_type, protected, fingerprint, expires_at)
    values ('a@b', 'device', false, 'dev-1', now() - interval '1 day')`);
  await client.query(`create or replace function keep() returns trigger language plpgsql as $$
    begin raise exception 'kept'; end $$;
    create trigger keep before delete on auth_sessions for each row execute function keep()`);
  expect(await other.deleteExpiredDeviceSessions()).toMatchObject({deleted: 0, failed: 1});
  await other.close();
  // Rejections that nobody handled are told when the queue of microtasks is empty.
  await new Promise(resolve => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(rejected).toEqual([]);
});
