/** Every type that a table may hold: judged as the evaluator judges it, backed up and put back without a loss. */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, Outcome, Row} from '../../source/connector.js';
import {countFound, environmentFor, evaluate, evaluateTally} from '../../source/evaluate.js';
import type {Form, Groups, Kind, Pred, Rows} from '../../source/forms.js';
import {Other, Time, toText} from '../../source/values.js';
import {postgresServers} from '../support/postgres.js';
import {allRows, comparable, comparableTally, idOf} from './contract-answers.js';
import {type Bench, openBench, rowTexts} from './postgres-harness.js';

const now = Date.UTC(2026, 10, 20, 10) * 1000;
const kinds: Kind[] = ['null', 'missing', 'empty', 'string', 'array', 'uuid', 'instant', 'finite'];

const columns: Record<string, [type: string, ...values: string[]]> = {
  tidy: ['text', "'a'", "'É '", "''"],
  id: ['uuid', "'6f1c9b1e-6f5f-4b53-9c4e-0d8f5a1b2c3d'", "'00000000-0000-0000-0000-000000000000'"],
  mood: ['mood', "'sad'", "'ok'"],
  padded: ['char(5)', "'ab'", "'ab  '", "''"],
  limited: ['varchar(8)', "'2026'", "'x'"],
  small: ['int2', '1', '-3'],
  big: ['int8', '9007199254740993', '-9223372036854775808', '7'],
  exact: [
    'numeric',
    '1.10',
    '1.1',
    '12345678901234567890.12345678901234567890',
    "'NaN'",
    '1e30',
    '1795165200.5',
    '-0.0',
  ],
  single: ['float4', '0.1', "'Infinity'"],
  double: ['float8', '0.1', "'-0'", "'NaN'", '1e-7', '1e22', '5e-324', '0.30000000000000004'],
  yes: ['bool', 'true', 'false'],
  moment: [
    'timestamptz',
    "'2026-11-20 09:00:00.123456+00'",
    "'infinity'",
    "'-infinity'",
    "'0044-03-15 BC'",
    "'12026-01-01'",
  ],
  naive: [
    'timestamp',
    "'2026-10-25 02:30:00'",
    "'2026-11-20 09:59:59.999999'",
    "'infinity'",
    "'0044-03-15 BC'",
    "'12026-01-01'",
  ],
  day: ['date', "'2026-11-20'", "'-infinity'", "'5874897-12-31'", "'0101-01-01'"],
  pause: ['interval', "'1 mon -3 days 04:05:06.789'"],
  raw: ['bytea', "'\\xdeadbeef'"],
  doc: [
    'jsonb',
    `'{"a":{"b":"x"},"a.b":1}'`,
    `'"2026-11-20T09:00:00Z"'`,
    "'null'",
    '\'[2,1,"a"]\'',
    "'1795165200'",
    "'1.0'",
    '\'{"a":{"b":null}}\'',
    '\'""\'',
    "'true'",
  ],
  plain: ['json', `'{ "a" : 1, "a" : 2 }'`, "'null'"],
  list: ['text[]', "'{b,a,NULL}'", "'[2:3]={a,b}'", "'{a,b}'", "'{}'", "'{{a,b},{c,d}}'"],
  numbers: ['int[]', "'{10,9}'", "'{9,10}'"],
  ids: ['uuid[]', "'{6f1c9b1e-6f5f-4b53-9c4e-0d8f5a1b2c3d}'"],
  address: ['inet', "'10.0.0.1'", "'10.0.0.0/8'"],
  price: ['money', "'12.34'"],
  span: ['int4range', "'[1,5)'"],
  bits: ['bit(3)', "'101'"],
};

/** What a first of several types may be of: as JSON, which they meet in, they are themselves. */
const mixed = ['id', 'mood', 'limited', 'small', 'yes', 'doc', 'doc.a', 'list'];

