/** One customer over the five systems' own stores, as the demo fills them: DynamoDB, MongoDB and PostgreSQL. */
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {demoConfig} from '../../source/demo/config.js';
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import {startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';
import {person} from '../../source/demo/seed-people.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import type {CustomerReport} from '../../source/engine/customer/report.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import {temporaryDirectory} from '../support/cli.js';

const seed = 1;
let engine: FullEngine;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  // The stand-in looks at no credentials, and the driver wants some.
  process.env.AWS_ACCESS_KEY_ID ??= 'demo';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'demo';
  const [dynamodb, mongodb, postgres] = await Promise.all([
    startDynamodbFront({}),
    startMongodbStandIn({}),
    startPostgresEmbedded({}),
  ]);
  const addresses = {dynamodb: dynamodb.endpoint, mongodb: mongodb.url, postgres: postgres.url};
  for (const system of demoSystems)
    await system.fill(addresses[system.server], {rows: 60, seed}, new AbortController().signal);
  const {config} = configFromObject(demoConfig(addresses));
  engine = openEngine(config, {stateDirectory: await temporaryDirectory(), open: openConnector});
  closers.push(() => engine.close(), dynamodb.close, mongodb.close, postgres.close);
});
afterAll(async () => {
  for (const close of closers) await close();
});

/** Every value by which a row says whose it is. */
const ownersIn = ({sessions}: CustomerReport): string[] =>
  sessions.flatMap(({values}) =>
    [
      values.accountId,
      values.email,
      values['lastMessage.from'],
      values.customer_id,
      (values.lastMessage as {from?: string})?.from,
    ]
      .filter(value => typeof value === 'string')
      .map(value => value.trim().toLowerCase()),
  );

test('five people, by each of their ids: the same rows of all stores, and nobody else’s', async () => {
  const stores = new Set<string>();
  for (const number of [0, 4, 6, 9, 11]) {
    const {customerId, accountId, email} = person(seed, number);
    const own = [customerId, accountId, email];
    const reports = [];
    for (const id of [...own, email.toUpperCase()]) reports.push(await engine.customer(id));
    for (const report of reports) {
      expect(report.errors).toEqual([]);
      expect(ownersIn(report).filter(owner => !own.includes(owner))).toEqual([]);
      expect(report.sessions.map(({table, key}) => [table, key])).toEqual(
        reports[0]!.sessions.map(({table, key}) => [table, key]),
      );
      for (const {store} of report.sessions) stores.add(store);
    }
  }
  expect([...stores].sort()).toEqual(['chat', 'gym', 'kite', 'rides']);
});

test('the one who is blocked is unblocked by one change, and free', async () => {
  const {email} = person(seed, 6);
  const report = await engine.customer(email);
  expect(report.verdict).toMatch(
    /^blocked by session c354\S+ in rides: waiting for 4\d minutes, no request; cancelling it unblocks$/,
  );
  const plans = await engine.planUnblock(report);
  expect(plans.map(({planned}) => planned)).toEqual([1]);
  await engine.run(plans[0]!);
  const after = await engine.customer(email);
  expect(after).toMatchObject({blocked: false, blockedBy: []});
  expect(after.verdict).toMatch(/^not blocked \(\d+ sessions in /);
});

test('who has lost a conversation is told how it is given an id again', async () => {
  const {findings} = await engine.check('chat/null-ids');
  const lost = findings.find(({reasons}) => reasons.includes('null-id'))!;
  const key = String(lost.rows[0]!.key._id);
  const {hindrances, known} = await engine.customer(key);
  const own = hindrances.find(({reason}) => reason === 'null-id')!;
  expect(own).toMatchObject({what: 'has lost a conversation', text: 'its id is null'});
  expect(own.command).toEqual(['clean', 'chat/null-ids', '--action', 'assign-ids', '--id', key, '--yes']);
  expect((await engine.plan('chat/null-ids', 'assign-ids', {ids: [key]})).planned).toBe(1);
  // Its customer is found by it, and it by its customer.
  const email = known.find(text => text.includes('@'))!;
  const byEmail = await engine.customer(email);
  expect(byEmail.sessions.map(session => session.key._id)).toContain(key);
});

test('who cannot log in is told why, and which command mends it', async () => {
  const {findings} = await engine.check('gym/device-sessions');
  const wrong = findings.find(({reasons}) => reasons[0] === 'wrong-fingerprint')!;
  const email = String(wrong.group);
  const {verdict} = await engine.customer(email);
  expect(verdict).toContain(
    `can't log in: the fingerprint of the background session does not follow from the email; \`sesstui clean gym/device-sessions --action fix-fingerprint --customer ${email} --yes\` mends it`,
  );
});
