/** The gym's functions, one after another; many at once are in gym.servers.ts. */
import type pg from 'pg';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {digest} from '../../source/evaluate.js';
import {
  backgroundFingerprint,
  createDeviceSession,
  deleteExpiredDeviceSessions,
  getBackgroundSession,
  login,
  logoutDevice,
  upsertBackgroundSession,
} from '../../source/library/gym.js';
import {type Opened, openContext} from '../support/library-context.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';
import {faultOf} from '../support/rejections.js';
import {freshGym, gymConfiguration, oneBackground, rightFingerprint, sessionsIn} from './gym-bench.js';

let server: PostgresServer;
let client: pg.Client;
let opened: Opened;
const more: Opened[] = [];

onPglite((started, connected) => {
  server = started;
  client = connected;
});
beforeEach(async () => {
  await freshGym(client, oneBackground);
  opened = await openContext(gymConfiguration(server.url));
});
afterEach(async () => {
  await opened.close();
  await Promise.all(more.splice(0).map(other => other.close()));
});

const openWith = async (check: object, rest: object = {}): Promise<Opened> => {
  const other = await openContext({...gymConfiguration(server.url, check), ...rest});
  more.push(other);
  return other;
};

const insert = (values: string): Promise<unknown> =>
  client.query(
    `insert into auth_sessions (email, session_type, protected, fingerprint, expires_at, updated_at, created_at) values ${values}`,
  );

test('an email has one background session, made once and updated after that', async () => {
  const {context} = opened;
  const first = await upsertBackgroundSession(context, {
    email: ' Ada@Example.com\u00a0',
    access_token: 'one',
    cookies: [{name: 'a', value: 'b'}],
  });
  expect(first).toMatchObject({
    email: 'ada@example.com',
    session_type: 'background',
    type: 'background',
    protected: true,
    fingerprint: rightFingerprint('ada@example.com'),
    access_token: 'one',
    cookies: [{name: 'a', value: 'b'}],
    expiresAt: null,
    kind: 'background!',
  });
  expect(first.createdAt).toBeInstanceOf(Date);
  const second = await upsertBackgroundSession(context, {
    email: 'ADA@example.com',
    access_token: 'two',
    expiresAt: new Date('2030-01-02T03:04:05Z'),
  });
  expect(second).toMatchObject({
    id: first.id,
    created_at: first.created_at,
    access_token: 'two',
    cookies: [{name: 'a', value: 'b'}],
    expires_at: new Date('2030-01-02T03:04:05Z'),
  });
  expect(second.updatedAt!.getTime()).toBeGreaterThan(first.updatedAt!.getTime());
  expect(await sessionsIn(client)).toHaveLength(1);
});

test('of several background sessions the latest is updated, and the others are left', async () => {
  await client.query('drop index one_background');
  await insert(`
    ('Ada@x.org', 'background', false, 'old', null, now() - interval '9 minutes', now() - interval '9 days'),
    ('ada@x.org', 'background', null, 'new', null, now() - interval '1 minute', now() - interval '8 days'),
    (' ada@x.org', 'background', true, 'other', null, now() - interval '5 minutes', now() - interval '1 day'),
    ('ada@x.org', 'device', false, 'dev', null, now(), now()),
    ('bob@x.org', 'background', true, 'bob', null, now(), now())`);
  const before = await sessionsIn(client);
  const row = await upsertBackgroundSession(opened.context, {email: 'ada@x.org', access_token: 't'});
  const after = await sessionsIn(client);
  expect(row.id).toBe(before[1].id);
  expect(after[1]).toMatchObject({
    email: 'ada@x.org',
    protected: true,
    fingerprint: rightFingerprint('ada@x.org'),
    access_token: 't',
    created_at: before[1].created_at,
  });
  expect([after[0], ...after.slice(2)]).toEqual([before[0], ...before.slice(2)]);
  expect((await getBackgroundSession(opened.context, 'ADA@x.org'))!.id).toBe(row.id);
});

test('an email without a background session has none', async () => {
  await createDeviceSession(opened.context, {email: 'ada@x.org'});
  expect(await getBackgroundSession(opened.context, 'ada@x.org')).toBeNull();
});

test('an email keeps the spelling that it has, also where it is not what JavaScript makes of it', async () => {
  await insert(`('ΝΙΚΟΣ@example.gr', 'background', false, 'x', null, now(), now())`);
  await upsertBackgroundSession(opened.context, {email: 'νικος@example.gr'});
  expect((await sessionsIn(client)).map(({email}) => email)).toEqual(['ΝΙΚΟΣ@example.gr']);
});

test('a device session has a fingerprint of its own and is never protected', async () => {
  const {context} = opened;
  const expiresAt = new Date('2031-01-01T00:00:00Z');
  const first = await createDeviceSession(context, {
    email: 'Ada@x.org ',
    expiresAt,
    avatar: Buffer.from([0, 255]),
    logins: 9007199254740993n,
  });
  const second = await createDeviceSession(context, {email: 'ada@x.org', fingerprint: 'my-phone'});
  expect(first).toMatchObject({
    email: 'ada@x.org',
    type: 'device',
    protected: false,
    expires_at: expiresAt,
    avatar: Buffer.from([0, 255]),
    logins: 9007199254740993n,
  });
  expect(first.fingerprint).toMatch(/^dev-[0-9a-f]{32}$/);
  expect(second.fingerprint).toBe('my-phone');
  expect(await sessionsIn(client)).toHaveLength(2);
});

