/** Opening the library: configuration, read-only, production, the logger, what a call leaves behind. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {
  type Logger,
  openSesstui,
  type Sesstui,
  SesstuiError,
  type SesstuiOptions,
} from '../../source/library.js';
import {cliJson, temporaryDirectory} from '../support/cli.js';
import {startPglite} from '../support/postgres.js';
import {type PostgresStage, postgresStage, type RideRow} from './rides-stage.js';

let stage: PostgresStage;
let stateDirectory: string;
const opened: Sesstui[] = [];

beforeAll(async () => {
  stage = await postgresStage({name: 'PGlite', start: startPglite});
});
afterAll(() => stage.close());
beforeEach(async () => {
  stateDirectory = await temporaryDirectory();
  await stage.fill(rows);
});
afterEach(async () => {
  for (const sesstui of opened.splice(0)) await sesstui.close();
});

const stale = (id: string, customer: string): RideRow => ({id, customer, status: 'waiting', minutes: 42});
/** Half of the table is stale: beyond `limits.share`. */
const rows = [
  stale('s1', 'c1'),
  stale('s2', 'c2'),
  {...stale('s3', 'c3'), status: 'completed'},
  {...stale('s4', 'c4'), status: 'live'},
];

const config = (more: object = {}) => ({environment: 'test', ...more, stores: {rides: stage.store}});
const open = async (more: object = {}, options: Partial<SesstuiOptions> = {}): Promise<Sesstui> => {
  const sesstui = await openSesstui({config: config(more), stateDirectory, ...options});
  opened.push(sesstui);
  return sesstui;
};
const fault = (promise: Promise<unknown>): Promise<SesstuiError> =>
  promise.then(
    () => {
      throw new Error('it did not reject');
    },
    error => {
      expect(error).toBeInstanceOf(SesstuiError);
      return error as SesstuiError;
    },
  );
const changed = async (): Promise<string[]> =>
  Object.entries(await stage.statuses())
    .filter(([id, status]) => rows.find(row => row.id === id)?.status !== status)
    .map(([id]) => id);

test('a wrong object and a wrong file are told alike, and nothing is connected by opening', async () => {
  const wrong = {stores: {rides: {kind: 'postgres', url: 'postgres://127.0.0.1:1/x', chekcs: []}}};
  const object = await fault(openSesstui({config: wrong as never, stateDirectory}));
  const file = join(stateDirectory, 'sesstui.json');
  await writeFile(file, JSON.stringify(wrong));
  const told = await fault(openSesstui({config: file, stateDirectory}));
  for (const error of [object, told]) {
    expect(error.code).toBe('config');
    expect(error.message).toContain('checks');
  }
  const unreachable = await openSesstui({
    config: {
      stores: {
        rides: {kind: 'postgres', url: 'postgres://127.0.0.1:1/x', checks: [{check: 'stale-sessions'}]},
      },
    },
    stateDirectory,
  });
  expect((await fault(unreachable.checkCustomerSessionStatus('c1'))).code).toBe('unreachable');
  await unreachable.close();
});

test('a file takes variables from the environment', async () => {
  const file = join(stateDirectory, 'sesstui.yaml');
  const {url} = stage.store as {url: string};
  await writeFile(
    file,
    `environment: test\nstores: {rides: {kind: postgres, url: '\${LIBRARY_TEST_URL}', checks: [{check: stale-sessions}]}}`,
  );
  process.env.LIBRARY_TEST_URL = url;
  const sesstui = await openSesstui({config: file, stateDirectory});
  opened.push(sesstui);
  expect(await sesstui.checkCustomerSessionStatus('c1')).toEqual({blocked: false, blockedBy: [], cleaned: 1});
});

describe('what is not a customer', () => {
  for (const customer of [undefined, null, '', {}, 'a\0b'] as never[])
    test(`${JSON.stringify(customer)} is wrong usage, and nothing is cancelled`, async () => {
      const sesstui = await open();
      expect((await fault(sesstui.checkCustomerSessionStatus(customer))).code).toBe('usage');
      expect((await fault(sesstui.cleanupCustomerWaitingSessions(customer))).code).toBe('usage');
      expect(await changed()).toEqual([]);
    });
});

