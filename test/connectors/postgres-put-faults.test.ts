/** Puts on real servers with others in their way: locks, guards that speak late, lost replies, another process. */
import pg from 'pg';
import {afterAll, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Connector, Kept, NewValue, Put} from '../../source/connector.js';
import {nothing} from '../../source/forms.js';
import type {Value} from '../../source/values.js';
import {postgresServers} from '../support/postgres.js';
import {isCommit, openProxy} from '../support/postgres-proxy.js';
import {codeOf} from '../support/rejections.js';
import {type Bench, openBench, rowTexts, settings} from './postgres-harness.js';

const sets = (values: Record<string, Value>): Record<string, NewValue> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, {value}]));
const named = (name: string, rest: Partial<Put> = {}): Put => ({
  table: 'items',
  where: {in: [name], of: {attr: 'name'}},
  lock: name,
  keep: {by: 'first'},
  create: sets({name, n: 1}),
  update: sets({n: 2}),
  ...rest,
});

describe.each(postgresServers)('postgres put faults on $name', ({start}) => {
  let bench: Bench;
  const sql = (text: string) => bench.client.query(text);
  const put = (one: Put, connector: Connector = bench.connector): Promise<Kept> =>
    connector.put(one, {decideKeeper});
  const another = async (): Promise<pg.Client> => {
    const client = new pg.Client(bench.url);
    await client.connect();
    return client;
  };
  /** Until this many clients of the connector wait for a lock. */
  const waiting = (count: number): Promise<void> =>
    vi.waitFor(
      async () => {
        const {rows} = await sql(
          `select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'sesstui'`,
        );
        expect(rows).toHaveLength(count);
      },
      {timeout: 5_000, interval: 20},
    );

  beforeAll(async () => {
    bench = await openBench(await start());
  });
  afterAll(() => bench?.close());
  beforeEach(() =>
    sql(`drop table if exists items, others; create table items (id int generated always as identity primary key, name text, n int);
      create table others (id text, ref text)`),
  );

  test('a row that somebody holds is waited for, and others go by meanwhile', async () => {
    await sql(`insert into items (name, n) values ('a', 0)`);
    const holder = await another();
    await holder.query(`begin; update items set n = 5 where name = 'a'`);
    const held = Promise.all(Array.from({length: 20}, () => put(named('a'))));
    await waiting(1);
    // Twenty callers of one row keep one connection: the rest is for the others.
    const free = await Promise.all(Array.from({length: 20}, (_, index) => put(named(`b${index}`))));
    expect(free.map(({result}) => result)).toEqual(free.map(() => 'created'));
    await waiting(1);
    await holder.query('commit');
    expect((await held).map(({result}) => result)).toEqual(Array.from({length: 20}, () => 'updated'));
    await holder.end();
  });

  test('a row that is held for longer than a lock is waited for is asked for again', async () => {
    await sql(`insert into items (name, n) values ('a', 0)`);
    const holder = await another();
    await holder.query(`begin; update items set n = 5 where name = 'a'`);
    const pending = put(named('a'));
    await waiting(1);
    const began = `select xact_start::text from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'sesstui'`;
    const [first] = (await sql(began)).rows;
    await vi.waitFor(
      async () => {
        const {rows} = await sql(began);
        expect(rows).toHaveLength(1);
        expect(rows).not.toEqual([first]);
      },
      {timeout: 10_000, interval: 50},
    );
    await holder.query('commit');
    expect((await pending).result).toBe('updated');
    await holder.end();
  });

  test('a row that is held for good ends in an error within the bound', async () => {
    await sql(`insert into items (name, n) values ('a', 0)`);
    const holder = await another();
    await holder.query(`begin; update items set n = 5 where name = 'a'`);
    const hasty = openPostgres({...settings, url: bench.url, timeoutMs: 300});
    const began = performance.now();
    expect(await codeOf(put(named('a'), hasty))).toBe('timeout');
    expect(performance.now() - began).toBeLessThan(10_000);
    await holder.query('rollback');
    expect((await put(named('a'), hasty)).result).toBe('updated');
    await hasty.close();
    await holder.end();
  });

  test('a row that a writer outside makes at the same time is the one that is updated, where a guard stands', async () => {
    await sql('create unique index on items (name)');
    const writer = await another();
    await writer.query(`begin; insert into items (name, n) values ('a', 0)`);
    const pending = put(named('a'));
    await waiting(1);
    await writer.query('commit');
    const {result, row} = await pending;
    expect([result, row.values]).toEqual(['updated', {id: 1, name: 'a', n: 2}]);
    expect(await rowTexts(bench, 'items')).toEqual(['(1,a,2)']);
    await writer.end();
  });

  test('many connectors at once leave one row, and one beside it, without any constraint', async () => {
    const connectors = Array.from({length: 5}, () => openPostgres({...settings, url: bench.url}));
    // Different locks, the same row beside: no two make it.
    const also = [{table: 'others', key: {id: 'o'}, set: sets({ref: 'r'})}];
    const answers = await Promise.all(
      Array.from({length: 100}, (_, index) => put(named(`a${index % 2}`, {also}), connectors[index % 5])),
    );
    expect(answers.filter(({result}) => result === 'created')).toHaveLength(2);
    expect(await rowTexts(bench, 'items')).toHaveLength(2);
    expect(await rowTexts(bench, 'others')).toEqual(['(o,r)']);
    await Promise.all(connectors.map(connector => connector.close()));
  });

  test('a COMMIT whose reply is lost is found to have been made, also for a row that is always new', async () => {
    let armed = false;
    const proxy = await openProxy(bench.url, (sent, client, server) => {
      if (armed && isCommit(sent)) {
        armed = false;
        server.removeAllListeners('data');
        server.once('data', () => client.destroy());
      }
      return true;
    });
    const connector = openPostgres({...settings, url: proxy.url});
    await connector.server();
    for (const where of [named('a').where, nothing]) {
      armed = true;
      expect((await put(named('a', {where}), connector)).result).toBe('created');
      expect(armed).toBe(false);
    }
    expect(await rowTexts(bench, 'items')).toEqual(['(1,a,1)', '(2,a,1)']);
    await connector.close();
    await proxy.close();
  });

  test('a COMMIT that never arrived is made again, once', async () => {
    let armed = false;
    const proxy = await openProxy(bench.url, (sent, client, server) => {
      if (!armed || !isCommit(sent)) return true;
      armed = false;
      client.destroy();
      server.destroy();
      return false;
    });
    const connector = openPostgres({...settings, url: proxy.url});
    await connector.server();
    armed = true;
    expect((await put(named('a', {where: nothing}), connector)).result).toBe('created');
    expect(armed).toBe(false);
    expect(await rowTexts(bench, 'items')).toHaveLength(1);
    await connector.close();
    await proxy.close();
  });

  test('an interrupted put ends, in the queue and at work, and writes nothing', async () => {
    await sql(`insert into items (name, n) values ('a', 0)`);
    const holder = await another();
    await holder.query(`begin; update items set n = 5 where name = 'a'`);
    const controller = new AbortController();
    const {signal} = controller;
    await bench.connector.server();
    const pending = [1, 2, 3].map(() => codeOf(bench.connector.put(named('a'), {decideKeeper, signal})));
    await waiting(1);
    controller.abort();
    expect(await Promise.all(pending)).toEqual(['interrupted', 'interrupted', 'interrupted']);
    await waiting(0);
    await holder.query('rollback');
    expect(await rowTexts(bench, 'items')).toEqual(['(1,a,0)']);
    await holder.end();
  });

  test('puts whose rows lie crosswise both go through', async () => {
    const also = (id: string) => [{table: 'others', key: {id}, set: sets({ref: 'r'})}];
    const rounds = Array.from({length: 20}, (_, index) =>
      index % 2
        ? named('a', {also: [...also('x'), ...also('y')]})
        : named('b', {also: [...also('y'), ...also('x')]}),
    );
    const second = openPostgres({...settings, url: bench.url});
    const answers = await Promise.all(
      rounds.map((one, index) => put(one, index % 3 ? bench.connector : second)),
    );
    expect(answers).toHaveLength(20);
    expect(await rowTexts(bench, 'others')).toEqual(['(x,r)', '(y,r)']);
    await second.close();
  });
});
