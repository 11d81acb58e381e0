/** The guards of PostgreSQL: one of a kind for each key, installed beside live writers, taken back, written out, proved. */
import type pg from 'pg';
import {beforeEach, describe, expect, test} from 'vitest';
import {gymTables} from '../../source/demo/seed-gym.js';
import type {GuardKeeper} from '../../source/guards.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {onPostgres} from '../support/on-postgres.js';
import {type PostgresServer, postgresServers} from '../support/postgres.js';
import {move, named, type Opened, oneBackground, oneOpen, openKeeper} from './postgres-guards-harness.js';

describe.each(postgresServers)('guards on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let opened: Opened;
  let keeper: GuardKeeper;
  const sql = (text: string) => client.query(text);
  const add = (email: string, type = 'background') =>
    sql(`insert into auth_sessions (email, session_type) values ('${email}', '${type}')`);

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  beforeEach(async () => {
    await sql(`drop schema public cascade; create schema public; ${gymTables}`);
    opened = openKeeper(server);
    keeper = opened.keeper;
    return () => opened.close();
  });

  test('a second background session of an email is refused from then on, and the catalogue is as before afterwards', async () => {
    const before = await catalogueDump(client);
    await add('a@b.c');
    expect(await keeper.state(oneBackground)).toEqual({state: 'missing', why: null});
    expect(await keeper.capture(oneBackground)).toBeNull();
    expect(await move(keeper, oneBackground, 'install')).toEqual(['done']);
    expect(await keeper.state(oneBackground)).toEqual({state: 'installed', why: null});
    expect(await move(keeper, oneBackground, 'install')).toEqual([]);
    await expect(add(' A@B.c\u00a0')).rejects.toMatchObject({code: '23505'});
    await add('a@b.c', 'device');
    await add('other@b.c');
    expect(await move(keeper, oneBackground, 'uninstall')).toEqual(['done']);
    expect(await catalogueDump(client)).toBe(before);
    expect(await move(keeper, oneBackground, 'uninstall')).toEqual([]);
  });

  test('rows that are in the way make the step be repeated, and nothing of it is left', async () => {
    const before = await catalogueDump(client);
    await add('a@b.c');
    await add('A@b.c');
    expect(await move(keeper, oneBackground, 'install')).toEqual(['again']);
    expect(await catalogueDump(client)).toBe(before);
    await sql("delete from auth_sessions where email = 'A@b.c'");
    expect(await move(keeper, oneBackground, 'install')).toEqual(['done']);
  });

  test('a broken index that a killed build left is replaced by an install, and dropped by an uninstall', async () => {
    const before = await catalogueDump(client);
    await add('a@b.c');
    await add('A@b.c');
    const [{statements}] = (await keeper.steps(oneBackground, 'install', {before: null})) as [
      {statements: string[]},
    ];
    await expect(sql(statements[0]!)).rejects.toMatchObject({code: '23505'});
    expect(await keeper.state(oneBackground)).toMatchObject({
      state: 'drifted',
      why: expect.stringContaining('not valid'),
    });
    expect(await keeper.capture(oneBackground)).toBeNull();
    expect(await move(keeper, oneBackground, 'uninstall')).toEqual(['done']);
    expect(await catalogueDump(client)).toBe(before);
    await expect(sql(statements[0]!)).rejects.toMatchObject({code: '23505'});
    await sql("delete from auth_sessions where email = 'A@b.c'");
    expect(await move(keeper, oneBackground, 'install')).toEqual(['done']);
    expect((await keeper.state(oneBackground)).state).toBe('installed');
  });

  test.each([
    [
      'another expression',
      "create unique index auth_sessions_one_background on auth_sessions (email) where session_type = 'background'",
      'it is on (email)',
    ],
    [
      'no condition',
      'create unique index auth_sessions_one_background on auth_sessions (lower(email))',
      'it is on (lower(email))',
    ],
    [
      'another value',
      "create unique index auth_sessions_one_background on auth_sessions (%) where session_type = 'device'",
      'it is where',
    ],
    [
      'not unique',
      "create index auth_sessions_one_background on auth_sessions (%) where session_type = 'background'",
      'it is not unique',
    ],
  ])(
    'an index of the name with %s has drifted; it is put back by an uninstall',
    async (_, definition, why) => {
      const [, key] = /\((\(.*\))\) where/s.exec(
        (await keeper.steps(oneBackground, 'install', {before: null}))[0]!.statements[0]!,
      )!;
      await sql(definition.replace('%', key!));
      const dump = await catalogueDump(client);
      expect(await keeper.state(oneBackground)).toMatchObject({
        state: 'drifted',
        why: expect.stringContaining(why),
      });
      const before = await keeper.capture(oneBackground);
      expect(await move(keeper, oneBackground, 'install', before)).toEqual(['done', 'done']);
      expect((await keeper.state(oneBackground)).state).toBe('installed');
      expect(await move(keeper, oneBackground, 'uninstall', before)).toEqual(['done', 'done']);
      expect(await catalogueDump(client)).toBe(dump);
    },
  );

  test("a team's own index that does the same counts, whatever its name", async () => {
    await sql('create table rides (customer_id text, status varchar(20))');
    await sql("create unique index own on rides (customer_id) where status in ('live', 'waiting')");
    expect(await keeper.state(oneOpen)).toEqual({state: 'installed', why: 'by the index "own"'});
    expect(await keeper.steps(oneOpen, 'install', {before: null})).toEqual([]);
  });

  test.each(['text', 'varchar(20)', 'char(10)', 'status'])('a status of type %s can have it', async type => {
    await sql(
      `create type status as enum ('waiting', 'done'); create table rides (customer_id uuid, status ${type})`,
    );
    expect(await move(keeper, oneOpen, 'install')).toEqual(['done']);
    expect(await keeper.state(oneOpen)).toEqual({state: 'installed', why: null});
    const row = "insert into rides values ('00000000-0000-0000-0000-000000000001', 'waiting')";
    await sql(row);
    await expect(sql(row)).rejects.toMatchObject({code: '23505'});
    await sql(row.replace('waiting', 'done'));
  });

  test('installs at the same time do it once', async () => {
    const others = [openKeeper(server), openKeeper(server)];
    const step = (await keeper.steps(oneBackground, 'install', {before: null}))[0]!;
    const keepers = [keeper, ...others.map(other => other.keeper)];
    const answers = await Promise.all(
      keepers.map(own => own.perform(oneBackground, 'install', step, {before: null})),
    );
    expect(answers).toEqual(['done', 'done', 'done']);
    expect(await keeper.state(oneBackground)).toEqual({state: 'installed', why: null});
    await Promise.all(others.map(({close}) => close()));
  });

  test('what is not there makes it unavailable, and says why', async () => {
    const at = (rule: Partial<typeof oneOpen>) => keeper.state({...oneOpen, ...rule});
    expect(await at({})).toEqual({state: 'unavailable', why: 'there is no table "rides"'});
    await sql('create view rides as select 1 as customer_id');
    expect((await at({})).why).toContain('a view');
    expect((await at({table: 'auth_sessions'})).why).toBe('"auth_sessions" has no column "customer_id"');
    expect((await keeper.state({rule: 'unique-id', table: 'auth_sessions', id: 'id'})).state).toBe(
      'unavailable',
    );
    await expect(keeper.steps(oneOpen, 'install', {before: null})).rejects.toMatchObject({
      code: 'unsupported',
    });
  });

  test('a connector that only reads says what it would do, and does nothing', async () => {
    const reader = openKeeper(server, {readOnly: true});
    const [step] = await reader.keeper.steps(oneBackground, 'install', {before: null});
    expect(step!.statements[0]).toContain('create unique index concurrently');
    await expect(
      reader.keeper.perform(oneBackground, 'install', step!, {before: null}),
    ).rejects.toMatchObject({code: 'read-only'});
    const proofs = reader.keeper.prove([named])[Symbol.asyncIterator]();
    await expect(proofs.next()).rejects.toMatchObject({code: 'read-only'});
    expect((await keeper.state(oneBackground)).state).toBe('missing');
    await reader.close();
  });

  test('the script can be run up twice and down twice, each in one message, and leaves the schema as it was', async () => {
    const before = await catalogueDump(client);
    const up = await keeper.script([named], 'install', {whole: true});
    const down = await keeper.script([named], 'uninstall', {whole: true});
    expect(up).toMatch(/^-- /);
    await sql(up);
    await sql(up);
    expect(await keeper.state(oneBackground)).toEqual({state: 'installed', why: null});
    await sql(down);
    await sql(down);
    expect(await catalogueDump(client)).toBe(before);
  });

  test('a script is written without the server too, and is the same but for what it does not know', async () => {
    const nowhere = openKeeper({...server, url: 'postgres://nobody:secret@127.0.0.1:1/none'});
    const up = await nowhere.keeper.script([named], 'install', {whole: false});
    expect(up).toContain('the server could not be asked');
    await sql(up);
    await expect(Promise.all([add('a@b.c'), add('A@b.c')])).rejects.toMatchObject({code: '23505'});
    await nowhere.close();
  });

  test('it is proved on a copy that is gone afterwards', async () => {
    const schemas = () => catalogueSchemas(client);
    const before = [await schemas(), await catalogueDump(client)];
    const proofs = [];
    for await (const proof of keeper.prove([named])) proofs.push(proof);
    expect(proofs.filter(({passed}) => !passed)).toEqual([]);
    expect(proofs.map(({text}) => text)).toContain('a second row of the same key is refused');
    expect(proofs.map(({text}) => text)).toContain(
      'uninstalled, nothing of it is left: the catalogue is as it was before',
    );
    expect([await schemas(), await catalogueDump(client)]).toEqual(before);
  });

  test.each([
    'customer_id text, status text',
    'customer_id uuid not null, status status not null',
    'customer_id int, status varchar(8)',
  ])('it is proved on a table of %s', async list => {
    await sql(`create type status as enum ('waiting', 'live', 'done')`);
    await sql(
      `create table rides (id bigint generated always as identity, ${list}, price int not null, twice int generated always as (price * 2) stored)`,
    );
    const texts = [];
    for await (const {text, why} of keeper.prove([{guard: 'one-open-session', rule: oneOpen}])) {
      expect(why, text).toBeNull();
      texts.push(text);
    }
    expect(texts.length).toBeGreaterThanOrEqual(8);
  });

  test('a proof that fails says what happened', async () => {
    // Its condition can't be met: the column takes no such value.
    await sql("create type status as enum ('other'); create table rides (customer_id text, status status)");
    const proofs = [];
    for await (const proof of keeper.prove([{guard: 'one-open-session', rule: oneOpen}])) proofs.push(proof);
    expect(proofs).toContainEqual({
      guard: 'one-open-session',
      text: 'the guard could be proved',
      passed: false,
      why: expect.stringContaining('waiting'),
    });
    expect(await catalogueSchemas(client)).toEqual(['public']);
  });

  test('a name that something else has makes it unavailable', async () => {
    await sql(
      'create table rides (customer_id text, status text); create table rides_one_open_session (n int)',
    );
    expect((await keeper.state(oneOpen)).why).toBe(
      'the name "rides_one_open_session" is taken by another relation',
    );
    await sql(
      'drop table rides_one_open_session; create index rides_one_open_session on auth_sessions (email)',
    );
    expect((await keeper.state(oneOpen)).why).toContain('is taken by an index of auth_sessions');
    await expect(keeper.steps(oneOpen, 'install', {before: null})).rejects.toMatchObject({
      code: 'unsupported',
    });
  });

  test("a killed test's schema is dropped by the next test once it is an hour old", async () => {
    await sql(
      'create schema sesstui_test_1_old; create schema sesstui_test_1_new; create schema sesstui_test_other',
    );
    await sql("comment on schema sesstui_test_1_old is 'sesstui test of 1000'");
    await sql(
      "do $$ begin execute format('comment on schema sesstui_test_1_new is %L', 'sesstui test of ' || floor(extract(epoch from now()))::int8); end $$",
    );
    for await (const proof of keeper.prove([named])) expect(proof.why).toBeNull();
    expect(await catalogueSchemas(client)).toEqual(['public', 'sesstui_test_1_new', 'sesstui_test_other']);
    await sql('drop schema sesstui_test_1_new; drop schema sesstui_test_other');
  });

  test('on partitions it is built on each and put together, and goes as a whole', async () => {
    await sql(`create table rides (customer_id text, status text) partition by hash (customer_id);
      create table rides_0 partition of rides for values with (modulus 2, remainder 0) partition by list (customer_id);
      create table rides_0_rest partition of rides_0 default;
      create table rides_1 partition of rides for values with (modulus 2, remainder 1)`);
    const before = await catalogueDump(client);
    expect(new Set(await move(keeper, oneOpen, 'install'))).toEqual(new Set(['done']));
    expect(await keeper.state(oneOpen)).toEqual({state: 'installed', why: null});
    for (const customer of ['a', 'b', 'c', 'd']) {
      await sql(`insert into rides values ('${customer}', 'waiting')`);
      await expect(sql(`insert into rides values ('${customer}', 'live')`)).rejects.toMatchObject({
        code: '23505',
      });
    }
    expect(await move(keeper, oneOpen, 'uninstall')).toEqual(['done']);
    expect(await catalogueDump(client)).toBe(before);
    await sql(
      'drop table rides; create table rides (customer_id text, status text) partition by list (status)',
    );
    expect((await keeper.state(oneOpen)).why).toContain('is partitioned by status');
  });
});

const catalogueSchemas = async (client: pg.Client): Promise<string[]> =>
  (
    await client.query(
      "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema)' order by 1",
    )
  ).rows.map(({nspname}) => nspname as string);
