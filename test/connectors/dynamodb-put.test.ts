/** Rows that are to be there once in DynamoDB, beyond the contract suite: keys, what is meant, limited rates. */
import type {DynamoDBClient} from '@aws-sdk/client-dynamodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {openDynamodb} from '../../connectors/dynamodb/index.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Connector, Put} from '../../source/connector.js';
import {type DynamodbServer, dynamodbServers, makeTable, rawClient, scanTable} from '../support/dynamodb.js';
import {codeOf} from '../support/rejections.js';
import {startThrottlingProxy, type ThrottlingProxy} from '../support/throttling-proxy.js';

const settings = {
  store: 'kite',
  environment: 'test',
  timeoutMs: 10_000,
  readOnly: false,
  region: 'eu-west-1',
};

const request = (more: Partial<Put> = {}): Put => ({
  table: 'put-rows',
  where: {all: []},
  lock: '',
  keep: {by: 'first'},
  create: {a: {value: 'x'}, b: {value: 1}, n: {value: 1}},
  update: {n: {value: 2}},
  ...more,
});

describe.each(dynamodbServers())('putting into $name', ({start}) => {
  let server: DynamodbServer;
  let proxy: ThrottlingProxy;
  let client: DynamoDBClient;
  let connector: Connector;
  beforeAll(async () => {
    server = await start();
    client = rawClient(server.endpoint);
    proxy = await startThrottlingProxy(server.endpoint);
    connector = openDynamodb({...settings, endpoint: proxy.endpoint});
  });
  afterAll(async () => {
    await connector?.close();
    client?.destroy();
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    proxy.throttle = () => null;
    await makeTable(client, 'put-rows', {a: 'S', b: 'N'}, []);
    await makeTable(client, 'put-others', {id: 'S'}, []);
  });
  const put = (more: Partial<Put> = {}) => connector.put(request(more), {decideKeeper});
  const rows = () => scanTable(client, 'put-rows');

  test('what DynamoDB can not hold is not written, and told as what the caller gave', async () => {
    const also = [{table: 'put-others', key: {id: 'x'}, set: {s: {value: 'x'}}}];
    const create = {...request().create, n: {value: 'x'.repeat(500_000)}};
    expect(await codeOf(put({create}))).toBe('usage');
    expect(await codeOf(put({create, also}))).toBe('usage');
    for (const value of [2n ** 130n, 5e-324, 1e200, Number.NaN])
      expect(await codeOf(put({create: {...request().create, n: {value}}}))).toBe('unsupported');
    expect(await rows()).toEqual([]);
    expect(await scanTable(client, 'put-others')).toEqual([]);
  });

  test('wants the whole key, of the right type, and not among the updates', async () => {
    expect(await codeOf(put({create: {a: {value: 'x'}}}))).toBe('unsupported');
    expect(await codeOf(put({create: {a: {value: 'x'}, b: {value: '1'}}}))).toBe('usage');
    expect(await codeOf(put({create: {a: {value: ''}, b: {value: 1}}}))).toBe('usage');
    for (const name of ['a', 'b', 'b.c'])
      expect(await codeOf(put({update: {[name]: {value: 1}}}))).toBe('usage');
    const also = [{table: 'put-others', key: {}, set: {s: {value: 'x'}}}];
    expect(await codeOf(put({also}))).toBe('unsupported');
    expect(await rows()).toEqual([]);
    await put();
    await put({create: {a: {value: 'x'}, b: {value: 2}}});
    expect(await rows()).toHaveLength(2);
  });

  test('one that is there but is not the one meant stays as it is', async () => {
    await put({create: {a: {value: 'x'}, b: {value: 1}, state: {value: 'shut'}}});
    const also = [{table: 'put-others', key: {id: 'o'}, set: {s: {value: 'x'}}}];
    for (const where of [{any: []}, {in: ['open'], of: {attr: 'state'}}])
      expect(await codeOf(put({where, also}))).toBe('refused');
    expect(await rows()).toEqual([{a: {S: 'x'}, b: {N: '1'}, state: {S: 'shut'}}]);
    expect(await scanTable(client, 'put-others')).toEqual([]);
  });

  test('what sets nothing of a row besides still makes it, and leaves one that is there', async () => {
    const also = [{table: 'put-others', key: {id: 'o'}, set: {}}];
    expect((await put({also})).result).toBe('created');
    expect((await put({also, update: {}})).result).toBe('kept');
    expect(await scanTable(client, 'put-others')).toEqual([{id: {S: 'o'}}]);
  });

  test('a limited rate is waited for', async () => {
    let left = 2;
    proxy.throttle = operation =>
      /Item$/.test(operation) && operation !== 'BatchGetItem' && left-- > 0 ? 'whole' : null;
    expect((await put()).result).toBe('created');
    expect(left).toBeLessThan(0);
    expect(await rows()).toHaveLength(1);
  });

  test('a read-only store refuses', async () => {
    const readOnly = openDynamodb({...settings, endpoint: server.endpoint, readOnly: true});
    expect(await codeOf(readOnly.put(request(), {decideKeeper}))).toBe('read-only');
    await readOnly.close();
  });
});
