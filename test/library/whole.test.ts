/** One library over the five systems of the demo: each function finds the check that is its own, by itself. */
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {demoConfig, gymSalt} from '../../source/demo/config.js';
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import {startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import {backgroundFingerprint, openSesstui, type Sesstui, type SesstuiConfig} from '../../source/library.js';
import {temporaryDirectory} from '../support/cli.js';

let sesstui: Sesstui;
let close: () => Promise<void>;

beforeAll(async () => {
  process.env.AWS_ACCESS_KEY_ID = 'demo';
  process.env.AWS_SECRET_ACCESS_KEY = 'demo';
  const servers = await Promise.all([
    startDynamodbFront({}),
    startMongodbStandIn({}),
    startPostgresEmbedded({}),
  ]);
  const [dynamodb, mongodb, postgres] = servers;
  const addresses = {dynamodb: dynamodb.endpoint, mongodb: mongodb.url, postgres: postgres.url};
  for (const system of demoSystems)
    await system.fill(addresses[system.server], {rows: 60, seed: 1}, new AbortController().signal);
  sesstui = await openSesstui({
    config: demoConfig(addresses) as SesstuiConfig,
    stateDirectory: await temporaryDirectory(),
  });
  close = async () => {
    await sesstui.close();
    await Promise.all(servers.map(server => server.close()));
  };
});
afterAll(() => close?.());

test('rides: the customers that are blocked by what is stale are freed, the others told by what they are not', async () => {
  const ids = [7, 8, 9, 10, 11, 12, 13].map(number => `customer-${number}`);
  const told = await Promise.all(ids.map(id => sesstui.checkCustomerSessionStatus(id)));
  expect(told.map(({blockedBy}) => blockedBy.map(({status}) => status))).toEqual([
    [],
    ['waiting'],
    ['pending'],
    [],
    ['live'],
    ['in_progress'],
    ['waiting'],
  ]);
  expect((await sesstui.runFullCleanup()).totalCleaned).toBeGreaterThan(0);
  expect((await sesstui.runFullCleanup()).totalCleaned).toBe(0);
  expect((await sesstui.healthReport()).sessions.waiting.stale).toBe(0);
});

test('kite: a second login of an account is the same session', async () => {
  const first = await sesstui.upsertSession({accountId: 'library-1'});
  const second = await sesstui.upsertSession({accountId: 'library-1'});
  expect([first.created, second.created]).toEqual([true, false]);
  expect(second.session.createdAt).toEqual(first.session.createdAt);
});

test('chat: a conversation has a session id, and keeps it', async () => {
  const {sessionId} = await sesstui.ensureConversation({conversationId: 'library-1'});
  expect(sessionId).toMatch(/^[0-9a-f-]{36}$/);
  expect(await sesstui.ensureConversation({conversationId: 'library-1'})).toMatchObject({sessionId});
  expect((await sesstui.startConversation()).sessionId).not.toBe(sessionId);
});

test('gym: a login leaves one background session, and a logout leaves it there', async () => {
  const email = 'Library@Example.com';
  const one = await sesstui.login({email});
  const two = await sesstui.login({email});
  expect(two.background.id).toBe(one.background.id);
  expect(one.background.fingerprint).toBe(backgroundFingerprint(email, gymSalt));
  expect(await sesstui.logoutDevice(one.device.fingerprint as string)).toMatchObject({loggedOut: 1});
  expect(await sesstui.logoutDevice(one.background.fingerprint as string)).toMatchObject({
    loggedOut: 0,
    protected: 1,
  });
  expect(await sesstui.getBackgroundSession(email)).toMatchObject({id: one.background.id});
  expect((await sesstui.deleteExpiredDeviceSessions()).deleted).toBeGreaterThan(0);
});

test('registry: the same keys in another order are there already', async () => {
  const keys = {deviceKey: 'library', streamId: 'stream', envelope: Buffer.from('sealed')};
  expect(await sesstui.publishSessionKeys({...keys, sessionIds: ['b', 'a']})).toBe('published');
  expect(await sesstui.publishSessionKeys({...keys, sessionIds: ['a', 'b']})).toBe('already-exists');
});

test('every function is told of in the documentation', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/library.md'), 'utf8');
  const names = Object.keys(sesstui);
  expect(names).toContain('checkCustomerSessionStatus');
  expect(names.filter(name => !text.includes(`\`${name}(`))).toEqual([]);
});
