/** Documents that are to be there once, beyond the contract suite: unique indexes, types, lost answers. */
import {type Collection, type Document, Double, Long, MongoClient, ObjectId, UUID} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Connector, NewValue, Put} from '../../source/connector.js';
import {Other} from '../../source/values.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';
import {startProxy} from '../support/mongodb-proxy.js';
import {codeOf} from '../support/rejections.js';

const request = (more: Partial<Put> = {}): Put => ({
  table: 'c',
  where: {all: []},
  lock: '',
  keep: {by: 'first'},
  create: {_id: {value: 'x'}, n: {value: 1}},
  update: {n: {value: 2}},
  ...more,
});

describe.each(mongodbServers())('putting into $name', ({start}) => {
  let server: MongodbServer;
  let client: MongoClient;
  let collection: Collection<Document>;
  let connector: Connector;
  const database = newDatabaseName();
  beforeAll(async () => {
    server = await start();
    client = new MongoClient(server.url);
    collection = client.db(database).collection('c');
    connector = openTestConnector(server.url, database);
  });
  afterAll(async () => {
    await connector?.close();
    await client?.db(database).dropDatabase();
    await client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await collection.drop().catch(() => {});
    await client.db(database).createCollection('c');
  });
  const put = (more: Partial<Put> = {}, on = connector) => on.put(request(more), {decideKeeper});
  const documents = () => collection.find({}, {promoteValues: false}).toArray();
  const byEmail = (email: string): Partial<Put> => ({
    where: {in: [email], of: {attr: 'email'}},
    create: {email: {value: email}, n: {value: 1}},
  });

  test('what MongoDB can not hold is refused, not cut off', async () => {
    const tooLarge = ['x'.repeat(16 * 2 ** 20), 'x'.repeat(20 * 2 ** 20)];
    const wrong: [NewValue, string][] = [
      ...[2n ** 63n, -(2n ** 63n) - 1n, 2n ** 70n].map((value): [NewValue, string] => [
        {value},
        'unsupported',
      ]),
      ...[...tooLarge, {'a\0b': 1}].map((value): [NewValue, string] => [{value}, 'usage']),
    ];
    const told = (more: Partial<Put>) =>
      connector.put(request(more), {decideKeeper}).then(
        () => 'answered',
        error => error.code,
      );
    for (const [n, code] of wrong) expect(await told({create: {_id: {value: 'x'}, n}})).toBe(code);
    expect(await collection.countDocuments()).toBe(0);
    await collection.insertOne({_id: 'x' as never, n: 1});
    for (const [n, code] of wrong) expect(await told({update: {n}})).toBe(code);
    expect(await collection.find().toArray()).toEqual([{_id: 'x', n: 1}]);
    for (const value of [2n ** 63n - 1n, -(2n ** 63n)]) {
      const {row} = await connector.put(request({update: {n: {value}}}), {decideKeeper});
      expect(row.values.n).toBe(value);
    }
  });

  test('without an _id it is found by a unique index, and refused where there is none', async () => {
    expect(await codeOf(put(byEmail('a')))).toBe('unsupported');
    expect(await documents()).toEqual([]);
    await collection.createIndex({email: 1}, {unique: true});
    const told = await Promise.all(Array.from({length: 20}, () => put(byEmail('a'))));
    expect(told.filter(({result}) => result === 'created')).toHaveLength(1);
    expect((await documents()).map(({email, n}) => [email, Number(n)])).toEqual([['a', 2]]);
    expect((await put(byEmail('b'))).result).toBe('created');
  });

  test('a document that is always new gets an _id; another one with its key is refused', async () => {
    const always: Partial<Put> = {where: {any: []}, create: {n: {value: 1}}, update: null};
    await Promise.all([put(always), put(always)]);
    expect((await documents()).map(({_id}) => _id instanceof ObjectId)).toEqual([true, true]);
    await put();
    expect(await codeOf(put({where: {any: []}}))).toBe('refused');
    expect(await documents()).toHaveLength(3);
  });

  test('one that is there but is not the one meant stays as it is', async () => {
    await collection.insertOne({_id: 'x' as never, state: 'shut', n: 1});
    const open: Partial<Put> = {where: {in: ['open'], of: {attr: 'state'}}};
    expect(await codeOf(put(open))).toBe('refused');
    expect(await collection.findOne()).toEqual({_id: 'x', state: 'shut', n: 1});
  });

  test('types are kept: ids, bytes, and numbers like the one that they replace', async () => {
    const [oid, uuid] = [new ObjectId(), new UUID()];
    await collection.insertOne({
      _id: oid,
      d: new Double(1),
      l: Long.fromNumber(5),
      at: '2025-01-01T00:00:00Z',
    });
    const {row} = await put({
      create: {_id: {value: new Other('objectId', oid.toHexString())}},
      update: {
        d: {value: 2},
        l: {value: 6},
        at: {now: true},
        u: {value: new Other('uuid', uuid.toHexString())},
        'map.in': {value: 1},
      },
    });
    const [found] = await documents();
    expect([found!.d, found!.l]).toEqual([new Double(2), Long.fromNumber(6)]);
    expect(found!.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(found!.u.toUUID().toHexString()).toBe(uuid.toHexString());
    expect(row.values.map).toEqual({in: 1});
    expect(await documents()).toHaveLength(1);
  });

  test('nothing that could be read as an operator is written, and no key changed', async () => {
    const badOnes = [
      {$set: {value: 1}},
      {m: {value: {$gt: 1}}},
      {'a.$b': {value: 1}},
      {u: {value: undefined}},
    ] as Record<string, NewValue>[];
    for (const bad of badOnes)
      expect(['usage', 'unsupported']).toContain(await codeOf(put({create: {_id: {value: 'x'}, ...bad}})));
    for (const name of ['_id', '_id.a'])
      expect(await codeOf(put({update: {[name]: {value: 1}}}))).toBe('usage');
    expect(await documents()).toEqual([]);
  });

  test('a row besides that nothing keeps single is refused before anything is written', async () => {
    await client
      .db(database)
      .createCollection('other')
      .catch(() => {});
    const also = [{table: 'other', key: {name: 'a'}, set: {session: {value: 'x'}}}];
    expect(await codeOf(put({also}))).toBe('unsupported');
    expect(await documents()).toEqual([]);
  });

  test('a read-only store refuses', async () => {
    const readOnly = openTestConnector(server.url, database, {readOnly: true});
    expect(await codeOf(put({}, readOnly))).toBe('read-only');
    await readOnly.close();
  });

  test.each([
    ['insert', 'answer'],
    ['insert', 'request'],
    ['findAndModify', 'answer'],
    ['findAndModify', 'request'],
  ] as const)(
    '%s: when the %s is lost the put tells what was written, and to repeat it is harmless',
    async (command, what) => {
      const proxy = await startProxy(server.url, {retryWrites: 'false'});
      const through = openTestConnector(proxy.url, database);
      try {
        if (command === 'findAndModify') await put({}, through);
        else await through.server();
        proxy.lose(command, what);
        const told = await put({}, through).then(
          ({result}) => result,
          error => error.code,
        );
        const written = (await documents()).map(({n}) => Number(n));
        if (what === 'answer')
          expect([told, written]).toEqual(command === 'insert' ? ['created', [1]] : ['updated', [2]]);
        else expect([told, written]).toEqual(['unreachable', command === 'insert' ? [] : [1]]);
        await put({}, through);
        expect(await documents()).toHaveLength(1);
      } finally {
        await through.close();
        await proxy.stop();
      }
    },
  );
});
