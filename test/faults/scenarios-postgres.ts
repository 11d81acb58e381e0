/** Runs on PostgreSQL 15: rides cancel, registry keep-first on a table without a key, gym keep-latest-background. */
import pg from 'pg';
import {canonicalJson} from '../../source/connector.js';
import {gymSalt} from '../../source/demo/config.js';
import {gymTables} from '../../source/demo/seed-gym.js';
import {registryTables} from '../../source/demo/seed-registry.js';
import {ridesTables} from '../../source/demo/seed-rides.js';
import type {Json} from '../../source/values.js';
import {startServer} from '../support/postgres.js';
import type {Rows, Scenario} from './scenario.js';

const id = (word: 'bad' | 'a0a', number: number): string =>
  `${word}00000-0000-4000-8000-${String(number).padStart(12, '0')}`;

const ridesRows = `
insert into sessions (id, customer_id, status, plan, price_cents, created_at, updated_at) values
  ('${id('bad', 1)}', 'c1', 'waiting', 'p', 100, now() - interval '50 minutes', now() - interval '50 minutes'),
  ('${id('bad', 2)}', 'c2', 'waiting', 'p', 100, now() - interval '40 minutes', now() - interval '40 minutes'),
  ('${id('bad', 3)}', 'c3', 'waiting', 'p', 100, now() - interval '20 minutes', now() - interval '20 minutes'),
  ('${id('a0a', 4)}', 'c1', 'live', 'p', 100, now() - interval '90 minutes', now() - interval '80 minutes'),
  ('${id('a0a', 5)}', 'c4', 'in_progress', 'p', 100, now() - interval '90 minutes', now() - interval '80 minutes'),
  ('${id('a0a', 6)}', 'c5', 'waiting', 'p', 100, now() - interval '1 minute', now() - interval '1 minute'),
  ('${id('a0a', 7)}', 'c6', 'completed', 'p', 100, now() - interval '9 days', now() - interval '9 days');
insert into session_requests (id, customer_id, session_id, status, created_at, updated_at) values
  ('${id('bad', 11)}', 'c2', '${id('bad', 2)}', 'pending', now() - interval '40 minutes', now() - interval '40 minutes'),
  ('${id('a0a', 12)}', 'c5', '${id('a0a', 6)}', 'pending', now() - interval '1 minute', now() - interval '1 minute'),
  ('${id('a0a', 13)}', 'c1', '${id('a0a', 4)}', 'accepted', now() - interval '90 minutes', now() - interval '90 minutes');
`;

const registryRows = `
insert into app_session_keys (device_key, stream_id, session_ids, message_envelope, created_at) values
  ('ok1', 's', '{a}', '\\x01', '2026-01-01 00:00:00.123456+00'),
  ('bad1', 's', '{a,b}', '\\x02', '2026-01-02 00:00:00+00'),
  ('bad1', 's', '{b,a}', '\\x02', '2026-01-03 00:00:00+00'),
  ('bad1', 's', '{a,b}', '\\x02', '2026-01-04 00:00:00+00'),
  ('bad2', 's', '{c}', '\\x03', '2026-01-05 00:00:00+00'),
  ('bad2', 's', '{c}', '\\x03', '2026-01-05 00:00:00+00'),
  ('ok2', 's', '{a,a,b}', '\\x04', '2026-01-06 00:00:00+00');
`;

const gymRow = (key: string, email: string, type: string, isProtected: string, day: number): string =>
  `('${key}', '${email}', '${type}', ${isProtected}, 'bg-x', 'secret-${day}', '{"a":[1,2]}',
    now() + interval '9 days', '2026-01-0${day} 00:00:00.000001+00', '2026-01-0${day} 00:00:00+00')`;

const gymRows = `
insert into auth_sessions
  (id, email, session_type, protected, fingerprint, access_token, cookies, expires_at, updated_at, created_at) values
  ${gymRow(id('bad', 1), 'one@example.test', 'background', 'true', 1)},
  ${gymRow(id('bad', 2), ' One@example.test', 'background', 'false', 2)},
  ${gymRow(id('bad', 3), 'ONE@example.test', 'background', 'null', 3)},
  ${gymRow(id('bad', 4), 'two@example.test', 'background', 'true', 4)},
  ${gymRow(id('bad', 5), 'two@example.test', 'background', 'true', 5)},
  ${gymRow(id('a0a', 6), 'one@example.test', 'device', 'true', 6)},
  ${gymRow(id('a0a', 7), 'two@example.test', 'device', 'null', 7)},
  ${gymRow(id('a0a', 8), 'three@example.test', 'background', 'true', 8)};
`;

