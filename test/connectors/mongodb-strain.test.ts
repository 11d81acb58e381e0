/** Words for a MongoDB server under strain: by documents of the shape that MongoDB's manual gives, and over the wire. */
import {type AddressInfo, createServer, type Socket} from 'node:net';
import type {Document} from 'mongodb';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Answers, strainOf} from '../../connectors/mongodb/strain.js';
import {answer, createParser} from '../../source/demo/mongodb-wire.js';
import {mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 10, 21, 10, 0, seconds));
const none: Answers = {hello: null, status: null, config: null, server: null};
const member = (_id: number, state: number, seconds: number, health = 1) => ({
  _id,
  name: `db${_id}:27017`,
  health,
  state,
  optimeDate: at(seconds),
});

test('a member that is two seconds behind is named; one that is down, or no secondary, is not', () => {
  const members = [member(0, 1, 30), member(1, 2, 29), member(2, 2, 26), member(3, 8, 0, 0), member(4, 7, 0)];
  expect(strainOf({...none, status: {members}})).toBe('db2:27017 is 4 s behind the primary');
  expect(strainOf({...none, status: {members: members.slice(0, 2)}})).toBeNull();
  expect(strainOf({...none, status: {members: members.filter(({_id}) => _id !== 2)}})).toBeNull();
});

test('what a member is behind on purpose is not lag', () => {
  const status = {members: [member(0, 1, 50), member(1, 2, 19)]};
  for (const name of ['secondaryDelaySecs', 'slaveDelay']) {
    const config = (delay: number) => ({members: [{_id: 0}, {_id: 1, [name]: delay}]});
    expect(strainOf({...none, status, config: config(30)})).toBeNull();
    expect(strainOf({...none, status, config: config(20)})).toBe('db1:27017 is 11 s behind the primary');
  }
});

test('a majority that is behind, flow control and a queue each have their words', () => {
  const lastWrite = {lastWriteDate: at(9), majorityWriteDate: at(6)};
  expect(strainOf({...none, hello: {lastWrite}})).toBe('most members are 3 s behind the primary');
  expect(strainOf({...none, hello: {lastWrite: {...lastWrite, majorityWriteDate: at(8)}}})).toBeNull();
  expect(strainOf({...none, hello: {localTime: at(0)}})).toBeNull();
  expect(strainOf({...none, server: {flowControl: {enabled: true, isLagged: true}}})).toMatch(/flow control/);
  expect(strainOf({...none, server: {flowControl: {enabled: false, isLagged: true}}})).toBeNull();
  const queue = (total: number) => ({globalLock: {currentQueue: {total, readers: total, writers: 0}}});
  expect(strainOf({...none, server: queue(21)})).toBe("21 operations wait in the server's queue");
  expect(strainOf({...none, server: queue(20)})).toBeNull();
  expect(strainOf(none)).toBeNull();
});

/** A server of which only the answers to commands exist; what has none is refused as MongoDB refuses it. */
const startAnswering = async (answers: Record<string, () => Document>) => {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    const parse = createParser();
    socket.on('data', chunk => {
      for (const request of parse(chunk)) {
        const verb = Object.keys(request.command)[0]!;
        asked.push(verb);
        const reply = answers[verb]?.() ?? {
          ok: 0,
          code: 13,
          codeName: 'Unauthorized',
          errmsg: `not authorized on admin to execute command { ${verb}: 1 }`,
        };
        if (!reply.silent) socket.write(answer(request, reply));
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    asked,
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};

const hello = (more: Document = {}) => ({
  ok: 1,
  isWritablePrimary: true,
  ismaster: true,
  helloOk: true,
  minWireVersion: 0,
  maxWireVersion: 21,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  ...more,
});

describe('over the wire', () => {
  const lastWrite = {lastWriteDate: at(9), majorityWriteDate: at(9)};
  const withHello = (more: Document = {}) => {
    const reply = () => hello({lastWrite, ...more});
    return {hello: reply, ismaster: reply, isMaster: reply, buildInfo: () => ({ok: 1, version: '8.0.0'})};
  };

  test('what is refused is not asked again, and what is allowed goes on being asked', async () => {
    let last = at(9);
    const answers = withHello();
    const server = await startAnswering({
      ...answers,
      hello: () => hello({lastWrite: {...lastWrite, lastWriteDate: last}}),
    });
    const connector = openTestConnector(server.url, 'any');
    expect(await connector.strain!()).toBeNull();
    last = at(20);
    expect(await connector.strain!()).toBe('most members are 11 s behind the primary');
    const count = (verb: string): number => server.asked.filter(name => name === verb).length;
    expect(count('replSetGetStatus')).toBe(1);
    expect(count('replSetGetConfig')).toBe(0);
    // Once for the server's address, which is asked for apart.
    expect(count('serverStatus')).toBe(2);
    await connector.close();
    await server.stop();
  });

  test('the configuration is asked for when a member is behind, and its delay counts', async () => {
    let delay = 0;
    const server = await startAnswering({
      ...withHello(),
      serverStatus: () => ({ok: 1, host: 'db0'}),
      replSetGetStatus: () => ({ok: 1, members: [member(0, 1, 30), member(1, 2, 20)]}),
      replSetGetConfig: () => ({ok: 1, config: {members: [{_id: 1, secondaryDelaySecs: delay}]}}),
    });
    const connector = openTestConnector(server.url, 'any');
    expect(await connector.strain!()).toBe('db1:27017 is 10 s behind the primary');
    delay = 10;
    expect(await connector.strain!()).toBeNull();
    await connector.close();
    await server.stop();
  });

  test('a server that does not answer is not waited for long, and an interruption not at all', async () => {
    const server = await startAnswering({...withHello(), replSetGetStatus: () => ({silent: true})});
    const connector = openTestConnector(server.url, 'any');
    await connector.server();
    const began = performance.now();
    expect(await connector.strain!()).toBeNull();
    expect(performance.now() - began).toBeLessThan(5_000);
    const control = new AbortController();
    const asking = connector.strain!(control.signal);
    const interrupted = performance.now();
    control.abort();
    expect(await asking).toBeNull();
    expect(performance.now() - interrupted).toBeLessThan(500);
    await connector.close();
    await server.stop();
  });
});

for (const {name, start} of mongodbServers().filter(kind => kind.name !== 'MongoDB'))
  describe(`on ${name}`, () => {
    let server: Awaited<ReturnType<typeof start>>;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server.stop());

    test('which has nothing of it there is no strain, and what is asked next is answered', async () => {
      const connector = openTestConnector(server.url, newDatabaseName());
      expect(await connector.strain!()).toBeNull();
      expect(await connector.strain!()).toBeNull();
      expect(await connector.tables()).toEqual([]);
      await connector.close();
    });
  });

test('a server that is not there is under no strain', async () => {
  const connector = openTestConnector('mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100', 'any');
  expect(await connector.strain!()).toBeNull();
  await connector.close();
});
