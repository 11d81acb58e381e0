/** The guards of device sessions beside live writers, and for a user who owns the table and nothing else. */
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {deviceSessionsGuards} from '../../source/checks/device-sessions-guards.js';
import {configFromObject} from '../../source/config/load.js';
import type {DeviceSessionsConfig} from '../../source/config/schema.js';
import {gymTables} from '../../source/demo/seed-gym.js';
import type {GuardKeeper} from '../../source/guards.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {onPostgres} from '../support/on-postgres.js';
import {openClient, type PostgresServer, postgresServers} from '../support/postgres.js';
import {move, type Opened, openKeeper} from './postgres-guards-harness.js';

const {config} = configFromObject({
  stores: {
    gym: {
      kind: 'postgres',
      url: 'postgres://x',
      checks: [{check: 'device-sessions', table: 'auth_sessions'}],
    },
  },
});
const guards = deviceSessionsGuards(config.stores.gym!.checks[0] as DeviceSessionsConfig);

// A server of one backend has no writers at the same time, so this file is left out where there is none but that.
describe.each(postgresServers)('the guards of device sessions under load on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let writers: pg.Client[];
  const opened: Opened[] = [];
  const keeperAt = (url: string): GuardKeeper => {
    const own = openKeeper({...server, url});
    opened.push(own);
    return own.keeper;
  };

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  beforeEach(async () => {
    await client.query(`drop schema public cascade; create schema public; ${gymTables}`);
    writers = await Promise.all(Array.from({length: 8}, () => openClient(server)));
  });
  afterEach(async () => {
    await Promise.all([
      ...writers.map(writer => writer.end()),
      ...opened.splice(0).map(({close}) => close()),
    ]);
  });

  /** Logs one person in and out until it is stopped: a background session that is made or updated, devices that come and go. */
  const loggingIn = async (
    writer: pg.Client,
    email: string,
    told: {stopped: boolean; logins: number; errors: unknown[]},
  ): Promise<void> => {
    await writer.query(
      `insert into auth_sessions (email, session_type, protected) values ('${email}', 'background', true)`,
    );
    const login = `update auth_sessions set updated_at = now() where email = '${email}' and session_type = 'background';
      insert into auth_sessions (email, session_type, protected) values ('${email}', 'device', false);
      insert into auth_sessions (email, session_type, protected, expires_at) values ('${email}', 'device', false, now());
      delete from auth_sessions where email = '${email}' and session_type = 'device' and expires_at is not null`;
    while (!told.stopped)
      await writer.query(login).then(
        () => told.logins++,
        error => told.errors.push(error),
      );
  };

  test.each(guards)(
    'eight writers log in and out while $name comes and goes, and no row is lost',
    async ({rule}) => {
      const before = await catalogueDump(client);
      const keeper = keeperAt(server.url);
      const told = {stopped: false, logins: 0, errors: [] as unknown[]};
      const writing = writers.map((writer, index) => loggingIn(writer, `${index}@x.org`, told));
      const further = () => {
        const {logins} = told;
        return vi.waitFor(() => expect(told.logins).toBeGreaterThan(logins + 50), 10_000);
      };
      try {
        await further();
        for (let round = 0; round < 3; round++) {
          const captured = await keeper.capture(rule);
          expect(new Set(await move(keeper, rule, 'install'))).toEqual(new Set(['done']));
          expect(await keeper.state(rule)).toEqual({state: 'installed', why: null});
          await further();
          expect(await move(keeper, rule, 'uninstall', captured)).toEqual(['done']);
        }
      } finally {
        told.stopped = true;
        await Promise.all(writing);
      }
      expect(told.errors).toEqual([]);
      const {rows} = await client.query('select count(*)::int as n from auth_sessions');
      expect(rows).toEqual([{n: told.logins + writers.length}]);
      expect(await catalogueDump(client)).toBe(before);
    },
  );

  test('the owner of the table, who may create no role, installs, proves and takes away every guard', async () => {
    await client.query(`create role keeper login; alter table auth_sessions owner to keeper;
      grant create, usage on schema public to keeper; grant create on database postgres to keeper`);
    try {
      const keeper = keeperAt(server.url.replace('postgres@', 'keeper@'));
      for (const {name, rule} of guards) {
        const before = await catalogueDump(client);
        const captured = await keeper.capture(rule);
        expect(new Set(await move(keeper, rule, 'install'))).toEqual(new Set(['done']));
        const failed: string[] = [];
        let passed = 0;
        for await (const proof of keeper.prove([{guard: name, rule}]))
          if (proof.passed) passed++;
          else failed.push(`${proof.text}: ${proof.why}`);
        expect(failed).toEqual([]);
        expect(passed).toBeGreaterThan(5);
        await move(keeper, rule, 'uninstall', captured);
        expect(await catalogueDump(client)).toBe(before);
      }
    } finally {
      await Promise.all(opened.splice(0).map(({close}) => close()));
      await client.query('drop owned by keeper cascade; drop role keeper');
    }
  });
});
