/** The guards of device sessions on PostgreSQL: what is not deleted, whose rows are whose, and migration 007. */
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import {deviceSessionsGuards} from '../../source/checks/device-sessions-guards.js';
import type {DeviceSessionsConfig} from '../../source/config/schema.js';
import type {Connector} from '../../source/connector.js';
import {gymTables} from '../../source/demo/seed-gym.js';
import type {DeviceColumns, GuardRule, NamedRule} from '../../source/guards.js';
import type {Json} from '../../source/values.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {onPostgres} from '../support/on-postgres.js';
import {type PostgresServer, postgresServers} from '../support/postgres.js';
import {settings} from './postgres-harness.js';

const columns: DeviceColumns = {
  id: 'id',
  email: 'email',
  type: 'session_type',
  protected: 'protected',
  fingerprint: 'fingerprint',
  expiresAt: 'expires_at',
  updatedAt: 'updated_at',
  createdAt: 'created_at',
};
const table = 'auth_sessions';
const all: NamedRule[] = deviceSessionsGuards({table, columns} as DeviceSessionsConfig).map(
  ({name, rule}) => ({
    guard: name,
    rule,
  }),
);
const kept: GuardRule & {rule: 'undeletable'} = {rule: 'undeletable', table, columns};
const own: GuardRule & {rule: 'own-rows'} = {rule: 'own-rows', table, columns};

