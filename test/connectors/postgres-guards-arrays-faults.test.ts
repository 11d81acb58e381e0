/** Guards on arrays are put in and taken away while others write: on real servers, with a backend for each writer. */
import type pg from 'pg';
import {afterAll, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import {freshRegistry} from '../library/registry-bench.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {openClient, type PostgresServer, postgresServers} from '../support/postgres.js';
import {bothRules, install, mend, table, uninstall} from './guards-arrays-bench.js';
import {keyText, startWriters, type Writers} from './guards-arrays-writers.js';
import {type Bench, openBench} from './postgres-harness.js';

const constraint = 'unique_device_stream_session_ids';

const storedKeys = async (client: pg.Client): Promise<string[]> =>
  (
    await client.query(`select device_key as d, session_ids as s from ${table} where stream_id = 's'`)
  ).rows.map(({d, s}) => keyText(d, s));

/** Each of the writers goes on for so many rounds. */
const moreRounds = async ({rounds}: Writers, count: number): Promise<void> => {
  const from = [...rounds];
  await vi.waitFor(() => expect(rounds.every((now, at) => now >= from[at]! + count)).toBe(true), {
    timeout: 60_000,
    interval: 20,
  });
};

describe.each(postgresServers)('arrays guarded beside writers on $name', ({start}) => {
  let server: PostgresServer;
  let bench: Bench;
  let mender: pg.Client;
  beforeAll(async () => {
    server = await start();
    bench = await openBench(server);
    mender = await openClient(server);
  });
  afterAll(async () => {
    await mender?.end();
    await bench?.close();
  });
  beforeEach(async () => {
    await bench.client.query('drop schema public cascade; create schema public');
    await freshRegistry(bench.client);
  });
  const states = async () => {
    const seen = [];
    for (const rule of bothRules) seen.push((await bench.connector.guards.state(rule)).state);
    return seen;
  };

  test.each([
    ['a small table', 200],
    ['a table that is given an index for the time of the install', 12_000],
  ])('8 writers beside the install on %s', async (_, rows) => {
    await bench.client.query(
      `insert into ${table} select 'seed', 'other', array['b' || i / 2, 'a'], '' from generate_series(1, ${rows}) i`,
    );
    const before = await catalogueDump(bench.client);
    const writers = await startWriters(server, 8);
    await moreRounds(writers, 10);
    const {steps, before: captured} = await install(bench.connector, bothRules, () => mend(mender));
    expect(steps.some(({name}) => name.startsWith('helper'))).toBe(rows > 10_000);
    const stored = writers.stored;
    await moreRounds(writers, 10);
    expect(writers.errors).toEqual([]);
    expect(writers.stored).toBe(stored);
    expect([...writers.refusals.keys()]).toEqual([constraint]);
    const accepted = [...writers.accepted];
    const keys = await storedKeys(bench.client);
    expect(new Set(keys).size).toBe(keys.length);
    expect(accepted.filter(key => !keys.includes(key))).toEqual([]);
    expect(await states()).toEqual(['installed', 'installed']);
    await uninstall(bench.connector, bothRules, captured);
    await moreRounds(writers, 2);
    await writers.stop();
    expect(writers.errors).toEqual([]);
    expect(writers.stored).toBeGreaterThan(stored);
    expect(await catalogueDump(bench.client)).toBe(before);
  });

  test('a writer that may only insert is not refused, nor one that inserts more than there are locks for', async () => {
    await bench.client.query(`drop role if exists publisher; create role publisher;
      grant usage on schema public to publisher; grant insert on ${table} to publisher;
      alter default privileges revoke execute on functions from public`);
    try {
      await bench.client.query(
        `insert into ${table} select 'seed', 'other', array['b' || i, 'a'], '' from generate_series(1, 10001) i`,
      );
      await install(
        bench.connector,
        bothRules,
        () => mend(mender),
        async ({name}) => {
          if (name !== 'meanwhile') return;
          await bench.client.query(`begin; set local role publisher;
          insert into ${table} values ('d', 's', '{b,a}', ''); commit`);
          await bench.client.query(
            `insert into ${table} select 'bulk', 's', array['x', i::text], '' from generate_series(1, 20000) i`,
          );
          const again = bench.client.query(`insert into ${table} values ('d', 's', '{a,b}', '')`);
          await expect(again).rejects.toMatchObject({code: '23505', constraint});
        },
      );
      await bench.client.query(
        `begin; set local role publisher; insert into ${table} values ('d', 's', '{c,a}', ''); commit`,
      );
      expect(await states()).toEqual(['installed', 'installed']);
    } finally {
      await bench.client.query(
        `rollback; alter default privileges grant execute on functions to public; drop owned by publisher; drop role publisher`,
      );
    }
  });

  test('of two transactions with one set, the second waits for the first and is refused, or stored when it is undone', async () => {
    const other = await openClient(server);
    const insert = (client: pg.Client, sessions: string) =>
      client.query(`insert into ${table} values ('d', 's', '${sessions}', '')`);
    const waiting = async () => {
      await vi.waitFor(async () => {
        const {rows} = await mender.query(`select from pg_locks where locktype = 'advisory' and not granted`);
        expect(rows).toHaveLength(1);
      });
    };
    await install(
      bench.connector,
      bothRules,
      () => mend(mender),
      async ({name}) => {
        if (name !== 'meanwhile') return;
        for (const [end, sessions] of [
          ['commit', ['{a,b}', '{b,a}']],
          ['rollback', ['{c,d}', '{d,c}']],
        ] as const) {
          await bench.client.query('begin');
          await insert(bench.client, sessions[0]);
          const second = insert(other, sessions[1]).then(
            () => 'stored',
            ({code}: {code: string}) => code,
          );
          await waiting();
          await bench.client.query(end);
          expect(await second).toBe(end === 'commit' ? '23505' : 'stored');
        }
      },
    );
    await other.end();
  });

  test('a partitioned table is guarded beside writers too', async () => {
    const {client} = bench;
    await client.query(`drop table ${table}; create table ${table} (device_key varchar not null, stream_id varchar not null,
      session_ids varchar[] not null, message_envelope bytea not null) partition by hash (device_key);
      create table keys_0 partition of ${table} for values with (modulus 2, remainder 0);
      create table keys_1 partition of ${table} for values with (modulus 2, remainder 1)`);
    const before = await catalogueDump(client);
    await client.query(
      `insert into ${table} select 'd' || i % 50, 'other', array['b' || i, 'a'], '' from generate_series(1, 11000) i`,
    );
    const writers = await startWriters(server, 4);
    await moreRounds(writers, 3);
    const {before: captured} = await install(bench.connector, bothRules, () => mendParts(mender));
    const stored = writers.stored;
    await moreRounds(writers, 5);
    await writers.stop();
    expect(writers.errors).toEqual([]);
    expect(writers.stored).toBe(stored);
    const keys = await storedKeys(client);
    expect(new Set(keys).size).toBe(keys.length);
    expect(await states()).toEqual(['installed', 'installed']);
    await uninstall(bench.connector, bothRules, captured);
    expect(await catalogueDump(client)).toBe(before);
  });
});

/** A place in a partitioned table is a partition and a ctid. */
const mendParts = async (client: pg.Client): Promise<void> => {
  for (const part of ['keys_0', 'keys_1']) await mend(client, part);
};