test('ids that look like JSON are those customers, and nobody else', async () => {
  const ids = ['null', '["c1"]', '"c2"', '[]', "c'1"];
  await stage.fill([...rows, ...ids.map((customer, i) => stale(`j${i}`, customer))]);
  const sesstui = await open();
  const told = await Promise.all(ids.map(id => sesstui.checkCustomerSessionStatus(id)));
  expect(told.map(({cleaned}) => cleaned)).toEqual([1, 1, 1, 1, 1]);
  expect(await stage.statuses()).toMatchObject({
    s1: 'waiting',
    s2: 'waiting',
    j0: 'cancelled',
    j4: 'cancelled',
  });
});

test('an age that is no time is wrong usage', async () => {
  const sesstui = await open();
  for (const age of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '15' as never, null as never])
    for (const call of [
      sesstui.cleanupExpiredRequests(age),
      sesstui.cleanupOrphanedSessions(age),
      sesstui.cleanupCustomerWaitingSessions('c1', age),
    ])
      expect((await fault(call)).code).toBe('usage');
  expect(await changed()).toEqual([]);
});

test('read-only, configured or as an option, is never lifted', async () => {
  for (const sesstui of [await open({readOnly: true}), await open({}, {readOnly: true})]) {
    const calls = [
      sesstui.checkCustomerSessionStatus('c1'),
      sesstui.cleanupCustomerWaitingSessions('c1'),
      sesstui.cleanupExpiredRequests(),
      sesstui.cleanupOrphanedSessions(),
      sesstui.runFullCleanup({confirm: ['test:2']}),
      sesstui.upsertSession({accountId: 'a'}),
      sesstui.startConversation(),
      sesstui.ensureConversation({conversationId: 'c'}),
      sesstui.login({email: 'a@example.com'}),
      sesstui.upsertBackgroundSession({email: 'a@example.com'}),
      sesstui.createDeviceSession({email: 'a@example.com'}),
      sesstui.logoutDevice('dev-1'),
      sesstui.deleteExpiredDeviceSessions(),
      sesstui.publishSessionKeys({deviceKey: 'd', streamId: 's', sessionIds: ['1'], envelope: 'e'}),
    ];
    for (const call of calls) expect((await fault(call)).code).toBe('read-only');
    expect((await sesstui.healthReport()).health).toBe('critical');
  }
  expect(await changed()).toEqual([]);
});

test('in production a call about one customer is its own consent, and a cleanup beyond the limits asks', async () => {
  const sesstui = await open({environment: 'production', limits: {changes: 1, share: 1}});
  const error = await fault(sesstui.runFullCleanup());
  expect(error.code).toBe('confirmation');
  expect(error.message).toBe(
    "2 changes are more than limits.changes (1): it needs {confirm: ['production:2']}",
  );
  expect(await changed()).toEqual([]);
  expect((await fault(sesstui.runFullCleanup({confirm: ['production:3']}))).code).toBe('confirmation');
  await stage.fill([...rows, stale('s5', 'c1')]);
  expect(await sesstui.checkCustomerSessionStatus('c1')).toMatchObject({blocked: false, cleaned: 2});
  expect(await sesstui.runFullCleanup()).toMatchObject({totalCleaned: 1});
});

test('a count that is confirmed is carried out', async () => {
  const sesstui = await open({environment: 'production', limits: {changes: 1}});
  expect(await sesstui.runFullCleanup({confirm: ['production:2']})).toMatchObject({
    totalCleaned: 2,
    customers: ['c1', 'c2'],
  });
});

