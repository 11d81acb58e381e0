/** What the scripts of PostgreSQL's guards say of themselves, and what they take away besides. */
import type pg from 'pg';
import {beforeEach, describe, expect, test} from 'vitest';
import {deviceSessionsGuards} from '../../source/checks/device-sessions-guards.js';
import {gymTables} from '../../source/demo/seed-gym.js';
import type {GuardKeeper, NamedRule} from '../../source/guards.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {onPostgres} from '../support/on-postgres.js';
import {type PostgresServer, postgresServers} from '../support/postgres.js';
import {columns, named, type Opened, oneBackground, openKeeper} from './postgres-guards-harness.js';

const device: NamedRule[] = deviceSessionsGuards({table: 'auth_sessions', columns} as never).map(
  ({name, rule}) => ({guard: name, rule}),
);
const registry: NamedRule[] = [
  {guard: 'sort-trigger', rule: {rule: 'sorted', table: 'keys', columns: ['ids']}},
  {guard: 'unique', rule: {rule: 'unique', table: 'keys', columns: ['a', 'ids'], unordered: ['ids']}},
];

describe.each(postgresServers)('scripts of guards on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let opened: Opened;
  let keeper: GuardKeeper;

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  beforeEach(async () => {
    await client.query(
      `drop schema public cascade; create schema public; ${gymTables}; create table keys (a text, ids varchar[])`,
    );
    opened = openKeeper(server);
    keeper = opened.keeper;
    return () => opened.close();
  });

  test.each([
    ['the registry', registry],
    ['the gym', device],
  ])('of %s: a comment is in one piece, and right above what it is about', async (_, rules) => {
    for (const direction of ['install', 'uninstall'] as const) {
      const script = await keeper.script(rules, direction, {whole: true});
      expect(script).not.toMatch(/^--.*\n\n(?!begin;)/m);
      await client.query(script);
    }
  });

  test('the header says that row security is in it, where it is', async () => {
    const whole = await keeper.script(device, 'install', {whole: true});
    const [header] = whole.split('\n\n') as [string];
    expect(header).toMatch(/^-- Row security is in it \(row-security, opt-in elsewhere\): roles neither /m);
    expect(await keeper.script([named], 'install', {whole: false})).not.toContain('Row security is in it');
  });

  const registryUnique = registry[1]!;
  const long = 'é% '.repeat(15);
  const place = {table: 'it\'s "a" %s $$'};
  const quoted: NamedRule[] = [
    {guard: 'sort-trigger', rule: {rule: 'sorted', ...place, columns: ['i"d\'s']}},
    {guard: 'unique', rule: {rule: 'unique', ...place, columns: [long, 'i"d\'s'], unordered: ['i"d\'s']}},
  ];
  const enoughSessions = `insert into auth_sessions (email, session_type)
    select n || '@b.c', 'background' from generate_series(1, 10001) n`;
  const enoughKeys = `insert into keys select 'a' || n, array['s' || n] from generate_series(1, 10001) n`;

  describe.each([
    ['one-background', [named], enoughSessions, ['helper', 'meanwhile', 'index', 'tidy']],
    ['unique', registry, enoughKeys, ['hash', 'helper keys', 'meanwhile', 'index', 'constraint', 'tidy']],
    [
      'unique, with names that have to be quoted and cut',
      quoted,
      `create table "it's ""a"" %s $$" ("${long}" text, "i""d's" varchar[])`,
      ['hash', 'meanwhile', 'index', 'constraint', 'tidy'],
    ],
    [
      'unique of a partitioned table',
      registry,
      `drop table keys; create table keys (a text, ids varchar[]) partition by hash (a);
       create table keys_0 partition of keys for values with (modulus 2, remainder 0);
       create table keys_1 partition of keys for values with (modulus 2, remainder 1); ${enoughKeys}`,
      [
        ...['hash', 'helper keys_0', 'helper keys_1', 'meanwhile', 'index keys_0', 'index keys_1'],
        ...['constraint', 'tidy'],
      ],
    ],
  ] as [string, NamedRule[], string, string[]][])(
    'after a killed install of %s',
    (_, rules, prepare, names) => {
      const {rule} = rules.at(-1)!;
      const wholeDump = () => catalogueDump(client);
      const script = (direction: 'install' | 'uninstall') => keeper.script(rules, direction, {whole: false});
      /** Puts the guard in until before its last step, for each number of steps; `then` is to leave nothing of it. */
      const killedAfterEach = async (then: (done: number) => Promise<void>): Promise<void> => {
        for (let done = 1; done < names.length; done++) {
          const steps = await keeper.steps(rule, 'install', {before: null});
          expect(steps.map(({name}) => name)).toEqual(names);
          for (const step of steps.slice(0, done))
            expect(await keeper.perform(rule, 'install', step, {before: null})).toBe('done');
          await then(done);
        }
      };

      test('the way down takes all of it away, whether or not the index was built', async () => {
        await client.query(prepare);
        const before = await wholeDump();
        await killedAfterEach(async done => {
          expect(await wholeDump()).not.toBe(before);
          await client.query(await script('uninstall'));
          await client.query(await script('uninstall'));
          expect(await wholeDump(), `after ${done} steps`).toBe(before);
        });
      });

      test('the way up ends as from nothing, with nothing left that was for a time', async () => {
        await client.query(prepare);
        const before = await wholeDump();
        await client.query(await script('install'));
        const after = await wholeDump();
        expect(after).not.toContain('_meanwhile');
        await client.query(await script('uninstall'));
        await killedAfterEach(async done => {
          await client.query(await script('install'));
          await client.query(await script('install'));
          const found = await wholeDump();
          // The indexes of partitions that are part of the constraint already keep the install's names.
          const isThere = names[done - 1] === 'constraint';
          if (!isThere) expect(found, `after ${done} steps`).toBe(after);
          expect(found).not.toContain('_meanwhile');
          expect(await keeper.state(rule)).toEqual({state: 'installed', why: null});
          await client.query(await script('uninstall'));
          expect(await wholeDump()).toBe(before);
        });
      });
    },
  );

  test('what only has the name of such a thing stays', async () => {
    const {name} = oneBackground;
    await client.query(`create function ${name}_meanwhile() returns trigger language plpgsql as 'begin return new; end';
      create trigger ${name}_meanwhile before insert on auth_sessions for each row execute function ${name}_meanwhile();
      create unique index ${name}_meanwhile on auth_sessions (id)`);
    const before = await catalogueDump(client);
    await client.query(await keeper.script([named], 'uninstall', {whole: false}));
    expect(await catalogueDump(client)).toBe(before);
  });

  test('what only has such a name beside `unique` stays too, and so does an index of its name', async () => {
    await client.query(`create function unique_a_ids_meanwhile() returns trigger language plpgsql as 'begin return new; end';
      create function unique_a_ids_meanwhile(text, varchar[]) returns int8 language sql immutable as 'select 1::int8';
      create trigger unique_a_ids_meanwhile before insert on keys for each row execute function unique_a_ids_meanwhile();
      create index unique_a_ids_meanwhile on keys (unique_a_ids_meanwhile(a, ids));
      create unique index unique_a_ids on keys (a, ids)`);
    const before = await catalogueDump(client);
    await client.query(await keeper.script([registryUnique], 'uninstall', {whole: false}));
    expect(await catalogueDump(client)).toBe(before);
  });
});
