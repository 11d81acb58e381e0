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

  test('the way down takes what a killed install left with it, whether or not the index was built', async () => {
    await client.query(
      `insert into auth_sessions (email, session_type) select n || '@b.c', 'background' from generate_series(1, 10001) n`,
    );
    const before = await catalogueDump(client);
    const steps = await keeper.steps(oneBackground, 'install', {before: null});
    expect(steps.map(({name}) => name)).toEqual(['helper', 'meanwhile', 'index', 'tidy']);
    const down = await keeper.script([named], 'uninstall', {whole: false});
    for (let done = 1; done < steps.length; done++) {
      for (const step of steps.slice(0, done))
        expect(await keeper.perform(oneBackground, 'install', step, {before: null})).toBe('done');
      expect(await catalogueDump(client)).not.toBe(before);
      await client.query(down);
      await client.query(down);
      expect(await catalogueDump(client), `after ${done} steps`).toBe(before);
    }
  });

  test('what only has the name of such a thing stays', async () => {
    const {name} = oneBackground;
    await client.query(`create function ${name}_meanwhile() returns trigger language plpgsql as 'begin return new; end';
      create trigger ${name}_meanwhile before insert on auth_sessions for each row execute function ${name}_meanwhile();
      create unique index ${name}_meanwhile on auth_sessions (id)`);
    const before = await catalogueDump(client);
    await client.query(await keeper.script([named], 'uninstall', {whole: false}));
    expect(await catalogueDump(client)).toBe(before);
  });
});
