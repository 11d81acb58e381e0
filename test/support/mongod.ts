/** MongoDB 6.0 as a replica set of one: with transactions, change in place of indexes, and validators. */
import {MongoClient} from 'mongodb';
import {newFolder, startChild} from '../servers/child-server.mjs';
import {mongod, mongodVersion} from '../servers/mongodb.mjs';
import {noteServer} from './asked.js';

/** Straight to it, and so to whatever proxy a test puts in between: never to what the set calls its members. */
const urlOf = (port: number): string => `mongodb://127.0.0.1:${port}/?directConnection=true`;

/** True when it takes writes: the set has begun, and its one member leads it. */
const leads = async (port: number): Promise<boolean> => {
  const client = new MongoClient(urlOf(port), {serverSelectionTimeoutMS: 200});
  try {
    const admin = client.db('admin');
    const {isWritablePrimary, setName} = await admin.command({hello: 1});
    if (!setName)
      await admin.command({
        replSetInitiate: {_id: 'rs', members: [{_id: 0, host: `127.0.0.1:${port}`}]},
      });
    return isWritablePrimary === true;
  } finally {
    await client.close();
  }
};

export const startMongod = async (): Promise<{url: string; stop(): Promise<void>}> => {
  const program = await mongod();
  const {port, stop} = await startChild(async port => {
    const folder = await newFolder('mongod');
    return {
      command: program,
      args: [
        ...['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', 'rs'],
        ...['--wiredTigerCacheSizeGB', '0.5', '--oplogSize', '200', '--unixSocketPrefix', folder, '--quiet'],
        // Fail points: answers that are lost, builds that take their time.
        ...['--setParameter', 'enableTestCommands=1'],
      ],
      folder,
      answers: () => leads(port),
    };
  });
  noteServer('MongoDB 6', await mongodVersion(program));
  return {url: urlOf(port), stop};
};
