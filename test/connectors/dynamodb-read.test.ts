import type {AttributeValue, DynamoDBClient} from '@aws-sdk/client-dynamodb';
import {UpdateItemCommand} from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {neutralItem, toItem} from '../../connectors/dynamodb/attributes.js';
import {openClient} from '../../connectors/dynamodb/client.js';
import {compile} from '../../connectors/dynamodb/compile.js';
import {openDynamodb} from '../../connectors/dynamodb/index.js';
import {scan} from '../../connectors/dynamodb/pages.js';
import {openTables} from '../../connectors/dynamodb/tables.js';
import type {Connector, Found, Survey} from '../../source/connector.js';
import {countFound, environmentFor, evaluate, evaluateTally, type RawRow} from '../../source/evaluate.js';
import type {Expr, Form, Pred} from '../../source/forms.js';
import {canonical, Other, type Value} from '../../source/values.js';
import {
  type DynamodbServer,
  dynamodbServers,
  makeTable,
  type RawItem,
  rawClient,
} from '../support/dynamodb.js';

const settings = {
  store: 'kite',
  environment: 'test',
  timeoutMs: 20_000,
  readOnly: false,
  region: 'eu-west-1',
};

const attributes = ['a', 'b', 'm', 'm.x'];
const texts = [
  '',
  'x',
  'X ',
  '7',
  '7.0',
  'true',
  '\u00a0é',
  'e\u0301',
  '$a',
  'İ',
  '😀',
  '2026-11-21T01:00:00Z',
  '1763690000',
  'AQID',
];
/** Items of every type; `texts` are the strings in them. */
const anyItem = (texts: string[]) => {
  const scalar: fc.Arbitrary<AttributeValue> = fc.oneof(
    fc.constantFrom(...texts).map(S => ({S})),
    fc
      .constantFrom(
        '7',
        '-1.5',
        '0',
        '1763690000',
        '1763690000123',
        '9007199254740993',
        '0.1234567890123456789012345',
      )
      .map(N => ({N})),
    fc.constantFrom<AttributeValue>(
      {BOOL: true},
      {BOOL: false},
      {NULL: true},
      {B: new Uint8Array([1, 2, 3])},
    ),
  );
  const value: fc.Arbitrary<AttributeValue> = fc.oneof(
    {weight: 4, arbitrary: scalar},
    fc.array(scalar, {maxLength: 2}).map(L => ({L})),
    fc.constantFrom<AttributeValue>({SS: ['x', 'y']}, {NS: ['1', '7']}, {BS: [new Uint8Array([9])]}),
    fc.record({x: scalar}, {requiredKeys: []}).map(M => ({M})),
  );
  return fc.record({a: value, b: value, m: value, 'm.x': scalar}, {requiredKeys: []});
};