test('any number of logins leaves one background session and a device session each', async () => {
  const {context} = opened;
  const one = await login(context, {
    email: 'ada@x.org',
    access_token: 't1',
    expiresAt: new Date('2030-01-01T00:00:00Z'),
    background: {expiresAt: null},
  });
  const two = await login(context, {email: 'ADA@x.org', access_token: 't2', device: {access_token: 'own'}});
  expect(two.background).toMatchObject({id: one.background.id, access_token: 't2', expiresAt: null});
  expect(one.device.expiresAt).toEqual(new Date('2030-01-01T00:00:00Z'));
  expect(two.device.access_token).toBe('own');
  expect((await sessionsIn(client)).map(row => row.session_type).sort()).toEqual([
    'background',
    'device',
    'device',
  ]);
});

test('a logout deletes that device session, backed up, and nothing else', async () => {
  const {context} = opened;
  const {background, device} = await login(context, {email: 'ada@x.org'});
  const other = await createDeviceSession(context, {email: 'ada@x.org'});
  const gone = await logoutDevice(context, device.fingerprint!);
  expect(gone).toEqual({loggedOut: 1, protected: 0, run: expect.stringMatching(/^\d{8}T/)});
  expect((await sessionsIn(client)).map(({id}) => id)).toEqual([background.id, other.id]);
  expect(await logoutDevice(context, device.fingerprint!)).toEqual({loggedOut: 0, protected: 0, run: null});
  const undo = await context.engine.planUndo(gone.run!);
  expect((await context.engine.run(undo)).applied).toBe(1);
  expect((await sessionsIn(client)).map(({id}) => id)).toContain(device.id);
});

test('no fingerprint logs out what is background, protected, or not known to be neither', async () => {
  const {context} = opened;
  const {fingerprint} = await upsertBackgroundSession(context, {email: 'ada@x.org'});
  await insert(`
    ('a@x.org', 'device', true, 'same', null, now(), now()),
    ('b@x.org', 'device', null, 'same', null, now(), now()),
    ('c@x.org', 'kiosk', false, 'same', null, now(), now()),
    ('d@x.org', null, false, 'same', null, now(), now()),
    ('e@x.org', 'background', false, 'same', null, now(), now())`);
  const before = await sessionsIn(client);
  expect(await logoutDevice(context, fingerprint!)).toEqual({loggedOut: 0, protected: 1, run: null});
  expect(await logoutDevice(context, 'same')).toEqual({loggedOut: 0, protected: 5, run: null});
  expect(await sessionsIn(client)).toEqual(before);
});

test('expired device sessions are deleted, and only those', async () => {
  const {context} = opened;
  await insert(`
    ('a@x.org', 'device', false, 'gone', now() - interval '1 minute', now(), now()),
    ('a@x.org', 'device', true, 'kept1', now() - interval '1 minute', now(), now()),
    ('a@x.org', 'device', null, 'kept2', now() - interval '1 minute', now(), now()),
    ('a@x.org', 'background', false, 'kept3', now() - interval '1 minute', now(), now()),
    ('a@x.org', 'device', false, 'kept4', now() + interval '1 minute', now(), now()),
    ('a@x.org', 'device', false, 'kept5', null, now(), now())`);
  expect(await deleteExpiredDeviceSessions(context)).toEqual({
    deleted: 1,
    skipped: 0,
    failed: 0,
    unknown: 0,
    run: expect.stringMatching(/^\d{8}T/),
  });
  expect((await sessionsIn(client)).map(({fingerprint}) => fingerprint)).toEqual([
    'kept1',
    'kept2',
    'kept3',
    'kept4',
    'kept5',
  ]);
  expect(await deleteExpiredDeviceSessions(context)).toEqual({
    deleted: 0,
    skipped: 0,
    failed: 0,
    unknown: 0,
    run: null,
  });
});

test('production is told how many are too many to be deleted without a word', async () => {
  await insert(`('a@x.org', 'device', false, 'gone', now() - interval '1 minute', now(), now())`);
  await client.query('analyze auth_sessions');
  const {context} = await openWith({}, {environment: 'live'});
  const fault = await faultOf(deleteExpiredDeviceSessions(context));
  expect(fault.code).toBe('confirmation');
  expect(await deleteExpiredDeviceSessions(context, {confirm: ['live:1']})).toMatchObject({deleted: 1});
  const {fingerprint} = await createDeviceSession(context, {email: 'a@x.org'});
  expect(await logoutDevice(context, fingerprint!)).toMatchObject({loggedOut: 1});
});

