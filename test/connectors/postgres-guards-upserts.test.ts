/** What `INSERT … ON CONFLICT DO NOTHING` of a second row gets during the install of a guard, and afterwards. */
import type pg from 'pg';
import {beforeEach, describe, expect, test} from 'vitest';
import {gymTables} from '../../source/demo/seed-gym.js';
import type {GuardKeeper, GuardRule} from '../../source/guards.js';
import {onPostgres} from '../support/on-postgres.js';
import {type PostgresServer, postgresServers} from '../support/postgres.js';
import {type Opened, oneBackground, openKeeper} from './postgres-guards-harness.js';

const second = {
  'one-background': {
    rule: oneBackground as GuardRule,
    insert: `insert into auth_sessions (email, session_type) values ('a@b.c', 'background')`,
  },
  unique: {
    rule: {rule: 'unique', table: 'keys', columns: ['a'], unordered: []} as GuardRule,
    insert: `insert into keys (a) values ('a')`,
  },
};

describe.each(postgresServers)('upserts during an install on $name', ({start}) => {
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
      `drop schema public cascade; create schema public; ${gymTables}; create table keys (id serial primary key, a text)`,
    );
    opened = openKeeper(server);
    keeper = opened.keeper;
    return () => opened.close();
  });

  test.each(Object.entries(second))(
    '%s: a second row is refused with 23505 until the index is there, and does nothing from then on; the plan says so',
    async (_, {rule, insert}) => {
      await client.query(insert);
      const upsert = () => client.query(`${insert} on conflict do nothing`);
      const steps = await keeper.steps(rule, 'install', {before: null});
      const refusing = steps.find(({phase}) => phase === 'refuse')!;
      expect(refusing.text).toMatch(/gets 23505, .* ON CONFLICT DO NOTHING/);
      for (const step of steps) {
        await keeper.perform(rule, 'install', step, {before: null});
        if (step === refusing) await expect(upsert()).rejects.toMatchObject({code: '23505'});
      }
      expect((await keeper.state(rule)).state).toBe('installed');
      expect((await upsert()).rowCount).toBe(0);
    },
  );
});
