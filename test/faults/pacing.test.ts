/**
 * Runs that are light on the server: on a PostgreSQL whose standby falls behind or whose clients wait for a lock,
 * and on a DynamoDB that limits the rate.
 */
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import {Strain} from '../../connectors/postgres/strain.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Connector, Row, Unit} from '../../source/connector.js';
import {Pacer} from '../../source/engine/run/pacing.js';
import {allRows} from '../connectors/contract-answers.js';
import {type Bench, openBench, settings} from '../connectors/postgres-harness.js';
import {startServer} from '../support/postgres.js';
import {type Standby, startStandby} from '../support/postgres-standby.js';
import {record} from './record.js';

const now = Date.UTC(2026, 10, 21, 10) * 1000;

describe('PostgreSQL', () => {
  let bench: Bench;
  let standby: Standby;
  let replica: pg.Client;
  let version: string;
  const sql = (text: string) => bench.client.query(text);
  const count = async (): Promise<number> =>
    Number((await sql('select count(*) from items')).rows[0].count as string);
  const fill = async (rows: number): Promise<void> => {
    await sql(`drop table if exists items, others; create table items (id int primary key, n int);
      create table others (id int primary key); insert into others values (1);
      insert into items select g, 0 from generate_series(1, ${rows}) g`);
    await bench.connector.describe('items');
  };
  const another = async (): Promise<pg.Client> => {
    const client = new pg.Client(bench.url);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const untilStrain = (connector: Connector, words: RegExp | null) =>
    vi.waitFor(
      async () => {
        const why = await connector.strain!();
        if (words === null) expect(why).toBeNull();
        else expect(why).toMatch(words);
      },
      {timeout: 30_000, interval: 100},
    );
  const waiters = (pids: number) =>
    vi.waitFor(
      async () => expect((await sql(`select from pg_locks where not granted`)).rows.length).toBe(pids),
      {timeout: 10_000, interval: 20},
    );

  beforeAll(async () => {
    bench = await openBench(await startServer());
    version = `PostgreSQL ${Number.parseInt((await sql('show server_version')).rows[0].server_version, 10)}`;
    standby = await startStandby(bench.url, 'reports');
    replica = new pg.Client(standby.url);
    replica.on('error', () => undefined);
    await replica.connect();
  });
  afterAll(async () => {
    await replica?.end();
    await standby?.stop();
    await bench?.close();
  });

  test('a standby whose replay stands still is named until it has caught up', async () => {
    await fill(10);
    await sql(`do $$ begin create role plain login; exception when duplicate_object then null; end $$`);
    const plain = openPostgres({...settings, url: bench.url.replace('postgres@', 'plain@')});
    await untilStrain(bench.connector, null);
    await replica.query('select pg_wal_replay_pause()');
    await sql('insert into items select g, 0 from generate_series(11, 2000) g');
    await untilStrain(bench.connector, /^the standby reports is \d+\.\d s behind \(\d+ kB of log\)$/);
    // A role that may not see standbys is told nothing, and no error.
    expect(await plain.strain!()).toBeNull();
    expect(await plain.now()).toBeGreaterThan(0);
    await replica.query('select pg_wal_replay_resume()');
    await untilStrain(bench.connector, null);
    await plain.close();
  });

  /** Asks the server itself, and says of each standby's own account of its lag what `told` does. */
  const asking = (strain: Strain, told: (lagMs: string) => string) => async (): Promise<string | null> => {
    const types = {getTypeParser: () => (value: string) => value};
    await sql('begin');
    const answer = await strain.ask(async statement => {
      const {rows} = await bench.client.query({...statement, rowMode: 'array', types});
      const cells = rows as (string | null)[][];
      if (!statement.text.includes('replay_lag')) return cells;
      return cells.map(([pid, name, replayed, lag, ...rest]) => [
        pid!,
        name!,
        replayed!,
        told(lag!),
        ...rest,
      ]);
    }, []);
    await sql('rollback');
    return answer;
  };

  test('lag is seen by the first question, by a server that does not measure it, and not after it is over', async () => {
    await fill(10);
    await untilStrain(bench.connector, null);
    const unmeasured = asking(new Strain(), () => '0');
    expect(await unmeasured()).toBeNull();
    await replica.query('select pg_wal_replay_pause()');
    await sql('insert into items select g, 0 from generate_series(11, 2000) g');
    const wait = {timeout: 30_000, interval: 100};
    await vi.waitFor(async () => expect(await unmeasured()).toMatch(/reports is \d+\.\d s behind/), wait);
    // By what the server measured: nothing was asked before that this could be told from.
    await vi.waitFor(async () => {
      await sql('insert into others select max(id) + 1 from others');
      expect(await asking(new Strain(), lag => lag)()).toMatch(/reports is \d+\.\d s behind/);
    }, wait);
    await replica.query('select pg_wal_replay_resume()');
    // What was measured is shown for a while after the standby has caught up.
    await vi.waitFor(async () => expect(await asking(new Strain(), () => '60000')()).toBeNull(), wait);
    await vi.waitFor(async () => expect(await unmeasured()).toBeNull(), wait);
  });

  test('a run writes nothing while the standby is behind, and goes on when it has caught up', async () => {
    await fill(1200);
    const rows: Row[] = (await allRows(bench.connector, 'items', now)).map(row => ({...row, tags: []}));
    const units: Unit[] = rows.map(({table, identity, version: seen, image}) => ({
      group: null,
      changes: [{table, identity, version: seen!, image: image!, op: 'delete'}],
    }));
    const told: string[] = [];
    const pacer = new Pacer({
      unitsPerApply: 100,
      strain: signal => bench.connector.strain!(signal),
      onWait: why => told.push(why),
    });
    let done = 0;
    let applied = 0;
    const chunk = async (): Promise<void> => {
      await pacer.pause();
      const part = units.slice(done, done + pacer.next());
      const began = performance.now();
      const outcomes = await bench.connector.apply(part, {decideKeeper});
      done += part.length;
      applied += outcomes.flat().filter(({result}) => result === 'applied').length;
      pacer.after({ms: performance.now() - began, changes: part.length});
    };
    await chunk();
    await replica.query('select pg_wal_replay_pause()');
    const running = (async () => {
      while (done < units.length) {
        await chunk();
        // Slow enough that the standby falls behind before the end.
        if (told.length === 0) await untilStrain(bench.connector, /behind/);
      }
    })();
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(0), 30_000);
    const before = await count();
    expect(before).toBeGreaterThan(0);
    // Several looks at the server later nothing was written.
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(3), 30_000);
    const written = before - (await count());
    expect(written).toBe(0);
    await replica.query('select pg_wal_replay_resume()');
    await running;
    expect(applied).toBe(units.length);
    expect(await count()).toBe(0);
    record({
      requirement: 'S6',
      fault: 'a standby whose replay stands still in the middle of a run',
      server: version,
      rounds: 1,
      violations: written === 0 && applied === units.length ? 0 : 1,
      note: `held with ${before} of ${units.length} changes to go`,
    });
  });

  test.each([
    ['a row', 'update items set n = 1 where id = 1', 'update items set n = 2 where id = 1'],
    ['the table', 'update items set n = 1 where id = 1', 'lock table items'],
  ])('a client that waits for %s is a reason until it need not', async (_what, holding, wanting) => {
    await fill(10);
    await untilStrain(bench.connector, null);
    const [holder, waiter] = [await another(), await another()];
    await holder.query('begin');
    await holder.query(holding);
    await waiter.query('begin');
    const waiting = waiter.query(wanting);
    await waiters(1);
    await untilStrain(bench.connector, /^another client waits for a lock on the table$/);
    await holder.query('rollback');
    await waiting;
    expect(await bench.connector.strain!()).toBeNull();
    await waiter.query('rollback');
    await Promise.all([holder.end(), waiter.end()]);
  });

  test('what other tables are waited for is no reason', async () => {
    await fill(10);
    const [holder, waiter] = [await another(), await another()];
    await holder.query('begin; update others set id = 2');
    const waiting = waiter.query('update others set id = 3');
    await waiters(1);
    await vi.waitFor(
      async () => {
        const {rows} = await sql(
          "select from pg_locks where not granted and clock_timestamp() - waitstart > interval '1 s'",
        );
        expect(rows).toHaveLength(1);
      },
      {timeout: 10_000, interval: 50},
    );
    expect(await bench.connector.strain!()).toBeNull();
    await holder.query('rollback');
    await waiting;
    await Promise.all([holder.end(), waiter.end()]);
  });

  test('a question that can not be answered in time is no reason, and is not waited for', async () => {
    await fill(10);
    const holder = await another();
    // The catalogue itself is locked: not even the question about locks is answered.
    await holder.query('begin; lock table pg_catalog.pg_database');
    const began = performance.now();
    expect(await bench.connector.strain!()).toBeNull();
    const took = performance.now() - began;
    // It did have to wait.
    expect(took).toBeGreaterThan(800);
    expect(took).toBeLessThan(5_000);
    await holder.query('rollback');
    await holder.end();
    expect(await bench.connector.strain!()).toBeNull();
  });
});