test('a fingerprint follows from the email, the salt, and the configured prefix and length', async () => {
  expect(backgroundFingerprint(' Ada@X.org\u00a0', 'pepper')).toBe(rightFingerprint('ada@x.org'));
  expect(backgroundFingerprint('ada@x.org', 's', {prefix: 'b:', length: 8})).toBe(
    digest('ada@x.org', 's', 'b:', 8),
  );
  expect(() => backgroundFingerprint('ada@x.org', '')).toThrow('needs a salt');
  const {context} = await openWith({fingerprint: {salt: 's', prefix: 'b:', length: 8}});
  const row = await upsertBackgroundSession(context, {email: 'ada@x.org'});
  expect(row.fingerprint).toBe(digest('ada@x.org', 's', 'b:', 8));
  expect((await context.engine.check('gym/device-sessions')).byReason).toEqual({});
});

test('what is wrong with a call is said, names no value, and writes nothing', async () => {
  const {context} = opened;
  for (const email of ['', ' \u00a0', null, undefined, 7, {}])
    for (const call of [upsertBackgroundSession, createDeviceSession, login])
      expect((await faultOf(call(context, {email: email as string}))).code).toBe('usage');
  expect((await faultOf(getBackgroundSession(context, ' '))).code).toBe('usage');
  expect((await faultOf(logoutDevice(context, ''))).code).toBe('usage');
  const near = await faultOf(upsertBackgroundSession(context, {email: 'a@x.org', acess_token: 's3cret'}));
  expect(near).toMatchObject({
    code: 'usage',
    message: expect.stringContaining('the nearest is "access_token"'),
  });
  for (const name of ['type', 'session_type', 'protected', 'fingerprint', 'createdAt', 'updated_at'])
    expect(
      (await faultOf(upsertBackgroundSession(context, {email: 'a@x.org', [name]: null}))).message,
    ).toContain(`"${name}" is not the caller's to set`);
  for (const name of ['type', 'protected'])
    expect((await faultOf(createDeviceSession(context, {email: 'a@x.org', [name]: true}))).code).toBe(
      'usage',
    );
  const type = await faultOf(createDeviceSession(context, {email: 'a@x.org', logins: 's3cret'}));
  expect(type).toMatchObject({code: 'usage', message: expect.stringContaining('does not fit its column')});
  const shape = await faultOf(createDeviceSession(context, {email: 'a@x.org', cookies: () => 's3cret'}));
  expect(shape).toMatchObject({code: 'usage', message: expect.stringContaining('"cookies"')});
  for (const fault of [near, type, shape])
    expect(JSON.stringify([fault.message, fault.hint, String(fault.cause)])).not.toContain('s3cret');
  expect(await sessionsIn(client)).toEqual([]);
  const {context: saltless} = await openWith({fingerprint: {}});
  const fault = await faultOf(upsertBackgroundSession(saltless, {email: 'a@x.org'}));
  expect(fault).toMatchObject({code: 'config', message: expect.stringContaining('fingerprint.salt')});
});

test('a trigger that refuses a row quotes no token, and nothing that is given is logged', async () => {
  await client.query(`
    create or replace function refuse() returns trigger language plpgsql as $$
      begin raise exception 'not with token %', new.access_token; end $$;
    create trigger refuse before insert on auth_sessions for each row execute function refuse()`);
  const {context, logged} = opened;
  const fault = await faultOf(
    upsertBackgroundSession(context, {email: 'a@x.org', access_token: 's3cret-token'}),
  );
  expect(fault).toMatchObject({code: 'refused', message: expect.stringContaining('not with token')});
  expect(JSON.stringify([fault.message, fault.hint, String(fault.cause), logged])).not.toContain('s3cret');
});

test('a table may name its columns otherwise, and has no time zone of its own', async () => {
  await client.query(`drop table if exists signins;
    create table signins (nr int generated by default as identity primary key, mail varchar(40) not null, what text,
      safe boolean not null, print text unique, until timestamp, touched timestamp, made timestamp not null)`);
  const {context} = await openWith({
    table: 'signins',
    timeZone: 'Asia/Tokyo',
    columns: {
      id: 'nr',
      email: 'mail',
      type: 'what',
      protected: 'safe',
      fingerprint: 'print',
      expiresAt: 'until',
      updatedAt: 'touched',
      createdAt: 'made',
    },
  });
  const row = await upsertBackgroundSession(context, {email: 'ada@x.org'});
  expect(row).toMatchObject({
    id: 1,
    nr: 1,
    mail: 'ada@x.org',
    protected: true,
    print: rightFingerprint('ada@x.org'),
  });
  const {rows} = await client.query(
    `select abs(extract(epoch from (now() at time zone 'Asia/Tokyo') - made)) < 60 as made from signins`,
  );
  expect(rows).toEqual([{made: true}]);
  const device = await createDeviceSession(context, {email: 'ada@x.org', id: 77});
  expect(device).toMatchObject({nr: 77, what: 'device', safe: false});
  expect((await faultOf(createDeviceSession(context, {email: 'b@x.org', id: 77}))).code).toBe('refused');
});
