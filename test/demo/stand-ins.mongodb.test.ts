/** The demo's own MongoDB server, held to what MongoDB does; what it is alone is said here. */
import {type Collection, type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {type MongodbStandIn, startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import {mongodbServers} from '../support/mongodb.js';
import {mongodbSuite, numberOf} from './mongodb-suite.js';

for (const kind of mongodbServers()) mongodbSuite(kind);

describe('the stand-in alone', () => {
  let server: MongodbStandIn;
  let client: MongoClient;
  let rows: Collection<Document>;
  beforeAll(async () => {
    server = await startMongodbStandIn();
    client = new MongoClient(server.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });
  beforeEach(() => {
    rows = client.db('chat').collection('conversations');
  });

  test('is a standalone stand-in: says so, has no transactions and knows what it does not know', async () => {
    const admin = client.db('admin');
    const info = await admin.command({buildInfo: 1});
    expect(info.modules).toEqual(['stand-in: sesstui demo, not MongoDB']);
    const hello = await admin.command({hello: 1});
    expect(hello.setName).toBeUndefined();
    expect(Math.abs(hello.localTime - Date.now())).toBeLessThan(5000);
    expect(await numberOf(admin.command({shutdown: 1}))).toBe(59);
    await rows.insertOne({n: 1});
    expect(await numberOf(rows.aggregate([{$out: 'elsewhere'}]).toArray())).toBe(40324);
    const session = client.startSession();
    const inTransaction = session.withTransaction(() => rows.findOne({}, {session}));
    expect(await numberOf(inTransaction)).toBe(20);
    await session.endSession();
    expect(await rows.countDocuments()).toBe(1);
    expect((await admin.admin().listDatabases()).databases.map(({name}) => name)).toEqual(['chat']);
    await rows.drop();
    expect(await client.db('chat').listCollections({name: rows.collectionName}).toArray()).toEqual([]);
  });

  test('survives a client that sends something else', async () => {
    const {connect} = await import('node:net');
    const socket = connect(server.port);
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\nthis is not a message of MongoDB'));
    await new Promise(resolve => socket.once('close', resolve));
    expect(await client.db('admin').command({ping: 1})).toEqual({ok: 1});
  });
});