describe.each(postgresServers)('the guards of device sessions on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let connector: Connector;

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  beforeEach(async () => {
    await client.query(`drop table if exists ${table} cascade; drop function if exists auth_sessions_protect_background;
      drop function if exists auth_sessions_claim; ${gymTables}`);
    connector = openPostgres({...settings, url: server.url});
  });
  afterEach(() => connector.close());

  const carryOut = async (
    rule: GuardRule,
    direction: 'install' | 'uninstall',
    before: Json | null = null,
  ): Promise<string[]> => {
    const steps = await connector.guards.steps(rule, direction, {before});
    for (const step of steps)
      expect(await connector.guards.perform(rule, direction, step, {before})).toBe('done');
    return steps.map(({text}) => text);
  };
  const install = async (rule: GuardRule): Promise<Json> => {
    const before = await connector.guards.capture(rule);
    await carryOut(rule, 'install');
    return before;
  };
  const add = (type: string | null, isProtected: boolean | null, email = 'ada@x.org'): Promise<string> =>
    client
      .query(
        `insert into ${table} (email, session_type, protected, expires_at) values ($1, $2, $3, now() - interval '1 day') returning id`,
        [email, type, isProtected],
      )
      .then(({rows}) => rows[0].id as string);
  const remove = (id: string) => client.query(`delete from ${table} where id = '${id}'`);
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (error: {code?: string}) => error.code ?? String(error),
    );
  const runScript = async (direction: 'install' | 'uninstall'): Promise<void> => {
    await client.query(await connector.guards.script(all, direction, {whole: true}));
  };
  const provedBy = async (guard: NamedRule): Promise<string[]> => {
    const texts: string[] = [];
    for await (const {text, passed, why} of connector.guards.prove([guard])) {
      expect(passed, `${text}: ${why}`).toBe(true);
      texts.push(text);
    }
    return texts;
  };

  describe('what is not deleted', () => {
    test('a background, a protected and an unknown session stay; a device session goes', async () => {
      await install(kept);
      for (const [type, isProtected] of [
        ['background', false],
        ['background', true],
        ['device', true],
        ['device', null],
        ['kiosk', false],
        [null, false],
      ] as const)
        expect(await codeOf(remove(await add(type, isProtected))), `${type} ${isProtected}`).toBe('23001');
      expect((await remove(await add('device', false))).rowCount).toBe(1);
    });

    test('the refusal names the row and says what allows the delete', async () => {
      await install(kept);
      const id = await add('background', true);
      await expect(remove(id)).rejects.toMatchObject({
        message: `session ${id} of auth_sessions is not deleted, because it is a background session: only a transaction that says set local sesstui.allow = 'on' may`,
        table: 'auth_sessions',
        constraint: 'auth_sessions_protect_background',
      });
    });

    test('a transaction that says so deletes a background session, and the next one does not', async () => {
      await install(kept);
      const [one, other] = [await add('background', true), await add('background', true)];
      await client.query(
        `begin; set local sesstui.allow = 'on'; delete from ${table} where id = '${one}'; commit`,
      );
      expect(await codeOf(remove(other))).toBe('23001');
      const {rows} = await client.query(`select id from ${table}`);
      expect(rows).toEqual([{id: other}]);
    });

    test('an operator that somebody puts in front does not open it', async () => {
      await install(kept);
      const id = await add('background', true);
      await client.query(`create schema shadow;
        create function shadow.always(text, text) returns boolean language sql as 'select true';
        create operator shadow.= (leftarg = text, rightarg = text, function = shadow.always)`);
      try {
        // Unless it is named, pg_catalog is looked through before all others.
        await client.query('set search_path = shadow, pg_catalog, public');
        expect((await client.query(`select 'a' = 'b'::text as same`)).rows).toEqual([{same: true}]);
        expect(await codeOf(client.query(`delete from ${table} where session_type is not null`))).toBe(
          '23001',
        );
        expect(id).toBeTruthy();
      } finally {
        await client.query('reset search_path; drop schema shadow cascade');
      }
    });

    test('it is missing, installed, drifted and taken away without a trace', async () => {
      const before = await catalogueDump(client);
      expect(await connector.guards.state(kept)).toEqual({state: 'missing', why: null});
      const captured = await install(kept);
      expect(captured).toBeNull();
      expect(await connector.guards.state(kept)).toEqual({state: 'installed', why: null});
      expect(await connector.guards.steps(kept, 'install', {before: null})).toEqual([]);
      await client.query(`alter table ${table} disable trigger auth_sessions_protect_background`);
      expect(await connector.guards.state(kept)).toEqual({
        state: 'drifted',
        why: 'the trigger auth_sessions_protect_background is switched off',
      });
      await carryOut(kept, 'install');
      expect((await connector.guards.state(kept)).state).toBe('installed');
      await carryOut(kept, 'uninstall', captured);
      expect(await catalogueDump(client)).toBe(before);
      expect(await carryOut(kept, 'uninstall', captured)).toEqual([]);
    });

    test('what had its name comes back with the uninstall, switched as it was', async () => {
      await client.query(`create function auth_sessions_protect_background() returns trigger language plpgsql as
        'begin return old; end';
        create trigger auth_sessions_protect_background before delete or update on ${table}
          for each row execute function auth_sessions_protect_background();
        alter table ${table} disable trigger auth_sessions_protect_background`);
      const before = await catalogueDump(client);
      expect(await connector.guards.state(kept)).toMatchObject({state: 'drifted'});
      const captured = await install(kept);
      expect(await codeOf(remove(await add('background', true)))).toBe('23001');
      await carryOut(kept, 'uninstall', captured);
      expect(await catalogueDump(client)).toBe(before);
    });

    test("its function stays while another table's trigger uses it, and the step says why", async () => {
      await install(kept);
      await client.query(`create table others (id int, session_type text, protected boolean);
        create trigger guarded before delete on others for each row execute function auth_sessions_protect_background()`);
      try {
        expect((await carryOut(kept, 'uninstall')).join()).toContain(
          'its function stays, because guarded on others uses it',
        );
        expect(await connector.guards.state(kept)).toMatchObject({state: 'missing'});
        expect(await carryOut(kept, 'uninstall')).toEqual([]);
      } finally {
        await client.query('drop table others');
      }
    });

    test('a function of another kind by its name is nobody’s to replace', async () => {
      await client.query(
        "create function auth_sessions_protect_background() returns int language sql as 'select 1'",
      );
      expect(await connector.guards.state(kept)).toEqual({
        state: 'unavailable',
        why: 'another function is called auth_sessions_protect_background',
      });
      await expect(connector.guards.steps(kept, 'install', {before: null})).rejects.toMatchObject({
        code: 'unsupported',
      });
    });

    test('a table without the columns can’t have it, and is told what adds them', async () => {
      await client.query(`alter table ${table} drop column protected`);
      expect(await connector.guards.state(kept)).toEqual({
        state: 'unavailable',
        why: '"auth_sessions" has no column "protected"; migration 007_multi_session_architecture adds what is missing (guards script)',
      });
    });

    test('names and columns that need quoting are quoted', async () => {
      await client.query(
        `create schema "Gym's"; create table "Gym's"."a ""b$sesstui$" ("I d" bigint, "e Mail" varchar(80), "Type" varchar(20), "pro""tected" boolean)`,
      );
      const odd: DeviceColumns = {
        ...columns,
        id: 'I d',
        email: 'e Mail',
        type: 'Type',
        protected: 'pro"tected',
      };
      try {
        for (const rule of ['undeletable', 'own-rows'] as const) {
          const before = await catalogueDump(client, `"Gym's"`);
          const guard: GuardRule = {rule, table: `Gym's.a "b$sesstui$`, columns: odd};
          const captured = await install(guard);
          expect(await connector.guards.state(guard)).toEqual({state: 'installed', why: null});
          await carryOut(guard, 'uninstall', captured);
          expect(await catalogueDump(client, `"Gym's"`)).toBe(before);
        }
      } finally {
        await client.query(`drop schema "Gym's" cascade`);
      }
    });
  });

  describe('whose rows are whose', () => {
    const policies = async (): Promise<string[]> =>
      (
        await client.query(`select policyname from pg_policies where tablename = '${table}' order by 1`)
      ).rows.map(({policyname}) => policyname as string);

    test('it is missing, installed, drifted and taken away without a trace', async () => {
      const before = await catalogueDump(client);
      expect(await connector.guards.state(own)).toEqual({state: 'missing', why: null});
      const captured = await install(own);
      expect(await connector.guards.state(own)).toEqual({state: 'installed', why: null});
      expect(await connector.guards.steps(own, 'install', {before: null})).toEqual([]);
      await client.query(`alter policy auth_sessions_own_select on ${table} using (session_type = 'device');
        drop policy auth_sessions_own_delete on ${table}; alter table ${table} disable row level security`);
      expect(await connector.guards.state(own)).toEqual({
        state: 'drifted',
        why: 'row level security is off; the policy auth_sessions_own_select has another USING; the policy auth_sessions_own_delete is not there',
      });
      await carryOut(own, 'install');
      expect((await connector.guards.state(own)).state).toBe('installed');
      await carryOut(own, 'uninstall', captured);
      expect(await catalogueDump(client)).toBe(before);
      expect(await carryOut(own, 'uninstall', captured)).toEqual([]);
    });

    test.each([
      ['was off', ''],
      ['was on', `alter table ${table} enable row level security`],
    ])('row security that %s is so again, also when nobody remembers', async (_, sql) => {
      await client.query(sql);
      const before = await catalogueDump(client);
      const captured = await install(own);
      await carryOut(own, 'uninstall', captured);
      expect(await catalogueDump(client)).toBe(before);
      await install(own);
      await carryOut(own, 'install');
      await carryOut(own, 'uninstall', null);
      expect(await catalogueDump(client)).toBe(before);
    });

    test("a policy of somebody else's that lets more through is told and not touched", async () => {
      await client.query(`create policy everybody on ${table} for select using (true);
        create policy less on ${table} as restrictive using (true)`);
      await install(own);
      expect(await connector.guards.state(own)).toEqual({
        state: 'drifted',
        why: 'the policy everybody (select) lets rows through besides',
      });
      await carryOut(own, 'uninstall');
      expect(await policies()).toEqual(['everybody', 'less']);
    });

    test('policies by its names come back with the uninstall', async () => {
      await client.query(`create policy auth_sessions_own_select on ${table} as restrictive for select to current_user
        using (email like 'a%' or protected)`);
      const before = await catalogueDump(client);
      const captured = await install(own);
      expect((await connector.guards.state(own)).state).toBe('installed');
      await carryOut(own, 'uninstall', captured);
      expect(await catalogueDump(client)).toBe(before);
    });

    test('row security stays on for a policy that came after it', async () => {
      const captured = await install(own);
      await client.query(`create policy later on ${table} using (true)`);
      expect((await carryOut(own, 'uninstall', captured)).join()).toContain(
        'row level security stays on, because later came after it',
      );
      expect(await policies()).toEqual(['later']);
      expect(await carryOut(own, 'uninstall', captured)).toEqual([]);
      const {rows} = await client.query(`select relrowsecurity from pg_class where relname = '${table}'`);
      expect(rows).toEqual([{relrowsecurity: true}]);
    });

    test('a collation that lower-cases alike is no drift, another one is', async () => {
      await install(own);
      const {rows} = await client.query<{name: string; qual: string}>(
        `select distinct on (collname) collname as name, qual from pg_collation, pg_policies
          where collname in ('und-x-icu', 'pg_unicode_fast', 'C') and policyname = 'auth_sessions_own_select'`,
      );
      const stateWith = async ({name, qual}: {name: string; qual: string}) => {
        const other = qual.replaceAll(/COLLATE (?:"[^"]+"|\w+)/g, `collate "${name}"`);
        await client.query(`alter policy auth_sessions_own_select on ${table} using (${other})`);
        return `${name} ${(await connector.guards.state(own)).state}`;
      };
      const states: string[] = [];
      for (const row of rows) states.push(await stateWith(row));
      expect(states.sort()).toEqual(
        rows.map(({name}) => `${name} ${name === 'C' ? 'drifted' : 'installed'}`).sort(),
      );
      expect(states.length).toBeGreaterThan(1);
    });

    test('a policy that uses the function of these keeps it, and row security, when they go', async () => {
      await runScript('install');
      await client.query(
        `create policy borrowed on ${table} using (auth_sessions_claim('email') = 'root@x.org')`,
      );
      await runScript('uninstall');
      expect(await policies()).toEqual(['borrowed']);
      const {rows} = await client.query(`select relrowsecurity from pg_class where relname = '${table}'`);
      expect(rows).toEqual([{relrowsecurity: true}]);
    });

    test('who has the privileges of service_role sees everything; who may only become it does not', async () => {
      await client.query(`create role service_role; create role helper; create role entrance noinherit;
        grant service_role to helper, entrance; grant select on ${table} to service_role, entrance`);
      await install(own);
      await add('background', true);
      const seenBy = async (role: string): Promise<number | null> => {
        await client.query(`set role ${role}`);
        return (await client.query(`select from ${table}`)).rowCount;
      };
      try {
        expect(await seenBy('service_role')).toBe(1);
        expect(await seenBy('helper')).toBe(1);
        expect(await seenBy('entrance')).toBe(0);
      } finally {
        await client.query(`reset role; drop owned by service_role, helper, entrance;
          drop role helper, entrance, service_role`);
      }
    });

    test('claims as older servers of the interface set them count too, and broken ones for nothing', async () => {
      await install(own);
      await add('device', false, ' Ada@X.org');
      await client.query(`create role signed_in; grant select on ${table} to signed_in; set role signed_in`);
      const seenWith = async (setting: string, value: string): Promise<number | null> => {
        const results = (await client.query(
          `begin; select set_config('${setting}', '${value}', true); select from ${table}; commit`,
        )) as unknown as {rowCount: number | null}[];
        return results[2]!.rowCount;
      };
      try {
        expect(await seenWith('request.jwt.claim.email', 'ada@x.org')).toBe(1);
        expect(await seenWith('request.jwt.claim.email', 'bob@x.org')).toBe(0);
        for (const claims of [
          '',
          '{',
          '[]',
          '7',
          'null',
          '{"email":7}',
          '{"email":""}',
          '{"email":["ada@x.org"]}',
        ])
          expect(await seenWith('request.jwt.claims', claims), claims).toBe(0);
        expect(await seenWith('request.jwt.claims', '{"email":"ADA@x.org "}')).toBe(1);
      } finally {
        await client.query('reset role; drop owned by signed_in; drop role signed_in');
      }
    });

    test("the table's owner goes on as before, and a role that it hides rows from is told of it", async () => {
      await install(own);
      await add('background', true);
      const {rows} = await client.query(`select count(*)::int from ${table}`);
      expect(rows).toEqual([{count: 1}]);
      await client.query(`create role reader; grant select on ${table} to reader`);
      try {
        await client.query('set role reader');
        expect((await client.query(`select from ${table}`)).rowCount).toBe(0);
        await client.query('set row_security = off');
        expect(await codeOf(client.query(`select from ${table}`))).toBe('42501');
      } finally {
        await client.query('reset row_security; reset role; drop owned by reader; drop role reader');
      }
    });
  });

  describe('proofs on a scratch copy', () => {
    test.each([
      ['the demo’s table', ''],
      [
        'a table of numbers and enumerations',
        `drop table ${table}; create type session_kind as enum ('device', 'background', 'kiosk');
        create table ${table} (id bigint generated always as identity primary key, email varchar(80) not null,
          session_type session_kind not null, protected boolean not null, tenant text not null)`,
      ],
    ])('every sentence holds on %s', async (_, sql) => {
      await client.query(sql);
      try {
        const before = await catalogueDump(client);
        const rows = await add('background', true).catch(() => null);
        expect(await provedBy({guard: 'protect-background', rule: kept})).toEqual(
          expect.arrayContaining([
            'the first login makes a background and a device session',
            'the second login updates the background session, and there is still one',
            'the delete of a background session is refused',
            'the delete of an expired device session passes',
          ]),
        );
        expect((await provedBy({guard: 'row-security', rule: own})).length).toBeGreaterThan(15);
        expect(await catalogueDump(client)).toBe(before);
        const {rows: left} = await client.query(`select from ${table}`);
        expect(left.length).toBe(rows === null ? 0 : 1);
        const {rows: roles} = await client.query("select from pg_roles where rolname like 'sesstui_proof%'");
        expect(roles).toEqual([]);
      } finally {
        await client.query(`drop table ${table}; drop type if exists session_kind; ${gymTables}`);
      }
    });
  });

  describe('migration 007', () => {
    const bare = `drop table ${table}; create table ${table} (id bigint primary key, email varchar(200))`;

    test.each([
      ['a bare table', bare],
      ["the gym's own", ''],
      [
        'a table with some of the columns',
        `alter table ${table} drop column protected, drop column fingerprint`,
      ],
      ['a table with row security', `alter table ${table} enable row level security`],
    ])('up twice and down twice leaves %s as it was', async (_, sql) => {
      await client.query(sql);
      const before = await catalogueDump(client);
      await runScript('install');
      const after = await catalogueDump(client);
      expect(after).not.toBe(before);
      await runScript('install');
      expect(await catalogueDump(client)).toBe(after);
      for (const {rule} of all)
        expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
      await runScript('uninstall');
      expect(await catalogueDump(client)).toBe(before);
      await runScript('uninstall');
      expect(await catalogueDump(client)).toBe(before);
    });

    test('rows that are there become device sessions, and a background session has to be protected', async () => {
      await client.query(`${bare}; insert into ${table} values (1, 'ada@x.org')`);
      await runScript('install');
      const {rows} = await client.query(`select session_type, protected from ${table}`);
      expect(rows).toEqual([{session_type: 'device', protected: false}]);
      const insert = (id: number, type: string, isProtected: boolean) =>
        client.query(`insert into ${table} (id, email, session_type, protected) values ($1, 'b', $2, $3)`, [
          id,
          type,
          isProtected,
        ]);
      expect(await codeOf(insert(2, 'background', false))).toBe('23514');
      expect(await codeOf(insert(2, 'kiosk', false))).toBe('23514');
      expect(await codeOf(insert(2, 'background', true))).toBe('done');
      expect(await codeOf(insert(3, 'device', false))).toBe('done');
    });

    test('background sessions from before there was a protection get it, and can be updated as before', async () => {
      await add('background', true);
      await add('device', false);
      await client.query(`alter table ${table} drop column protected`);
      await runScript('install');
      await client.query(`update ${table} set updated_at = now()`);
      const {rows} = await client.query(`select session_type, protected from ${table} order by 1`);
      expect(rows).toEqual([
        {session_type: 'background', protected: true},
        {session_type: 'device', protected: false},
      ]);
    });

    test.each([
      ['an index of its table', `on ${table} (email)`],
      ['an index of another table', 'on others (email)'],
    ])('%s that is called like its own is refused on the way up and stays on the way down', async (_, on) => {
      await client.query(`create table others (email text); create index auth_sessions_one_background ${on}`);
      const before = await catalogueDump(client);
      await expect(runScript('install')).rejects.toThrow('auth_sessions_one_background');
      await client.query('rollback');
      await runScript('uninstall');
      expect(await catalogueDump(client)).toBe(before);
      await client.query('drop table others');
    });

    test('rows that break a check go on as before: they are told, and a later run adds the check', async () => {
      const notices: string[] = [];
      const note = ({message}: {message?: string | undefined}): number => notices.push(message ?? '');
      const id = await add('tablet', false);
      await add('background', false);
      const checks = async () =>
        (
          await client.query(
            `select conname from pg_constraint where contype = 'c' and convalidated and conrelid = '${table}'::regclass order by 1`,
          )
        ).rows.map(({conname}) => conname);
      client.on('notice', note);
      await runScript('install');
      client.off('notice', note);
      expect(notices.filter(text => text.includes('left out'))).toEqual([
        'auth_sessions_known_type is left out: 1 rows are not so, and PostgreSQL would refuse each update of them. Mend them and run this again.',
      ]);
      expect(await checks()).toEqual(['auth_sessions_background_protected']);
      await client.query(`update ${table} set updated_at = now()`);
      await client.query(`update ${table} set session_type = 'device' where id = '${id}'`);
      await runScript('install');
      expect(await checks()).toEqual(['auth_sessions_background_protected', 'auth_sessions_known_type']);
    });

    test('a table without an id or an email is left as it is, with an exception that says so', async () => {
      await client.query(`alter table ${table} drop column email`);
      const before = await catalogueDump(client);
      await expect(runScript('install')).rejects.toThrow(
        '"auth_sessions" has to have these columns before it can hold sessions: email',
      );
      await client.query('rollback');
      expect(await catalogueDump(client)).toBe(before);
    });
  });
});
