/** Tables as they are found: names, keys, paths into jsonb, guards, constraints, and long answers. */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, NewValue, Outcome, Row} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Groups, Rows} from '../../source/forms.js';
import {postgresServers} from '../support/postgres.js';
import {allRows} from './contract-answers.js';
import {type Bench, openBench, rowTexts, settings} from './postgres-harness.js';

const now = Date.UTC(2026, 10, 20, 10) * 1000;
const page = {now, offset: 0, limit: 100};
const everyRow = (from: string): Rows => ({form: 'rows', from, where: {all: []}, show: [], tags: {}});

const existing = (row: Row) => ({
  table: row.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
});
const told = (outcomes: Outcome[][]): string[][] =>
  outcomes.map(unit => unit.map(outcome => ('why' in outcome ? outcome.why : outcome.result)));

for (const {name, start} of postgresServers)
  describe(`postgres tables on ${name}`, () => {
    let bench: Bench;
    const sql = (text: string) => bench.client.query(text);
    const rowsOf = async (table: string): Promise<Row[]> =>
      (await allRows(bench.connector, table, now)).map(row => ({...row, tags: []}));
    const applyAll = async (...changes: Change[]): Promise<string[]> => {
      const units = changes.map(change => ({group: null, changes: [change]}));
      return told(await bench.connector.apply(units, {decideKeeper})).flat();
    };
    const update = (row: Row, set: Record<string, NewValue>): Change => ({
      ...existing(row),
      op: 'update',
      set,
    });

    beforeAll(async () => {
      bench = await openBench(await start());
    }, 60_000);
    afterAll(() => bench.close());

    test('are told with their key, indexes and what hangs on them', async () => {
      await sql(`drop table if exists parents cascade; create table parents (a text, id int not null, n int not null, "left" text);
        create unique index u on parents (n) where n > 0; create unique index k on parents (id, n); create index e on parents (a, lower("left"));
        alter table parents add unique (id);
        create table children (parent int references parents (id) on delete cascade);
        create table orphans (parent int references parents (id) on delete set null);
        create table strangers (parent int references parents (id))`);
      const shape = (await bench.connector.describe('parents'))!;
      expect(shape.key).toEqual(['id']);
      expect(shape.cascades).toEqual(['children', 'orphans']);
      // Never analysed, so it is counted.
      expect(shape.estimatedRows).toBe(0);
      expect(shape.columns).toContainEqual({name: 'left', type: 'text', nullable: true});
      expect(shape.indexes).toContainEqual({name: 'u', attributes: ['n'], unique: false});
      expect(shape.indexes).toContainEqual({name: 'k', attributes: ['id', 'n'], unique: true});
      expect(shape.indexes).toContainEqual({name: 'e', attributes: ['a'], unique: false});
      await sql('analyze parents; drop table parents cascade');
    });

    test('may have any name', async () => {
      await sql(`create schema if not exists "odd"";--"; drop table if exists "odd"";--"."a.b"; create table "odd"";--"."a.b" ("$1::int" text primary key, t text, "x.y" text);
        insert into "odd"";--"."a.b" values ('k''1', 'v', 'dotted')`);
      const table = 'odd";--.a.b';
      expect(await bench.connector.tables()).toContain(table);
      const form: Rows = {
        ...everyRow(table),
        where: {in: ["k'1"], of: {attr: '$1::int'}},
        show: ['t', 'x.y'],
      };
      const {found} = await bench.connector.survey(form, page);
      expect(found[0]!.rows[0]!.values).toEqual({'$1::int': "k'1", t: 'v', 'x.y': 'dotted'});
      const [row] = await rowsOf(table);
      expect(await applyAll(update(row!, {t: {value: '$2'}}))).toEqual(['applied']);
      expect(await rowTexts(bench, '"odd"";--"."a.b"')).toEqual(["(k'1,$2,dotted)"]);
      await sql('drop schema "odd"";--" cascade');
    });

    test('name the nearest when one is not there', async () => {
      await sql('drop table if exists sessions; create table sessions (id int primary key, email text)');
      const error = await bench.connector
        .survey(everyRow('sesions'), page)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SesstuiError);
      expect(error).toMatchObject({code: 'not-found', hint: expect.stringContaining('"sessions"')});
      const column = bench.connector.survey({...everyRow('sessions'), show: ['emial']}, page);
      await expect(column).rejects.toMatchObject({
        code: 'not-found',
        hint: expect.stringContaining('"email"'),
      });
      const view = sql('create view session_view as select * from sessions').then(() =>
        bench.connector.survey(everyRow('session_view'), page),
      );
      await expect(view).rejects.toMatchObject({code: 'unsupported'});
      await sql('drop table sessions cascade');
    });

    test('are not asked what their columns can not hold', async () => {
      await sql(`drop table if exists typed; create table typed (id uuid primary key, n int, b bool);
        insert into typed values ('6f1c9b1e-6f5f-4b53-9c4e-0d8f5a1b2c3d', 1, true)`);
      const values = [
        'abc',
        '1e400',
        '99999999999999999999',
        '6F1C9B1E',
        '\0',
        '\ud800',
        '',
        "'; drop table typed",
      ];
      for (const attr of ['id', 'n', 'b']) {
        const where = {in: values, of: {attr}};
        expect((await bench.connector.survey({...everyRow('typed'), where}, page)).total).toBe(0);
        const groups: Groups = {
          form: 'groups',
          from: 'typed',
          where,
          key: [{attr}],
          having: {any: [{min: 1}]},
          show: [],
          tags: {},
        };
        expect((await bench.connector.survey(groups, page)).total).toBe(0);
      }
      const identities = values.map(id => ({by: 'key' as const, at: {id}}));
      expect(await bench.connector.fetch('typed', identities)).toEqual(values.map(() => undefined));
      const only = [...identities, {by: 'place' as const, at: {ctid: '(0,1)'}}];
      expect((await bench.connector.survey(everyRow('typed'), {...page, only})).total).toBe(0);
      expect((await bench.connector.survey(everyRow('typed'), page)).total).toBe(1);
    });

    test('take the time in the format that a column has', async () => {
      await sql(`drop table if exists times; create table times (id int primary key, tz timestamptz, naive timestamp, day date, iso text, s text, ms numeric, small int, doc jsonb);
        insert into times values (1, null, null, null, 'x', '1763600000', 1763600000000, 5, '{"at": 1763600000, "session": {"id": "old"}, "gone": 1}')`);
      const [row] = await rowsOf('times');
      const set = Object.fromEntries(
        ['tz', 'naive', 'day', 'iso', 's', 'ms', 'small', 'doc.at'].map(column => [
          column,
          {now: true as const},
        ]),
      );
      expect(
        await applyAll(update(row!, {...set, 'doc.session.id': {value: 'new'}, 'doc.gone': {remove: true}})),
      ).toEqual(['applied']);
      const [{values}] = (await rowsOf('times')) as [Row];
      const seconds = (await bench.connector.now()) / 1e6;
      const isNow = (value: number): void => expect(Math.abs(value - seconds)).toBeLessThan(60);
      isNow(Date.parse(String(values.iso)) / 1000);
      isNow(Date.parse(`${values.naive}Z`) / 1000);
      isNow(Number(values.s));
      isNow(Number(values.ms) / 1000);
      isNow(Number(values.small));
      const doc = values.doc as {at: number; session: {id: string}};
      isNow(doc.at);
      expect(doc).toEqual({at: doc.at, session: {id: 'new'}});
      expect(String(values.day)).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(
        await applyAll({...existing((await rowsOf('times'))[0]!), op: 'update', to: row!.image!}),
      ).toEqual(['applied']);
      expect((await rowsOf('times'))[0]!.image).toEqual(row!.image);
    });

    test('keep what a trigger protects, and let a guard that is asked through', async () => {
      await sql(`drop table if exists guarded; create table guarded (id int primary key, kind text); insert into guarded values (1, 'fixed'), (2, 'guarded'), (3, 'free');
        create or replace function guard() returns trigger language plpgsql as $$ begin
          if old.kind = 'fixed' then return null; end if;
          if old.kind = 'guarded' and current_setting('sesstui.allow', true) is distinct from 'on' then raise exception 'protected'; end if;
          return old; end $$;
        create trigger guard before delete on guarded for each row execute function guard()`);
      const rows = await rowsOf('guarded');
      expect(await applyAll(...rows.map((row): Change => ({...existing(row), op: 'delete'})))).toEqual([
        'protected',
        'applied',
        'applied',
      ]);
      expect(await rowTexts(bench, 'guarded')).toEqual(['(1,fixed)']);
      await expect(
        sql("insert into guarded values (2, 'guarded'); delete from guarded where id = 2"),
      ).rejects.toThrow('protected');
    });

    test('fail a unit that breaks a constraint, and no other', async () => {
      await sql(`drop table if exists bound; create table bound (id int primary key, n int check (n < 10), u int unique deferrable initially deferred);
        insert into bound select g, g, g from generate_series(1, 4) g`);
      const rows = await rowsOf('bound');
      expect(
        await applyAll(...rows.map((row, index) => update(row, {n: {value: index === 2 ? 99 : 0}}))),
      ).toEqual(['applied', 'applied', 'failed', 'applied']);
      const again = await rowsOf('bound');
      // Found by COMMIT only: the units are made one by one then.
      expect(await applyAll(update(again[0]!, {u: {value: 2}}), update(again[3]!, {u: {value: 9}}))).toEqual([
        'failed',
        'applied',
      ]);
      expect(await rowTexts(bench, 'bound')).toEqual(['(1,0,1)', '(2,0,2)', '(3,3,3)', '(4,0,9)']);
    });

    test('move a unique value from a deleted row to a new one', async () => {
      await sql(
        "drop table if exists moved; create table moved (id text primary key, u text unique); insert into moved values ('old', 'x'), ('copy', 'y')",
      );
      const [copy, old] = await rowsOf('moved');
      const insert: Change = {
        table: 'moved',
        identity: {by: 'key', at: {}},
        op: 'insert',
        version: null,
        from: old!.image!,
        set: {id: {value: 'canonical'}},
        required: true,
      };
      const unit = {
        group: null,
        changes: [
          insert,
          {...existing(old!), op: 'delete' as const, required: true},
          {...existing(copy!), op: 'delete' as const},
        ],
      };
      expect(told(await bench.connector.apply([unit], {decideKeeper}))).toEqual([
        ['applied', 'applied', 'applied'],
      ]);
      expect(await rowTexts(bench, 'moved')).toEqual(['(canonical,x)']);
    });

    test('are read in pages while they change, and leave no cursor behind', async () => {
      await sql(
        'drop table if exists long; create table long (id int primary key, n int); insert into long select g, g % 7 from generate_series(1, 1700) g',
      );
      const seen = new Set<number>();
      for await (const {rows} of bench.connector.read(everyRow('long'), {now, full: true})) {
        seen.add(rows[0]!.values.id as number);
        if (seen.size % 500 === 0)
          expect(await applyAll({...existing(rows[0]!), op: 'delete'})).toEqual(['applied']);
      }
      expect(seen.size).toBe(1700);
      for await (const found of bench.connector.read(everyRow('long'), {now}))
        if (found.rows[0]!.values.id === 700) break;
      const groups: Groups = {
        form: 'groups',
        from: 'long',
        where: {all: []},
        key: [{attr: 'n'}],
        having: {many: [{min: 2}]},
        show: [],
        tags: {},
      };
      const sizes: number[] = [];
      for await (const {rows} of bench.connector.read(groups, {now})) sizes.push(rows.length);
      expect(sizes).toHaveLength(7);
      expect(sizes.reduce((sum, size) => sum + size)).toBe(1697);
      const {rows} = await sql("select name from pg_cursors where name like 'sesstui%'");
      expect(rows).toEqual([]);
    });

    test('are streamed by values with quotes in them', async () => {
      await sql(`drop table if exists quoted; create table quoted (id text primary key);
        insert into quoted values ('k''1'), ('k\\''); drop table quoted; --'), ('plain')`);
      const found = async (...ids: string[]): Promise<unknown[]> => {
        const values: unknown[] = [];
        const form: Rows = {...everyRow('quoted'), where: {in: ids, of: {attr: 'id'}}};
        for await (const {rows} of bench.connector.read(form, {now})) values.push(rows[0]!.values.id);
        return values;
      };
      expect(await found("k'1")).toEqual(["k'1"]);
      expect(await found("k\\'); drop table quoted; --", "' or ''='")).toEqual([
        "k\\'); drop table quoted; --",
      ]);
    });

    test('are the same rows to a session of another time zone', async () => {
      await sql(`drop table if exists moments; create table moments (id int primary key, at timestamptz);
        insert into moments values (1, '2026-11-20 09:00:00.123456+00'), (2, '2026-07-01 12:00+02')`);
      const rows = await rowsOf('moments');
      // A server of one backend has one session for all; a real one takes it from the URL.
      await sql("set timezone = 'Asia/Tokyo'");
      const options = encodeURIComponent('-c timezone=Asia/Tokyo');
      const other = openPostgres({...settings, url: `${bench.url}&options=${options}`});
      const seen = await other.fetch(
        'moments',
        rows.map(row => row.identity),
      );
      expect(seen.map(row => row?.version)).toEqual(rows.map(row => row.version));
      const changes = rows.map((row): Change => ({...existing(row), op: 'delete'}));
      const outcomes = await other.apply([{group: null, changes}], {decideKeeper});
      expect(outcomes.flat().map(outcome => outcome.result)).toEqual(['applied', 'applied']);
      await other.close();
      await sql('reset timezone');
    });

    test('are not written when the store is read-only', async () => {
      await sql(
        'drop table if exists fixed; create table fixed (id int primary key); insert into fixed values (1)',
      );
      const reader = openPostgres({...settings, readOnly: true, url: bench.url});
      const [row] = await rowsOf('fixed');
      const units = [{group: null, changes: [{...existing(row!), op: 'delete' as const}]}];
      await expect(reader.apply(units, {decideKeeper})).rejects.toMatchObject({code: 'read-only'});
      expect((await reader.survey(everyRow('fixed'), page)).total).toBe(1);
      await reader.close();
      // And nobody else is kept from writing by it.
      expect(await applyAll({...existing(row!), op: 'delete'})).toEqual(['applied']);
    });
  });