/** Each value once beside NULLs, and each twice, so that groups and equalities have something to find. */
const fill = async ({client}: Bench, table: string, key: string): Promise<void> => {
  await client.query(
    `drop table if exists ${table}; drop type if exists mood cascade; create type mood as enum ('sad', 'ok')`,
  );
  const list = Object.entries(columns).map(([name, [type]]) => `${name} ${type}`);
  await client.query(
    `create table ${table} (${list.join(', ')}, own int generated always as identity${key}, doubled int2 generated always as (small * 2) stored)`,
  );
  const most = Math.max(...Object.values(columns).map(values => values.length - 1));
  const names = Object.keys(columns).join(', ');
  const rows = Array.from({length: most + 1}, (_, index) =>
    Object.values(columns).map(([, ...values]) => values[index] ?? 'null'),
  );
  const values = [...rows, ...rows].map(row => `(${row.join(', ')})`);
  await client.query(`insert into ${table} (${names}) values ${values.join(', ')}`);
};

const rowsForm = (tags: Record<string, Pred>): Rows => ({
  form: 'rows',
  from: 'kinds',
  where: {all: []},
  show: ['doc.a.b'],
  tags,
});

const agrees = async ({connector}: Bench, form: Form): Promise<void> => {
  const rows = await allRows(connector, 'kinds', now);
  const expected = evaluate(form, rows, await environmentFor(form, () => rows, now));
  const {found, ...totals} = await connector.survey(form, {now, offset: 0, limit: 1_000});
  expect(comparable(found)).toEqual(comparable(expected));
  expect(totals).toEqual(countFound(form, expected));
};

const existing = (row: Row) => ({
  table: row.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
});
const applyAll = async ({connector}: Bench, changes: Change[]): Promise<Outcome[]> =>
  (
    await connector.apply(
      changes.map(change => ({group: null, changes: [change]})),
      {decideKeeper},
    )
  ).map(([outcome]) => outcome!);

