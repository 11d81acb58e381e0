/** The gym's functions on real servers: many callers at once, on two connections of their own, and others beside. */
import type pg from 'pg';
import {afterEach, describe, expect, test} from 'vitest';
import {
  createDeviceSession,
  deleteExpiredDeviceSessions,
  getBackgroundSession,
  login,
  logoutDevice,
  upsertBackgroundSession,
} from '../../source/library/gym.js';
import {type Opened, openContext} from '../support/library-context.js';
import {onPostgres} from '../support/on-postgres.js';
import {type PostgresServer, postgresServers} from '../support/postgres.js';
import {freshGym, gymConfiguration, oneBackground, rightFingerprint, sessionsIn} from './gym-bench.js';
import {besideUntil} from './outside.js';

const callers = 100;
const spellings = ['ada@x.org', ' Ada@X.org', 'ADA@x.org\u00a0', '\tada@x.ORG'];
const each = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({length: count}, (_, i) => make(i));

describe.each(postgresServers)('the gym on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let opened: Opened[];

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  afterEach(() => Promise.all(opened.map(one => one.close())));

  const open = async (...guards: string[]): Promise<void> => {
    await freshGym(client, ...guards);
    const first = await openContext(gymConfiguration(server.url));
    const {stateDirectory} = first;
    opened = [first, await openContext(gymConfiguration(server.url), {stateDirectory})];
  };
  /** Every second caller has the other engine, with a connection of its own. */
  const contextOf = (index: number) => opened[index % opened.length]!.context;
  const backgroundsIn = async () =>
    (await sessionsIn(client)).filter(({session_type}) => session_type === 'background');

  describe.each([
    ['without a guard', []],
    ['with one-background', [oneBackground]],
  ])('%s', (title, guards) => {
    test(`${callers} at once make one background session of an email`, async () => {
      await open(...guards);
      const rows = await Promise.all(
        each(callers, index =>
          upsertBackgroundSession(contextOf(index), {
            email: spellings[index % spellings.length]!,
            access_token: `t${index}`,
          }),
        ),
      );
      const [row, ...others] = await backgroundsIn();
      expect(others).toEqual([]);
      expect(row).toMatchObject({protected: true, fingerprint: rightFingerprint('ada@x.org')});
      expect(new Set(rows.map(({id}) => id))).toEqual(new Set([row.id]));
      expect(new Set(rows.map(({createdAt}) => createdAt!.getTime())).size).toBe(1);
      // What is there is what the last one was told.
      expect(rows.map(({access_token}) => access_token)).toContain(row.access_token);
    });

    test('writers that know nothing of it get no second one made, and no call fails', async () => {
      await open(...guards);
      const insert = `insert into auth_sessions (email, session_type, access_token) values ($1, 'background', 'theirs') returning id`;
      const theirs = await besideUntil(
        server,
        async outside => {
          const {rows} = await outside.query(insert, ['Ada@x.org']);
          await outside.query('delete from auth_sessions where id = $1', [rows[0].id]);
        },
        () =>
          Promise.all(
            each(callers, index => upsertBackgroundSession(contextOf(index), {email: spellings[index % 4]!})),
          ),
      );
      expect(theirs.tried).toBeGreaterThan(0);
      // One of theirs may have been updated; of ours there is never a second.
      await upsertBackgroundSession(contextOf(0), {email: 'ada@x.org'});
      expect(await backgroundsIn()).toMatchObject([
        {fingerprint: rightFingerprint('ada@x.org'), protected: true},
      ]);
    });

    test(`${callers} logins at once leave one background session an email, and a device each`, async () => {
      await open(...guards);
      const logins = await Promise.all(
        each(callers, index =>
          login(contextOf(index), {email: `${index % 10}@x.org`, access_token: `t${index}`}),
        ),
      );
      const rows = await sessionsIn(client);
      const emails = rows.filter(row => row.session_type === 'background').map(({email}) => email);
      expect(emails.sort()).toEqual(each(10, index => `${index}@x.org`));
      const devices = rows.filter(row => row.session_type === 'device');
      expect(devices).toHaveLength(callers);
      expect(new Set(devices.map(({fingerprint}) => fingerprint)).size).toBe(callers);
      expect(devices.map(({id}) => id).sort()).toEqual(logins.map(({device}) => device.id).sort());
      expect(devices.every(row => row.protected === false)).toBe(true);
      const found = await Promise.all(
        each(callers, index => getBackgroundSession(contextOf(index), `${index % 10}@X.org`)),
      );
      expect(found.map(row => row!.id)).toEqual(logins.map(({background}) => background.id));
      expect((await contextOf(0).engine.check('gym/device-sessions')).byReason, title).toEqual({});
    });
  });

  test(`${callers} logouts at once delete their own device sessions and no other`, async () => {
    await open(oneBackground);
    const {background} = await login(contextOf(0), {email: 'ada@x.org'});
    const devices = await Promise.all(
      each(callers, index => createDeviceSession(contextOf(index), {email: 'ada@x.org'})),
    );
    const stays = devices.pop()!;
    const ends = await Promise.all(
      devices.map(({fingerprint}, index) => logoutDevice(contextOf(index), fingerprint!)),
    );
    expect(ends.map(({loggedOut}) => loggedOut)).toEqual(devices.map(() => 1));
    const ids = (await sessionsIn(client)).map(({id}) => id);
    expect(ids).toHaveLength(3);
    expect(ids).toEqual(expect.arrayContaining([background.id, stays.id]));
    // The same one by many: one of them deletes it.
    const same = await Promise.all(each(20, index => logoutDevice(contextOf(index), stays.fingerprint!)));
    expect(same.reduce((sum, {loggedOut}) => sum + loggedOut, 0)).toBe(1);
    const none = await Promise.all(
      each(20, index => logoutDevice(contextOf(index), background.fingerprint!)),
    );
    expect(none).toEqual(each(20, () => ({loggedOut: 0, protected: 1, run: null})));
    expect((await backgroundsIn()).map(({id}) => id)).toEqual([background.id]);
  });

  test('two cron jobs at once delete each expired device session once', async () => {
    await open();
    await client.query(`insert into auth_sessions (email, session_type, protected, expires_at)
      select 'a@x.org', 'device', i % 10 = 0, now() - interval '1 minute' from generate_series(1, 200) i`);
    const done = await Promise.all(each(4, index => deleteExpiredDeviceSessions(contextOf(index))));
    expect(done.reduce((sum, {deleted}) => sum + deleted, 0)).toBe(180);
    expect((await sessionsIn(client)).every(row => row.protected)).toBe(true);
  });
});