test('a run of the library is in the history, and the command line takes it back', async () => {
  const sesstui = await open();
  const {runs} = await sesstui.runFullCleanup();
  const file = join(stateDirectory, 'sesstui.json');
  await writeFile(file, JSON.stringify(config()));
  const flags = ['--config', file, '--state-dir', stateDirectory];
  const {json: history} = await cliJson<{runs: {run: string; by: string; note: string}[]}>([
    'history',
    ...flags,
  ]);
  expect(history.runs).toMatchObject([{run: runs[0], note: 'library: runFullCleanup'}]);
  expect(history.runs[0]!.by).toMatch(/^.+@.+$/);
  expect(await changed()).toEqual(['s1', 's2']);
  await cliJson(['undo', runs[0]!, '--yes', ...flags]);
  expect(await changed()).toEqual([]);
});

test('nothing stale: nothing is written, not even to the state directory', async () => {
  const empty = join(stateDirectory, 'never');
  const sesstui = await open({}, {stateDirectory: empty});
  expect(await sesstui.checkCustomerSessionStatus('c4')).toMatchObject({
    blocked: true,
    blockedBy: [{id: 's4', status: 'live', stale: false}],
    cleaned: 0,
  });
  expect(await sesstui.checkCustomerSessionStatus('nobody')).toEqual({
    blocked: false,
    blockedBy: [],
    cleaned: 0,
  });
  expect(await sesstui.cleanupExpiredRequests()).toMatchObject({totalCleaned: 0, runs: []});
  await expect(import('node:fs/promises').then(({stat}) => stat(empty))).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

test('the check that is meant is named where several would do', async () => {
  const checks = ['one', 'two'].map(name => ({check: 'stale-sessions' as const, name}));
  const sesstui = await openSesstui({
    config: {environment: 'test', stores: {rides: {...stage.store, checks} as never}},
    stateDirectory,
  });
  opened.push(sesstui);
  const error = await fault(sesstui.checkCustomerSessionStatus('c1'));
  expect([error.code, error.message]).toEqual(['usage', 'several checks would do: rides/one, rides/two']);
  expect(await sesstui.checkCustomerSessionStatus('c1', {check: 'rides/two'})).toMatchObject({cleaned: 1});
  expect((await fault(sesstui.checkCustomerSessionStatus('c1', {check: 'rides/three'}))).code).toBe('usage');
});

test('the logger gets a line a run, and neither a credential nor a control character', async () => {
  const lines: string[] = [];
  const log =
    (level: string) =>
    (message: string, fields?: object): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger: Logger = {debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error')};
  const sesstui = await open({}, {logger});
  await sesstui.checkCustomerSessionStatus('c1');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^info checkCustomerSessionStatus: .*"applied":1/);
});

test('a row that the database refuses to cancel still blocks, and the logger says why without the password', async () => {
  const lines: string[] = [];
  const warn = (message: string, fields?: object): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const silent = (): void => undefined;
  const url = new URL((stage.store as {url: string}).url);
  url.password = 'canary-password';
  const sesstui = await openSesstui({
    config: {environment: 'test', stores: {rides: {...stage.store, url: url.href} as never}},
    stateDirectory,
    logger: {debug: silent, info: silent, warn, error: silent},
  });
  opened.push(sesstui);
  await stage.refuse('no: canary-password \u001b[2J');
  expect(await sesstui.checkCustomerSessionStatus('c1')).toMatchObject({
    blocked: true,
    blockedBy: [{id: 's1', stale: true}],
    cleaned: 0,
  });
  expect(await sesstui.cleanupOrphanedSessions()).toMatchObject({totalCleaned: 0, failed: 2});
  expect(lines[0]).toContain('no: ');
  expect(lines.join('\n')).not.toMatch(/canary-password|\\u001b/);
  await stage.refuse(null);
});

test('closing waits for calls under way, twice is once, and afterwards calls are refused', async () => {
  const sesstui = await open();
  const pending = sesstui.checkCustomerSessionStatus('c1');
  await Promise.all([sesstui.close(), sesstui.close()]);
  expect(await pending).toMatchObject({cleaned: 1});
  expect((await fault(sesstui.checkCustomerSessionStatus('c2'))).code).toBe('usage');
});