for (const {name, start} of postgresServers)
  describe(`postgres types on ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await openBench(await start());
    }, 60_000);
    afterAll(() => bench.close());

    test('are read as neutral values', async () => {
      await fill(bench, 'kinds', ' primary key');
      const [first, second, third] = (await allRows(bench.connector, 'kinds', now)).sort(
        (a, b) => Number(a.values.own) - Number(b.values.own),
      );
      expect(first!.values).toMatchObject({
        big: 9007199254740993n,
        exact: 1.1,
        padded: 'ab',
        moment: new Time(Date.UTC(2026, 10, 20, 9) * 1000 + 123_456),
        naive: '2026-10-25 02:30:00',
        pause: new Other('interval', '1 mon -3 days +04:05:06.789'),
        raw: new Other('bytea', '\\xdeadbeef'),
        doc: {a: {b: 'x'}, 'a.b': 1},
        list: ['b', 'a', null],
        yes: true,
      });
      expect(second!.values).toMatchObject({
        moment: new Time(Number.POSITIVE_INFINITY),
        list: ['a', 'b'],
        doc: '2026-11-20T09:00:00Z',
      });
      expect(third!.values.exact).toEqual(new Other('numeric', '12345678901234567890.1234567890123456789'));
      expect(third!.values.naive).toEqual(new Time(Number.POSITIVE_INFINITY));
    });

    test('are judged as the evaluator judges them', async () => {
      await fill(bench, 'kinds', ' primary key');
      const rows = await allRows(bench.connector, 'kinds', now);
      const names = [...Object.keys(columns), 'doc.a', 'doc.a.b', 'doc.nowhere.b', 'tidy.b'];
      for (const attr of names) {
        const own = rows
          .map(row => row.values[attr])
          .filter(value => value !== null && value !== undefined && !Array.isArray(value));
        const exprs = {
          plain: {attr},
          norm: {norm: attr},
          set: {set: attr},
          instant: {instant: [attr]},
          zoned: {instant: [attr], zone: 'Europe/Paris'},
          first: {first: mixed.includes(attr) ? [attr, 'tidy'] : [attr]},
        };
        const tags = Object.fromEntries(
          Object.entries(exprs).flatMap(([what, of]): [string, Pred][] => [
            ...kinds.map((kind): [string, Pred] => [`${what} ${kind}`, {is: kind, of}]),
            [`${what} older`, {older: 0, of}],
            [`${what} future`, {no: {future: of}}],
            // The order inside a set is a store's own.
            [`${what} same`, {same: [of, what === 'set' ? of : {attr}]}],
            [`${what} in`, {in: [...own.map(toText), 'abc', '1', '1.10'], of}],
          ]),
        );
        await agrees(bench, rowsForm(tags));
        for (const expr of Object.values(exprs)) {
          const form: Groups = {
            form: 'groups',
            from: 'kinds',
            where: {all: []},
            key: [expr],
            having: {many: [{min: 2}], various: [{distinct: [expr, {attr: 'tidy'}], min: 1}]},
            show: [],
            tags: {},
          };
          await agrees(bench, form);
        }
        const tally = {form: 'tally' as const, from: 'kinds', by: {attr}};
        const env = await environmentFor(rowsForm({}), () => [], now);
        expect(comparableTally(await bench.connector.tally(tally, {now}))).toEqual(
          comparableTally(evaluateTally(tally, rows, env)),
        );
      }
    }, 60_000);

    for (const key of [' primary key', ''])
      test(`are put back as they were, ${key ? 'by key' : 'by place'}`, async () => {
        await fill(bench, 'kinds', key);
        const before = await rowTexts(bench, 'kinds');
        const rows = (await allRows(bench.connector, 'kinds', now)) as unknown as Row[];
        expect(
          await bench.connector.fetch(
            'kinds',
            rows.map(row => row.identity),
          ),
        ).toMatchObject(rows.map(({image, version}) => ({image, version})));
        const half = rows.filter((_, index) => index % 2 === 0);
        const others = rows.filter(row => !half.includes(row));
        const cleared = Object.fromEntries(
          Object.keys(columns).map(column => [column, {remove: true as const}]),
        );
        const outcomes = await applyAll(bench, [
          ...half.map((row): Change => ({...existing(row), op: 'delete'})),
          ...others.map(
            (row): Change => ({...existing(row), op: 'update', set: {...cleared, tidy: {value: 'changed'}}}),
          ),
        ]);
        expect(outcomes.map(outcome => outcome.result)).toEqual(outcomes.map(() => 'applied'));
        expect(await rowTexts(bench, 'kinds')).not.toEqual(before);
        const after = outcomes
          .slice(half.length)
          .map(outcome => (outcome.result === 'applied' ? outcome.after! : null)!);
        const undone = await applyAll(bench, [
          ...half.map(
            (row): Change => ({
              table: 'kinds',
              identity: row.identity,
              op: 'insert',
              version: null,
              row: row.image!,
            }),
          ),
          ...after.map(
            ({identity, version, image}, index): Change => ({
              table: 'kinds',
              identity,
              op: 'update',
              version,
              image,
              to: others[index]!.image!,
            }),
          ),
        ]);
        expect(undone.map(outcome => outcome.result)).toEqual(undone.map(() => 'applied'));
        expect(await rowTexts(bench, 'kinds')).toEqual(before);
      });

    test('that are equal in every column are told apart by place', async () => {
      const {client, connector} = bench;
      await client.query(
        "drop table if exists copies; create table copies (name text); insert into copies values ('a'), ('a'), ('a')",
      );
      const rows = (await allRows(connector, 'copies', now)) as unknown as Row[];
      expect(new Set(rows.map(idOf)).size).toBe(3);
      const unit = {
        group: {
          table: 'copies',
          where: {in: ['a'], of: {attr: 'name'}},
          keep: {by: 'first' as const},
          keeper: rows[0]!.identity,
        },
        changes: rows.map((row): Change => ({...existing(row), op: 'delete'})),
      };
      const [outcomes] = await connector.apply([unit], {decideKeeper});
      expect(outcomes!.map(outcome => ('why' in outcome ? outcome.why : outcome.result))).toEqual([
        'keeper',
        'applied',
        'applied',
      ]);
      expect(await rowTexts(bench, 'copies')).toEqual(['(a)']);
    });
  });
