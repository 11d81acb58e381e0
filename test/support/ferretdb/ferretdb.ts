/** FerretDB 1.24 with SQLite inside: a MongoDB server that nobody here wrote. */
import {MongoClient} from 'mongodb';
import {newFolder, startChild} from '../../servers/child-server.mjs';
import {ferretdb, ferretdbVersion} from '../../servers/ferretdb.mjs';
import {noteServer} from '../asked.js';

const urlOf = (port: number): string => `mongodb://127.0.0.1:${port}`;

const ping = async (url: string): Promise<boolean> => {
  const client = new MongoClient(url, {serverSelectionTimeoutMS: 200});
  try {
    await client.db('admin').command({ping: 1});
    return true;
  } finally {
    await client.close();
  }
};

export const startFerretdb = async (): Promise<{url: string; stop(): Promise<void>}> => {
  const program = await ferretdb();
  const {port, stop} = await startChild(async port => {
    const folder = await newFolder('ferretdb');
    return {
      command: program,
      args: [`127.0.0.1:${port}`, folder],
      env: {DO_NOT_TRACK: '1'},
      folder,
      answers: () => ping(urlOf(port)),
    };
  });
  noteServer('FerretDB', await ferretdbVersion(program));
  return {url: urlOf(port), stop};
};