const byId = (at: Record<string, unknown>): string => canonicalJson({id: at.id as Json});

type Table = {name: string; key: string};

export type PostgresScenarios = {scenarios: Scenario[]; stop(): Promise<void>};

/** Starts the server and opens a client of our own on it. */
export const openPostgresScenarios = async (start = startServer): Promise<PostgresScenarios> => {
  const server = await start();
  const client = new pg.Client({connectionString: server.url});
  await client.connect();
  const {rows} = await client.query<{version: string}>(
    `select current_setting('server_version_num')::int / 10000 as version`,
  );
  const version = `PostgreSQL ${rows[0]!.version}`;

  const reset = (tables: Table[], text: string) => async (): Promise<void> => {
    await client.query(`drop table if exists ${tables.map(({name}) => name).join(', ')}; ${text}`);
  };
  const read = (tables: Table[]) => async (): Promise<Rows> => {
    const found: Rows = {};
    for (const {name, key} of tables) {
      const result = await client.query<{key: string; text: string}>(
        `select ${key}::text as key, (t.*)::text as text from ${name} t`,
      );
      found[name] = new Map(
        result.rows.map(row => [key === 'ctid' ? row.key : byId({id: row.key}), row.text]),
      );
    }
    return found;
  };

  /** Until no backend of the program is left: what the dead one had sent has been committed or rolled back. */
  const settled = async (): Promise<void> => {
    const others = `select count(*)::int as count from pg_stat_activity where application_name = 'sesstui'`;
    for (;;) {
      const result = await client.query<{count: number}>(others);
      if (result.rows[0]!.count === 0) return;
    }
  };

  const scenario = (
    tables: Table[],
    text: string,
    rest: Pick<Scenario, 'name' | 'check' | 'action' | 'flags' | 'groupOf' | 'mayChange'> & {
      settings: object;
    },
  ): Scenario => {
    const [store, check] = rest.check.split('/') as [string, string];
    return {
      ...rest,
      server: version,
      stores: {[store]: {kind: 'postgres', url: server.url, checks: [{check, ...rest.settings}]}},
      reset: reset(tables, text),
      rows: read(tables),
      settled,
      keyOf: tables[0]!.key === 'ctid' ? at => String(at.ctid) : byId,
    };
  };
  const isBad = (_table: string, key: string): boolean => key.includes('bad');

  const scenarios = [
    scenario(
      [
        {name: 'sessions', key: 'id'},
        {name: 'session_requests', key: 'id'},
        {name: 'customers', key: 'id'},
      ],
      ridesTables + ridesRows,
      {
        name: 'rides cancel',
        check: 'rides/stale-sessions',
        action: 'cancel',
        // Two units a chunk, so that a run is killed between chunks too.
        flags: ['--limit-rate', '2'],
        settings: {sessions: {table: 'sessions'}, requests: {table: 'session_requests'}},
        mayChange: isBad,
        // Nothing is ever deleted.
        groupOf: (table, key) => `${table} ${key}`,
      },
    ),
    scenario([{name: 'app_session_keys', key: 'ctid'}], registryTables + registryRows, {
      name: 'registry keep-first',
      check: 'registry/duplicates',
      action: 'keep-first',
      settings: {
        table: 'app_session_keys',
        groupBy: ['device_key', 'stream_id', 'session_ids'],
        unordered: ['session_ids'],
        payload: ['message_envelope'],
        keep: 'first',
      },
      mayChange: (_table, _key, text) => text.startsWith('(bad'),
      groupOf: (_table, _key, text) => /^\((\w+)/.exec(text)![1]!,
    }),
    scenario([{name: 'auth_sessions', key: 'id'}], gymTables + gymRows, {
      name: 'gym keep-latest-background',
      check: 'gym/device-sessions',
      action: 'keep-latest-background',
      settings: {table: 'auth_sessions', fingerprint: {salt: gymSalt, prefix: 'bg-', length: 64}},
      mayChange: isBad,
      groupOf: (_table, key, text) =>
        key.includes('bad') ? /one|two/i.exec(text)![0].toLowerCase() : `row ${key}`,
    }),
  ];
  return {
    scenarios,
    stop: async () => {
      await client.end();
      await server.stop();
    },
  };
};
