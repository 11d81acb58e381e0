import {createHash} from 'node:crypto';
import {expect, test} from 'vitest';
import {ago, short, type Tables, tester} from '../support/check-tester.js';

const salt = 'pepper';
const gym = {check: 'device-sessions', table: 'auth_sessions', fingerprint: {salt}};
const right = (email: string) => `bg-${createHash('sha256').update(`${email}-${salt}`).digest('hex')}`;
const background = (id: string, email: string, rest: object = {}) => ({
  id,
  email,
  session_type: 'background',
  protected: true,
  fingerprint: right(email.trim().toLowerCase()),
  expires_at: ago(-99),
  updated_at: ago(5),
  created_at: ago(50),
  ...rest,
});
const device = (id: string, email: string, rest: object = {}) => ({
  id,
  email,
  session_type: 'device',
  protected: false,
  fingerprint: id,
  expires_at: ago(-99),
  updated_at: ago(5),
  created_at: ago(50),
  ...rest,
});
const tables = (...rows: object[]): Tables => ({auth_sessions: {key: ['id'], rows: rows as never[]}});

test('background sessions of one email in any case and with any space are one group', async () => {
  const {findings, changes} = tester(
    gym,
    tables(
      background('b1', 'Ada@Example.com', {updated_at: ago(9)}),
      background('b2', ' ada@example.com\u00a0', {fingerprint: 'x', protected: null}),
    ),
  );
  expect(short(await findings())).toEqual([
    'ada@example.com: duplicate-background, unprotected-background, wrong-fingerprint',
  ]);
  expect(await changes('keep-latest-background')).toEqual([
    'delete auth_sessions b1',
    `update auth_sessions b2 {"protected":true,"fingerprint":"${right('ada@example.com')}"}`,
  ]);
});

test('only a device session that is known to be unprotected and past its expiry is expired', async () => {
  const expired = {expires_at: ago(1)};
  const {findings, changes} = tester(
    gym,
    tables(
      background('b', 'a@x.org', expired),
      device('d1', 'a@x.org', expired),
      device('d2', 'a@x.org', {...expired, protected: true}),
      device('d3', 'a@x.org', {...expired, protected: null}),
      device('d4', 'a@x.org', {...expired, session_type: 'kiosk'}),
      device('d5', 'a@x.org'),
      device('d6', 'a@x.org', {expires_at: null}),
    ),
  );
  expect((await findings()).map(finding => finding.rows[0]!.key.id)).toEqual(['d1']);
  expect(await changes('delete-expired')).toEqual(['delete auth_sessions d1']);
});

test('protection and fingerprint are put right; without a salt fingerprints are not compared', async () => {
  const rows = tables(
    background('b1', 'a@x.org', {protected: false}),
    background('b2', 'b@x.org', {fingerprint: 'old'}),
  );
  const {changes} = tester(gym, rows);
  expect(await changes('protect')).toEqual(['update auth_sessions b1 {"protected":true}']);
  expect(await changes('fix-fingerprint')).toEqual([
    `update auth_sessions b2 {"fingerprint":"${right('b@x.org')}"}`,
  ]);
  expect(short(await tester({...gym, fingerprint: {salt: ''}}, rows).findings())).toEqual([
    'a@x.org: unprotected-background',
  ]);
});

test('the fingerprint is cut to its length after its prefix', async () => {
  const {findings} = tester(
    {...gym, fingerprint: {salt, prefix: 'fp:', length: 12}},
    tables(background('b', 'a@x.org', {fingerprint: `fp:${right('a@x.org').slice(3, 15)}`})),
  );
  expect(await findings()).toEqual([]);
});

test('an email with device sessions only is told, as information', async () => {
  const {findings} = tester(gym, tables(device('d1', 'a@x.org'), device('d2', 'A@x.org ')));
  expect(await findings()).toMatchObject([
    {group: 'a@x.org', reasons: ['missing-background'], severity: 'info', actions: []},
  ]);
});