const name = fc.constantFrom(...attributes);
const anyExpr: fc.Arbitrary<Expr> = fc.oneof(
  {weight: 4, arbitrary: name.map(attr => ({attr}))},
  name.map(norm => ({norm})),
  name.map(set => ({set})),
  fc.array(name, {minLength: 1, maxLength: 2}).map(instant => ({instant})),
  name.map(attr => ({fill: `x{${attr}}`})),
  name.map(digest => ({digest, salt: 'pepper', prefix: 'bg-', length: 8})),
  fc.array(name, {minLength: 1, maxLength: 2}).map(first => ({first})),
);
const anyInItem = fc.oneof(
  fc.constantFrom(...texts),
  fc.constantFrom<string | number | boolean>(7, -1.5, true),
  fc.constant(['x', 'y']),
);
const {pred: anyPred} = fc.letrec<{pred: Pred}>(tie => ({
  pred: fc.oneof(
    {maxDepth: 2, depthSize: 'small'},
    fc.record({
      is: fc.constantFrom('null', 'missing', 'empty', 'string', 'array', 'uuid', 'instant', 'finite'),
      of: anyExpr,
    }) as fc.Arbitrary<Pred>,
    fc.record({same: fc.tuple(anyExpr, anyExpr)}),
    fc.record({in: fc.array(anyInItem, {maxLength: 3}), of: anyExpr}) as fc.Arbitrary<Pred>,
    fc.record({older: fc.constantFrom(0, 60_000), of: anyExpr}),
    fc.record({future: anyExpr}),
    anyExpr.map(expr => ({
      partner: {
        table: 'partners',
        on: [[expr, {attr: 'a'}]] as [Expr, Expr][],
        where: {no: {is: 'null', of: {attr: 'b'}}} as Pred,
      },
    })),
    fc.array(tie('pred'), {maxLength: 3}).map(all => ({all})),
    fc.array(tie('pred'), {maxLength: 3}).map(any => ({any})),
    tie('pred').map(no => ({no})),
  ),
}));
const anyForm = fc.oneof(
  fc.record({
    form: fc.constant('rows' as const),
    from: fc.constant('things'),
    where: anyPred,
    show: fc.constant<string[]>(['id']),
    tags: fc.record({t: anyPred, u: anyPred}),
    order: anyExpr,
  }),
  fc.record({
    form: fc.constant('groups' as const),
    from: fc.constant('things'),
    where: anyPred,
    key: fc.array(anyExpr, {minLength: 1, maxLength: 2}),
    having: fc.record({several: fc.constant([{min: 2}]), mixed: anyPred.map(of => [{of, min: 1}])}),
    show: fc.constant<string[]>(['id']),
    tags: fc.record({t: anyPred}),
  }),
);

const now = Date.parse('2026-11-21T02:00:00Z') * 1000;
const told = (found: Found[]) =>
  found.map(({having, rows}) => ({having, rows: rows.map(({identity, tags}) => ({identity, tags}))}));
const toldSurvey = ({found, ...counts}: Survey) => ({...counts, found: told(found)});
const rowsOf = (table: string, items: RawItem[]): RawRow[] =>
  items.map(raw => {
    const item = toItem(raw);
    return {table, identity: {by: 'key', at: {id: item.id!}}, values: neutralItem(item)};
  });

