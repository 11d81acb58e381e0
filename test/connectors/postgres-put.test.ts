/** What a put makes of PostgreSQL's own: defaults, identity columns, triggers, constraints, tables without a key. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Kept, NewValue, Put} from '../../source/connector.js';
import type {SesstuiError} from '../../source/errors.js';
import {nothing, type Pred} from '../../source/forms.js';
import {Time, type Value} from '../../source/values.js';
import {postgresServers} from '../support/postgres.js';
import {faultOf} from '../support/rejections.js';
import {type Bench, openBench, rowTexts, settings} from './postgres-harness.js';

const sets = (values: Record<string, Value>): Record<string, NewValue> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, {value}]));
const is = (attr: string, value: string): Pred => ({in: [value], of: {attr}});
const request = (rest: Partial<Put> & Pick<Put, 'create'>): Put => ({
  table: 'items',
  where: is('name', 'a'),
  lock: 'a',
  keep: {by: 'first'},
  update: null,
  ...rest,
});

describe.each(postgresServers)('postgres puts on $name', ({start}) => {
  let bench: Bench;
  const sql = (text: string) => bench.client.query(text);
  const put = (one: Put): Promise<Kept> => bench.connector.put(one, {decideKeeper});
  const putFault = (one: Put, connector = bench.connector): Promise<SesstuiError> =>
    faultOf(connector.put(one, {decideKeeper}));

  beforeAll(async () => {
    bench = await openBench(await start());
  });
  afterAll(() => bench?.close());
  beforeEach(() =>
    sql(`drop table if exists items, others, "Odd ""name""; drop" cascade;
      create table items (
        id bigint generated always as identity primary key, name text, n int default 7, twice int generated always as (n * 2) stored,
        made timestamptz default now(), naive timestamp, day date, ms bigint, seconds int, words text, doc jsonb, code text unique)`),
  );

  test('columns that are not given get their defaults, and those of the server are its own', async () => {
    const {result, row} = await put(request({create: sets({name: 'a', id: 99, twice: 5})}));
    expect(result).toBe('created');
    expect(row).toMatchObject({
      identity: {by: 'key', at: {id: '1'}},
      values: {id: 1, name: 'a', n: 7, twice: 14},
    });
    expect(row.values.made).toBeInstanceOf(Time);
    expect((await put(request({where: nothing, create: {}}))).row.values).toMatchObject({
      id: 2,
      name: null,
      n: 7,
    });
    const fetched = await bench.connector.fetch('items', [row.identity]);
    expect(fetched).toEqual([row]);
  });

  test("now is the database's, in each column's own form", async () => {
    const create: Put['create'] = {
      ...sets({name: 'a'}),
      made: {now: true},
      naive: {now: true, zone: 'Asia/Tokyo'},
      day: {now: true, zone: 'Asia/Tokyo'},
      ms: {now: true},
      seconds: {now: true},
      words: {now: true},
      'doc.at': {now: true},
    };
    await put(request({create}));
    const {rows} =
      await sql(`select made = naive at time zone 'Asia/Tokyo' as naive, day = naive::date as day,
      ms = floor(extract(epoch from made) * 1000) as ms, seconds = floor(extract(epoch from made)) as seconds,
      words ~ '^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z$' as words, doc ->> 'at' = words as doc from items`);
    expect(rows).toEqual([{naive: true, day: true, ms: true, seconds: true, words: true, doc: true}]);
  });

  test('of several rows the one that the rule keeps is updated, and the others stay', async () => {
    await sql(`insert into items (name, made) values ('a', now() - interval '3 hours'), ('a', now() - interval '1 hour'),
      ('a', now() - interval '2 hours'), ('b', now())`);
    const before = await rowTexts(bench, 'items');
    const keep = {
      by: 'latest' as const,
      latestBy: ['made'],
      canonicalId: null,
      idAttribute: null,
      zone: 'UTC',
    };
    const {row} = await put(request({keep, create: {}, update: sets({n: 9, 'doc.x': 'é'})}));
    expect(row.values).toMatchObject({id: 2, n: 9, twice: 18, doc: {x: 'é'}});
    const after = await rowTexts(bench, 'items');
    expect(after.filter(text => !before.includes(text))).toHaveLength(1);
    expect((await putFault(request({keep: {by: 'none'}, create: {}}))).code).toBe('usage');
  });

  test('the row is told as triggers left it', async () => {
    await sql(`create or replace function shout() returns trigger language plpgsql as
        $$ begin new.words := upper(new.words); return new; end $$;
      create trigger shout before insert or update on items for each row execute function shout()`);
    const one = request({create: sets({name: 'a', words: 'made'}), update: sets({words: 'changed'})});
    expect((await put(one)).row.values.words).toBe('MADE');
    const {row} = await put(one);
    expect(row.values.words).toBe('CHANGED');
    expect(await bench.connector.fetch('items', [row.identity])).toEqual([row]);
  });

  test('a trigger that keeps a row as it is, or out, is said', async () => {
    await sql(`insert into items (name) values ('a');
      create or replace function refuse() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger refuse before insert or update on items for each row execute function refuse()`);
    const before = await rowTexts(bench, 'items');
    expect((await putFault(request({create: {}, update: sets({n: 1})}))).code).toBe('protected');
    expect((await putFault(request({where: is('name', 'b'), create: sets({name: 'b'})}))).code).toBe(
      'refused',
    );
    expect(await rowTexts(bench, 'items')).toEqual(before);
  });

  test('what a constraint or a type refuses is said without the values, and leaves nothing', async () => {
    await sql(`insert into items (name, code) values ('z', 'taken');
      alter table items add constraint small check (n < 100), alter column name set not null`);
    await sql('create table others (id text primary key, ref text)');
    const before = await rowTexts(bench, 'items');
    const also = [{table: 'others', key: {id: 'o1'}, set: sets({ref: 'r'})}];
    const cases: [Put['create'], string, string][] = [
      [sets({name: 'a', code: 'taken'}), 'refused', 'items_code_key'],
      [sets({name: 'a', n: 5555}), 'refused', 'small'],
      [sets({name: null}), 'refused', 'null value in column "name"'],
      [sets({name: 'a', n: 's3cret'}), 'usage', 'does not fit'],
      [sets({name: 'a', n: 99_999_999_999}), 'usage', 'does not fit'],
      [sets({name: 'a\0s3cret'}), 'usage', 'does not fit'],
      [sets({naem: 'a'}), 'not-found', '"naem"'],
    ];
    for (const [create, code, text] of cases) {
      const fault = await putFault(request({create, also}));
      expect([fault.code, fault.message]).toEqual([code, expect.stringContaining(text)]);
      expect(fault.message).not.toMatch(/s3cret|5555|99999999999|taken/);
      expect(fault.cause).toBeUndefined();
    }
    expect(
      (await putFault(request({create: sets({name: 'a'}), also: [{...also[0]!, key: {id: null}}]}))).code,
    ).toBe('usage');
    expect(await rowTexts(bench, 'items')).toEqual(before);
    expect(await rowTexts(bench, 'others')).toEqual([]);
  });

  test('a constraint that speaks at the end only takes everything back', async () => {
    await sql(`create table others (id text primary key, item bigint,
      foreign key (item) references items deferrable initially deferred)`);
    const also = [{table: 'others', key: {id: 'o1'}, set: sets({item: 77})}];
    const fault = await putFault(request({create: sets({name: 'a'}), also}));
    expect([fault.code, fault.message]).toEqual([
      'refused',
      expect.stringContaining('foreign key constraint'),
    ]);
    expect(await rowTexts(bench, 'items')).toEqual([]);
  });

  test('a key is never changed, whatever identifies the rows', async () => {
    await sql('drop table items; create table items (name text not null unique, n int)');
    await sql(`insert into items values ('a', 1)`);
    expect((await putFault(request({create: {}, update: sets({name: 'b'})}))).code).toBe('usage');
    await sql('drop table items; create table items (name text, n int)');
    const one = request({create: sets({name: 'a', n: 1}), update: sets({n: 2})});
    expect((await put(one)).result).toBe('created');
    const {result, row} = await put(one);
    expect(result).toBe('updated');
    expect(await rowTexts(bench, 'items')).toEqual(['(a,2)']);
    expect(await bench.connector.fetch('items', [row.identity])).toEqual([row]);
  });

  test('names and values may look like statements', async () => {
    await sql(`create table "Odd ""name""; drop" ("a""b" text primary key, "select" text, "$1" text)`);
    const value = `'); drop table items; -- $1 "`;
    const one: Put = {
      table: 'Odd "name"; drop',
      where: is('a"b', value),
      lock: value,
      keep: {by: 'first'},
      create: sets({'a"b': value, select: value}),
      update: sets({$1: value}),
    };
    expect((await put(one)).result).toBe('created');
    expect((await put(one)).row.values).toEqual({'a"b': value, select: value, $1: value});
  });

  test('nothing is written where nothing may be', async () => {
    const readOnly = openPostgres({...settings, url: bench.url, readOnly: true});
    try {
      expect((await putFault(request({create: sets({name: 'a'})}), readOnly)).code).toBe('read-only');
    } finally {
      await readOnly.close();
    }
    expect(await rowTexts(bench, 'items')).toEqual([]);
  });
});
