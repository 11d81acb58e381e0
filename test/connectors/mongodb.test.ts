import {BSON, Decimal128, Double, EJSON, Int32, Long, ObjectId, UUID} from 'bson';
import fc from 'fast-check';
import {type Db, type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {rawRowOf} from '../../connectors/mongodb/row.js';
import {
  type Change,
  type Connector,
  canonicalJson,
  type Found,
  type Row,
  type Unit,
} from '../../source/connector.js';
import {countFound, environmentFor, evaluate, evaluateTally, type RawRow} from '../../source/evaluate.js';
import type {Expr, Form, Pred} from '../../source/forms.js';
import {canonical} from '../../source/values.js';
import {
  type MongodbServer,
  mongodbServers,
  newDatabaseName,
  openHarness,
  openTestConnector,
} from '../support/mongodb.js';
import {connectorSuite} from './contract.js';

const servers = mongodbServers();

for (const kind of servers) connectorSuite(`mongodb on ${kind.name}`, () => openHarness(kind));

/** Bytes of each document of a collection, by `_id`, as a client without the connector reads them. */
const dumpOf = async (db: Db, collection: string): Promise<string[]> =>
  (await db.collection(collection).find({}, {raw: true}).toArray())
    .map(raw => Buffer.from(raw as unknown as Uint8Array).toString('hex'))
    .sort();

const everything: Form = {form: 'rows', from: 'c', where: {all: []}, show: [], tags: {}};

/** Keeps the row with the lowest `_id`, unless nothing has to stay. */
const decideKeeper = (rule: {by: string}, rows: Row[]): number => {
  if (rule.by === 'none') return -1;
  const ids = rows.map(row => canonicalJson(row.identity.at));
  return ids.indexOf([...ids].sort()[0]!);
};

const existing = (row: Row) => ({
  table: row.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
});
const alone = (...changes: Change[]): Unit => ({group: null, changes});

describe.each(servers)('the MongoDB connector on $name', ({name, start}) => {
  const isFerret = name === 'FerretDB';
  const database = newDatabaseName();
  let server: MongodbServer;
  let client: MongoClient;
  let db: Db;
  let connector: Connector;

  beforeAll(async () => {
    server = await start();
    client = new MongoClient(server.url);
    db = client.db(database);
    connector = openTestConnector(server.url, database);
  });
  afterAll(async () => {
    await connector?.close();
    await db?.dropDatabase();
    await client?.close();
    await server?.stop();
  });

  const fill = async (collection: string, documents: Document[]): Promise<void> => {
    await db
      .collection(collection)
      .drop()
      .catch(() => {});
    await db.createCollection(collection);
    if (documents.length > 0)
      await db.collection(collection).insertMany(documents, {forceServerObjectId: true});
  };
  beforeEach(() => fill('c', []));

  const readAll = async (form: Form = everything): Promise<Found[]> => {
    const found: Found[] = [];
    for await (const item of connector.read(form, {now: await connector.now(), full: true})) found.push(item);
    return found;
  };
  const apply = async (...units: Unit[]) => connector.apply(units, {decideKeeper});

  describe('what it says of the server', () => {
    test('is the same for two clients, and another for another database', async () => {
      const other = openTestConnector(server.url, `${database}x`);
      const again = openTestConnector(server.url, database);
      const [a, b, c] = [await connector.server(), await again.server(), await other.server()];
      expect(b).toEqual(a);
      expect(c.id).not.toBe(a.id);
      expect(a.version).toMatch(/^\d+\.\d+/);
      expect(a.standIn !== null).toBe(name === 'the stand-in');
      await Promise.all([other.close(), again.close()]);
    });

    test('includes its clock in microseconds', async () => {
      expect(Math.abs((await connector.now()) / 1000 - Date.now())).toBeLessThan(60_000);
    });

    test('includes collections, indexes and sizes', async () => {
      await fill('c', [
        {_id: 1 as never, a: 1},
        {_id: 2 as never, a: 2},
      ]);
      await db.collection('c').createIndex({a: 1, b: 1}, {unique: true, name: 'ab'});
      expect(await connector.tables()).toContain('c');
      expect(await connector.describe('c')).toEqual({
        table: 'c',
        columns: null,
        key: ['_id'],
        someKey: 1,
        estimatedRows: 2,
        indexes: [
          {name: '_id_', attributes: ['_id'], unique: true},
          {name: 'ab', attributes: ['a', 'b'], unique: true},
        ],
        cascades: [],
        hidden: null,
      });
      expect(await connector.describe('nonesuch')).toBeNull();
    });
  });

  describe('what it finds is what the evaluator finds', () => {
    const hex = '65f0a1b2c3d4e5f60718293a';
    const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
    const now = 1_763_690_400_000;
    const texts = [
      '',
      ' ',
      'a',
      ' A\u00a0',
      'waiting',
      'İ',
      'e\u0301',
      '\u00e9',
      '$a',
      "o'k",
      '1',
      '1.0',
      'true',
      hex,
      uuid,
      `${uuid}\n`,
      uuid.toUpperCase(),
      '😀',
      '\u212aelvin',
      'kelvin',
      new Date(now - 60_000).toISOString(),
      '2026-11-21 01:00',
      String(now - 5000),
    ];
    const scalar: fc.Arbitrary<unknown> = fc.oneof(
      {arbitrary: fc.constantFrom(...texts), weight: 6},
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        new Int32(1),
        new Double(1),
        new Double(1.5),
        Long.fromNumber(1),
        new Int32(0),
      ),
      fc.constantFrom<unknown>(
        Long.fromString('9007199254740993'),
        new Double(now),
        new Int32(1_763_690_300),
        Long.fromNumber(now - 1),
      ),
      fc.constantFrom<unknown>(new ObjectId(hex), new UUID(uuid), new BSON.Binary(Buffer.from('abc'))),
      fc.constantFrom(now - 1_000_000, now - 1, now, now + 1, now + 5000).map(ms => new Date(ms)),
      ...(isFerret
        ? []
        : [
            fc.constantFrom<unknown>(
              Decimal128.fromString('1'),
              Decimal128.fromString('1.0'),
              new Double(Number.NaN),
            ),
          ]),
    );
    const composed: fc.Arbitrary<unknown> = fc.oneof(
      fc.array(scalar, {maxLength: 3}),
      fc.constantFrom<unknown>(
        new Map<string, unknown>([
          ['x', 'a'],
          ['y', new Int32(1)],
        ]),
        new Map<string, unknown>([
          ['y', new Int32(1)],
          ['x', 'a'],
        ]),
        [new Map([['x', 'a']])],
      ),
      fc.record({x: scalar}).map(held => new Map(Object.entries(held))),
    );
    const value = fc.oneof(
      {arbitrary: scalar, weight: 4},
      {arbitrary: composed, weight: 1},
      {arbitrary: fc.constant(undefined), weight: 1},
    );
    const documents = fc.array(fc.record({a: value, b: value, m: value}), {maxLength: 14});
    const attribute = fc.constantFrom('a', 'b', 'm', 'm.x', '_id');
    const expr: fc.Arbitrary<Expr> = fc.oneof(
      {arbitrary: attribute.map(attr => ({attr})), weight: 5},
      attribute.map(norm => ({norm})),
      attribute.map(set => ({set})),
      fc.array(attribute, {minLength: 1, maxLength: 2}).map(instant => ({instant})),
      fc.constant<Expr>({fill: 's_{a}'}),
      attribute.map(digest => ({digest, salt: 'pepper', prefix: 'bg-', length: 8})),
      fc.constant<Expr>({first: ['m', 'm.x']}),
    );
    const item = fc.oneof(
      fc.constantFrom<string | number | boolean>(...texts, 1, 0, true, 1.5, '9007199254740993', 'YWJj'),
      fc.array(fc.constantFrom('a', '1'), {maxLength: 2}),
    );
    const {pred} = fc.letrec<{pred: Pred}>(tie => ({
      pred: fc.oneof(
        {maxDepth: 3, depthSize: 'small'},
        fc.record({
          is: fc.constantFrom('null', 'missing', 'empty', 'string', 'array', 'uuid', 'instant', 'finite'),
          of: expr,
        }) as fc.Arbitrary<Pred>,
        fc.record({in: fc.array(item, {maxLength: 3}), of: expr}) as fc.Arbitrary<Pred>,
        fc.record({same: fc.tuple(expr, expr)}),
        fc.record({
          older: fc.constantFrom(0, 1, 60_000),
          of: attribute.map(name => ({instant: [name, 'b']})),
        }),
        fc.record({future: attribute.map(name => ({instant: [name]}))}),
        fc.record({
          partner: fc.record({table: fc.constant('p'), on: fc.tuple(fc.tuple(expr, expr))}),
        }) as fc.Arbitrary<Pred>,
        fc.record({all: fc.array(tie('pred'), {maxLength: 3})}),
        fc.record({any: fc.array(tie('pred'), {maxLength: 3})}),
        fc.record({no: tie('pred')}),
      ),
    }));

    const withIds = (fields: Record<string, unknown>[]): Document[] =>
      fields.map((held, index) => {
        const entries = Object.entries(held).filter(([, item]) => item !== undefined);
        return new Map<string, unknown>([['_id', `id${index}`], ...entries]) as unknown as Document;
      });
    const rawRows = (table: string, some: Document[]): RawRow[] =>
      some.map(document => rawRowOf(table, BSON.serialize(document)));
    const shapeOf = (found: Found[]) =>
      found
        .map(({having, rows}) => [having, rows.map(row => [row.identity.at._id, row.tags])])
        .map(part => JSON.stringify(part))
        .sort();

    const agree = async (form: Form, here: Document[], there: Document[]) => {
      await Promise.all([fill('c', here), fill('p', there)]);
      const rows = {c: rawRows('c', here), p: rawRows('p', there)};
      const env = await environmentFor(form, table => rows[table as 'c' | 'p'], now * 1000);
      const expected = evaluate(form, rows.c, env);
      const survey = await connector.survey(form, {now: now * 1000, offset: 0, limit: 100});
      expect(shapeOf(survey.found)).toEqual(shapeOf(expected));
      expect({total: survey.total, counts: survey.counts}).toEqual(countFound(form, expected));
      const read: Found[] = [];
      for await (const found of connector.read(form, {now: now * 1000, full: true})) read.push(found);
      expect(shapeOf(read)).toEqual(shapeOf(expected));
      if (form.form === 'rows')
        expect(read.map(({rows: [row]}) => row!.identity)).toEqual(
          expected.map(({rows: [row]}) => row!.identity),
        );
    };
    const runs = {numRuns: isFerret ? 60 : 200};

    test('for rows', async () => {
      await fc.assert(
        fc.asyncProperty(documents, documents, pred, pred, (here, there, where, tag) =>
          agree(
            {form: 'rows', from: 'c', where, show: ['a'], tags: {tag}, order: {instant: ['b']}},
            withIds(here),
            withIds(there),
          ),
        ),
        runs,
      );
    });

    test('for groups', async () => {
      const having = fc.record({
        min: fc.constantFrom(1, 2, 3),
        of: fc.option(pred, {nil: undefined}),
        distinct: fc.option(fc.array(expr, {minLength: 1, maxLength: 1}), {nil: undefined}),
      });
      const key = fc.oneof(
        {arbitrary: fc.constantFrom<Expr[]>([{attr: 'a'}], [{attr: 'a'}, {attr: 'b'}]), weight: 3},
        fc.array(expr, {minLength: 1, maxLength: 2}),
      );
      await fc.assert(
        fc.asyncProperty(
          documents,
          documents,
          key,
          having,
          fc.option(pred, {nil: {all: []}}),
          (here, there, by, condition, where) =>
            agree(
              {form: 'groups', from: 'c', where, key: by, having: {some: [condition]}, show: [], tags: {}},
              withIds([...here, ...here]),
              withIds(there),
            ),
        ),
        runs,
      );
    });

    test('for tallies', async () => {
      const sorted = (counts: {value: unknown; count: number}[]) =>
        counts.map(entry => `${canonical(entry.value as never)} ${entry.count}`).sort();
      await fc.assert(
        fc.asyncProperty(documents, expr, fc.option(pred, {nil: undefined}), async (fields, by, where) => {
          const here = withIds(fields);
          await Promise.all([fill('c', here), fill('p', here)]);
          const form = {form: 'tally' as const, from: 'c', by, ...(where ? {where} : {})};
          const env = await environmentFor(
            {...everything, where: where ?? {all: []}} as Form,
            () => rawRows('p', here),
            now * 1000,
          );
          const expected = evaluateTally(form, rawRows('c', here), env);
          expect(sorted(await connector.tally(form, {now: now * 1000}))).toEqual(sorted(expected));
        }),
        runs,
      );
    });

    test('in pages that cover everything once, and only among the rows asked for', async () => {
      await fill(
        'c',
        Array.from({length: 137}, (_, index) => ({_id: index as never, a: index % 40})),
      );
      const form: Form = {
        form: 'groups',
        from: 'c',
        where: {all: []},
        key: [{attr: 'a'}],
        having: {several: [{min: 2}]},
        show: ['a'],
        tags: {},
      };
      const seen: unknown[] = [];
      for (let offset = 0; offset < 40; offset += 7)
        seen.push(...(await connector.survey(form, {now, offset, limit: 7})).found.map(({key}) => key![0]));
      expect(seen).toHaveLength(40);
      expect(new Set(seen).size).toBe(40);
      const [three] = (
        await connector.survey(
          {...everything, where: {in: [3], of: {attr: '_id'}}},
          {now, offset: 0, limit: 9},
        )
      ).found;
      const only = [three!.rows[0]!.identity];
      const group = await connector.survey(form, {now, offset: 0, limit: 9, only, full: true});
      expect(group.total).toBe(1);
      expect(group.found[0]!.rows.map(row => row.values._id)).toEqual([123, 3, 43, 83]);
      const row = await connector.survey(everything, {now, offset: 0, limit: 9, only});
      expect(row.found.map(({rows}) => rows[0]!.values._id)).toEqual([3]);
    });
  });

  describe('what it reads in full', () => {
    const odd = (): Document =>
      new Map<string, unknown>([
        ['_id', 'odd'],
        // The stand-in reads a command as an object, which has names like numbers first.
        ...(name === 'the stand-in' ? [] : ([['10', new Int32(3)]] as [string, unknown][])),
        [
          'h',
          new Map<string, unknown>([
            ['z', new Double(1)],
            ['y', Long.fromNumber(2)],
          ]),
        ],
        ['l', ['x', new Map([['q', new Int32(1)]])]],
        ['n', null],
        ['d', new Date(5)],
        ['b', new UUID('3f2504e0-4f89-41d3-9a0c-0305e82c3301')],
        ...(isFerret
          ? []
          : ([
              ['m', Decimal128.fromString('1.10')],
              ['__proto__', 'x'],
            ] as [string, unknown][])),
      ]) as unknown as Document;

    test('is put back byte for byte: types, order of fields, names like numbers', async () => {
      await fill('c', [odd()]);
      const before = await dumpOf(db, 'c');
      const [row] = (await readAll())[0]!.rows;
      expect(Buffer.from((row!.image as {bson: string}).bson, 'base64').toString('hex')).toBe(before[0]);
      expect(EJSON.deserialize((row!.image as {ejson: object}).ejson)).toMatchObject({_id: 'odd', n: null});
      const deleted = (await apply(alone({...existing(row!), op: 'delete'})))[0]![0];
      expect(deleted).toEqual({result: 'applied', after: null});
      expect(await dumpOf(db, 'c')).toEqual([]);
      const inserted = (
        await apply(
          alone({op: 'insert', table: 'c', identity: row!.identity, version: null, row: row!.image!}),
        )
      )[0]![0];
      expect(inserted).toMatchObject({
        result: 'applied',
        after: {version: row!.version, identity: row!.identity},
      });
      expect(await dumpOf(db, 'c')).toEqual(before);
    });

    test('is found again by an _id of any type, and is not an operator', async () => {
      const ids = [
        new ObjectId(),
        'text',
        new Int32(5),
        Long.fromString('9007199254740993'),
        new Date(9),
        new Map([
          ['x', new Int32(1)],
          ['y', 'z'],
        ] as [string, unknown][]),
      ];
      await fill(
        'c',
        ids.map(_id => new Map([['_id', _id]]) as unknown as Document),
      );
      const identities = (await readAll()).map(({rows}) => rows[0]!.identity);
      const again = await connector.fetch('c', [...identities, {by: 'key', at: {_id: 'gone'}}]);
      expect(again.map(row => row?.identity)).toEqual([...identities, undefined]);
      await expect(connector.fetch('c', [{by: 'key', at: {_id: {$ne: 1}}}])).rejects.toMatchObject({
        code: 'usage',
      });
    });
  });
});