for (const server of dynamodbServers())
  describe(`reading from ${server.name}`, () => {
    let running: DynamodbServer;
    let client: DynamoDBClient;
    let connector: Connector;
    const items: Record<string, RawItem[]> = {};

    beforeAll(async () => {
      running = await server.start();
      client = rawClient(running.endpoint);
      connector = openDynamodb({...settings, endpoint: running.endpoint});
      // dynalite's attribute_type finds no type of an empty string.
      const strings = server.name === 'dynalite' ? texts.filter(text => text !== '') : texts;
      const [things, partners] = fc.sample(fc.array(anyItem(strings), {minLength: 60, maxLength: 60}), {
        numRuns: 2,
        seed: 7,
      });
      const numbered = (list: Record<string, AttributeValue | undefined>[]) =>
        list.map((item, i) => ({...item, id: {S: `id-${i}`}}) as RawItem);
      items.things = numbered(things!);
      items.partners = numbered(partners!.slice(0, 12));
      await makeTable(client, 'things', {id: 'S'}, items.things);
      await makeTable(client, 'partners', {id: 'S'}, items.partners);
    });
    afterAll(async () => {
      await connector?.close();
      client?.destroy();
      await running?.stop();
    });

    test('answers every form as the reference evaluator does', async () => {
      const rows = {things: rowsOf('things', items.things!), partners: rowsOf('partners', items.partners!)};
      await fc.assert(
        fc.asyncProperty(anyForm as fc.Arbitrary<Form>, async form => {
          const env = await environmentFor(form, table => rows[table as 'things'], now);
          const expected = evaluate(form, rows.things, env);
          const survey = await connector.survey(form, {now, offset: 0, limit: 1000, full: true});
          expect(toldSurvey(survey)).toEqual({...countFound(form, expected), found: told(expected)});
        }),
        {numRuns: 120, seed: 11},
      );
    });

    test('tallies as the reference evaluator does', async () => {
      await fc.assert(
        fc.asyncProperty(anyExpr, async by => {
          const env = {now, hasPartner: () => false};
          const form = {form: 'tally' as const, from: 'things', by};
          const key = ({value, count}: {value: Value; count: number}) => `${canonical(value)} ${count}`;
          const expected = evaluateTally(form, rowsOf('things', items.things!), env);
          expect((await connector.tally(form, {now})).map(key).sort()).toEqual(expected.map(key).sort());
        }),
        {numRuns: 20, seed: 5},
      );
    });

    test('reads everything to the last page, in portions', async () => {
      const wide = Array.from({length: 300}, (_, i) => ({id: {S: `w-${i}`}, pad: {S: 'x'.repeat(9000)}}));
      await makeTable(client, 'wide', {id: 'S'}, wide);
      const ids = new Set<string>();
      const form: Form = {
        form: 'rows',
        from: 'wide',
        where: {is: 'string', of: {attr: 'pad'}},
        show: ['id'],
        tags: {},
      };
      for await (const {rows} of connector.read(form, {now, full: true})) {
        expect(rows[0]!.version).toMatch(/^[0-9a-f]{64}$/);
        ids.add(rows[0]!.values.id as string);
      }
      expect(ids.size).toBe(300);
    });

    test('reads a large table in segments, each row once, and all of them stop with the signal', async () => {
      await makeTable(
        client,
        'segments',
        {id: 'S'},
        Array.from({length: 90}, (_, i) => ({id: {S: `s-${i}`}})),
      );
      const reader = openClient({...settings, endpoint: running.endpoint});
      const info = (await openTables(reader).look('segments'))!;
      const large = {...info, itemCount: 1_000_000};
      const compiled = compile({all: []}, ['id']);
      const ids: unknown[] = [];
      await scan(reader, large, compiled, {paced: false}, items => {
        ids.push(...items.map(item => Object.values(item.id!)[0]));
      });
      expect(new Set(ids).size).toBe(90);
      expect(ids).toHaveLength(90);
      const stopped = scan(reader, large, compiled, {paced: false, signal: AbortSignal.abort()}, () => {});
      await expect(stopped).rejects.toMatchObject({code: 'interrupted'});
      reader.close();
    });

    test("finds rows by the table's key and by an index, whatever is asked for besides", async () => {
      const visits = Array.from({length: 12}, (_, i) => ({
        account: {S: `acc-${i % 4}`},
        at: {N: String(i)},
        city: {S: i % 2 ? 'Lisbon' : 'Oslo'},
      }));
      await makeTable(client, 'visits', {account: 'S', at: 'N'}, visits, {city: 'S'});
      const ask = async (where: Pred) => {
        const form: Form = {form: 'rows', from: 'visits', where, show: ['account', 'at'], tags: {}};
        const {found} = await connector.survey(form, {now, offset: 0, limit: 100});
        return found.map(({rows}) => rows[0]!.values.at).sort((a, b) => Number(a) - Number(b));
      };
      expect(await ask({in: ['acc-1', 'acc-1', '', 'nobody'], of: {attr: 'account'}})).toEqual([1, 5, 9]);
      expect(
        await ask({
          all: [
            {in: ['Oslo'], of: {attr: 'city'}},
            {in: ['acc-2', 7], of: {attr: 'account'}},
          ],
        }),
      ).toEqual([2, 6, 10]);
      expect(await ask({in: ['Lisbon'], of: {attr: 'city'}})).toEqual([1, 3, 5, 7, 9, 11]);
      expect(await ask({in: ['3', '4.0'], of: {attr: 'at'}})).toEqual([3]);
      expect(await connector.describe('visits')).toMatchObject({
        key: ['account', 'at'],
        columns: null,
        indexes: [
          {attributes: ['account', 'at'], unique: true},
          {attributes: ['city'], unique: false},
        ],
      });
    });

    test('gives only the rows, and the groups of the rows, that are asked for', async () => {
      const {found} = await connector.survey(
        {form: 'rows', from: 'things', where: {all: []}, show: [], tags: {}},
        {now, offset: 0, limit: 1000},
      );
      const only = [found[3]!.rows[0]!.identity, {by: 'key' as const, at: {id: {S: 'nobody'}}}];
      const rows = await connector.survey(
        {form: 'rows', from: 'things', where: {all: []}, show: [], tags: {}},
        {now, offset: 0, limit: 10, only},
      );
      expect(rows.found.flatMap(one => one.rows.map(row => row.identity))).toEqual([only[0]]);
      const groups: Form = {
        form: 'groups',
        from: 'things',
        where: {all: []},
        key: [{attr: 'a'}],
        having: {any: [{min: 1}]},
        show: [],
        tags: {},
      };
      const all = (await connector.survey(groups, {now, offset: 0, limit: 1000})).found;
      const wanted = all.filter(one => one.rows.length > 1)[0]!;
      const one = await connector.survey(groups, {
        now,
        offset: 0,
        limit: 10,
        only: [wanted.rows[0]!.identity],
      });
      expect(told(one.found)).toEqual(told([wanted]));
    });

    test('keeps numbers, binary and sets as they are, and tells the parts of a row apart by version', async () => {
      const item: RawItem = {
        id: {S: 'lossless'},
        digits: {N: '12345678901234567890.123456789012345678'},
        bytes: {L: [{B: new Uint8Array([0, 255])}, {M: {set: {BS: [new Uint8Array([1])]}}}]},
        names: {SS: ['b', 'a']},
        amounts: {NS: ['2', '1.5']},
      };
      await makeTable(client, 'lossless', {id: 'S'}, [item]);
      const identity = {by: 'key' as const, at: {id: {S: 'lossless'}}};
      const [row] = await connector.fetch('lossless', [identity]);
      expect(row!.image).toEqual({
        id: {S: 'lossless'},
        digits: {N: '12345678901234567890.123456789012345678'},
        bytes: {L: [{B: 'AP8='}, {M: {set: {BS: ['AQ==']}}}]},
        names: {SS: ['a', 'b']},
        amounts: {NS: ['1.5', '2']},
      });
      expect(connector.valuesOf('lossless', row!.image!).digits).toEqual(
        new Other('number', '12345678901234567890.123456789012345678'),
      );
      await client.send(
        new UpdateItemCommand({
          TableName: 'lossless',
          Key: {id: {S: 'lossless'}},
          UpdateExpression: 'ADD amounts :more',
          ExpressionAttributeValues: {':more': {NS: ['3']}},
        }),
      );
      const [changed] = await connector.fetch('lossless', [identity]);
      expect(changed!.version).not.toBe(row!.version);
    });

    test('tells the server, its clock and its tables', async () => {
      const before = Math.floor(Date.now() / 1000) * 1e6;
      const micros = await connector.now();
      expect(micros).toBeGreaterThanOrEqual(before);
      expect(micros).toBeLessThanOrEqual(Date.now() * 1000);
      const {id, standIn} = await connector.server();
      expect(id).toBe(`eu-west-1/${new URL(running.endpoint).host}`);
      expect(standIn === null).toBe(server.name !== 'dynalite');
      expect(await connector.tables()).toEqual(expect.arrayContaining(['partners', 'things']));
      expect(await connector.describe('nowhere')).toBeNull();
    });

    test('says what went wrong with a code', async () => {
      const form: Form = {form: 'rows', from: 'nowhere', where: {all: []}, show: [], tags: {}};
      await expect(connector.survey(form, {now, offset: 0, limit: 1})).rejects.toMatchObject({
        code: 'not-found',
      });
      const aborted = AbortSignal.abort();
      await expect(connector.now(aborted)).rejects.toMatchObject({code: 'interrupted'});
      const readOnly = openDynamodb({...settings, readOnly: true, endpoint: running.endpoint});
      await expect(readOnly.apply([], {decideKeeper: () => -1})).rejects.toMatchObject({code: 'read-only'});
      await readOnly.close();
      const nobody = openDynamodb({...settings, endpoint: 'http://127.0.0.1:9'});
      await expect(nobody.now()).rejects.toMatchObject({code: 'unreachable'});
      await nobody.close();
    });
  });
