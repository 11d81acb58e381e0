import {expect, test} from 'vitest';
import {Time} from '../../source/values.js';
import {ago, now, short, type Tables, tester} from '../support/check-tester.js';

const session = (
  id: string,
  customer: string,
  status: string,
  created: unknown,
  updated: unknown = created,
) => ({id, customer_id: customer, status, created_at: created, updated_at: updated}) as never;
const request = (id: string, customer: string, sessionId: string | null, status: string, created: unknown) =>
  ({
    id,
    customer_id: customer,
    session_id: sessionId,
    status,
    created_at: created,
    updated_at: created,
  }) as never;

const tables = (sessions: never[], requests: never[] = []): Tables => ({
  sessions: {key: ['id'], rows: sessions},
  session_requests: {key: ['id'], rows: requests},
});

const rides = {check: 'stale-sessions'};

test('a waiting session is stale after waitingAfter, very stale after veryStaleAfter, never both', async () => {
  const {findings} = tester(
    rides,
    tables(
      [
        session('s1', 'fresh', 'waiting', ago(14)),
        session('s2', 'stale', 'waiting', ago(16)),
        session('s3', 'very', 'waiting', ago(42)),
      ],
      ['s1', 's2', 's3'].map(id => request(`r-${id}`, 'x', id, 'accepted', ago(50))),
    ),
  );
  expect(short(await findings())).toEqual(['stale: stale-waiting', 'very: very-stale-waiting']);
});

test('a waiting session without a pending or accepted request is orphaned after orphanedAfter', async () => {
  const {findings} = tester(
    rides,
    tables(
      [session('s1', 'c1', 'waiting', ago(21)), session('s2', 'c2', 'waiting', ago(21))],
      [request('r1', 'c2', 's2', 'pending', ago(1)), request('r2', 'c1', 's1', 'cancelled', ago(1))],
    ),
  );
  expect(short(await findings())).toEqual(['c1: stale-waiting, orphaned', 'c2: stale-waiting']);
});

test('the most severe reason comes first, with the age and the evidence', async () => {
  const [finding] = await tester(rides, tables([session('s1', 'c1', 'waiting', ago(42))])).findings();
  expect(finding).toMatchObject({
    reasons: ['very-stale-waiting', 'orphaned'],
    severity: 'critical',
    ageSeconds: 2520,
    actions: ['cancel'],
  });
  expect(finding!.rows[0]).toMatchObject({
    key: {id: 's1'},
    verdict: 'cancel',
    why: 'waiting for 42 minutes: over 30m; no pending or accepted request after 20m',
  });
});

test('a row without an age, or with one that is infinite or in the future, is told and never cleaned', async () => {
  const {findings, changes} = tester(
    rides,
    tables([
      session('s1', 'none', 'waiting', null),
      session('s2', 'infinite', 'waiting', new Time(Number.NEGATIVE_INFINITY)),
      session('s3', 'future', 'waiting', ago(-60)),
      session('s4', 'text', 'waiting', 'yesterday'),
    ]),
  );
  expect(short(await findings())).toEqual([
    'future: unknown-age',
    'infinite: unknown-age',
    'none: unknown-age',
    'text: unknown-age',
  ]);
  expect(await changes('cancel')).toEqual([]);
});

test('the age counts from updatedAt where createdAt is NULL', async () => {
  const {findings} = tester(rides, tables([session('s1', 'c1', 'waiting', null, ago(16))]));
  expect((await findings())[0]!.ageSeconds).toBe(16 * 60);
});

test('active and finished sessions are no findings, however old', async () => {
  const {findings} = tester(
    rides,
    tables(
      ['live', 'in_progress', 'completed', 'cancelled'].map(status =>
        session(status, 'c', status, ago(9999)),
      ),
    ),
  );
  expect(await findings()).toEqual([]);
});

test('cancel sets the status and updatedAt, on the condition that it is still stale', async () => {
  const {plan, changes} = tester(rides, tables([session('s1', 'c1', 'waiting', ago(42))]));
  expect(await changes('cancel')).toEqual(['update sessions s1 {"status":"cancelled","updated_at":"now"}']);
  const {units} = await plan('cancel');
  expect(JSON.stringify(units[0]!.changes[0]!.still)).toContain('"waiting"');
});

test('an expired request takes the waiting session that it is linked to, and no active one', async () => {
  const {changes} = tester(
    rides,
    tables(
      [session('s1', 'c1', 'waiting', ago(5)), session('s2', 'c2', 'live', ago(5))],
      [
        request('r1', 'c1', 's1', 'pending', ago(16)),
        request('r2', 'c2', 's2', 'pending', ago(16)),
        request('r3', 'c3', 's3', 'pending', ago(14)),
      ],
    ),
  );
  expect(await changes('cancel')).toEqual([
    'update session_requests r1 {"status":"cancelled","updated_at":"now"}',
    'update sessions s1 {"status":"cancelled","updated_at":"now"}',
    'update session_requests r2 {"status":"cancelled","updated_at":"now"}',
  ]);
});

test("without a session column a request belongs to its customer's waiting sessions", async () => {
  const input = {...rides, requests: {session: null}};
  const {findings, changes} = tester(
    input,
    tables(
      [
        session('s1', 'c1', 'waiting', ago(25)),
        session('s2', 'c2', 'waiting', ago(25)),
        session('s3', 'c3', 'waiting', ago(5)),
      ],
      [request('r1', 'c1', null, 'accepted', ago(3)), request('r3', 'c3', null, 'pending', ago(16))],
    ),
  );
  expect(short(await findings())).toEqual([
    'c1: stale-waiting',
    'c2: stale-waiting, orphaned',
    'c3: expired-request',
  ]);
  expect(await changes('cancel', {groups: ['c3']})).toEqual([
    'update session_requests r3 {"status":"cancelled","updated_at":"now"}',
  ]);
});

test("ages of columns without a time zone are read in the check's timeZone", async () => {
  const naive = new Date(now / 1000 - 16 * 60_000 + 9 * 3_600_000)
    .toISOString()
    .replace('Z', '')
    .replace('T', ' ');
  const rows = tables(
    [session('s1', 'c1', 'waiting', naive)],
    [request('r', 'c1', 's1', 'accepted', ago(1))],
  );
  expect(short(await tester({...rides, timeZone: 'Asia/Tokyo'}, rows).findings())).toEqual([
    'c1: stale-waiting',
  ]);
  expect(short(await tester(rides, rows).findings())).toEqual(['c1: unknown-age']);
});

test('narrowing by customer, age and reason', async () => {
  const {changes} = tester(
    rides,
    tables([session('s1', 'c1', 'waiting', ago(42)), session('s2', 'c2', 'waiting', ago(18))]),
  );
  expect(await changes('cancel', {customer: 'c2'})).toHaveLength(1);
  expect(await changes('cancel', {olderThanMs: 20 * 60_000})).toEqual([expect.stringContaining('s1')]);
  expect(await changes('cancel', {reasons: ['stale-waiting']})).toEqual([expect.stringContaining('s2')]);
});
