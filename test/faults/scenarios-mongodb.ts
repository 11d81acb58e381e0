/** Runs on MongoDB and on FerretDB: chat assign-ids and delete. */
import {BSON, type Document, MongoClient} from 'mongodb';
import {canonicalJson} from '../../source/connector.js';
import type {Json} from '../../source/values.js';
import {newDatabaseName} from '../support/mongodb.js';
import {type DocumentServer, endTransactions, ferretdb, mongodb6} from './document-servers.js';
import type {Rows, Scenario} from './scenario.js';

const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const when = (day: number): Date => new Date(Date.UTC(2026, 0, day, 1, 2, 3, 4));

const documents = (): Document[] => [
  {
    _id: 'bad1',
    title: 'a',
    sessionId: null,
    updatedAt: when(1),
    big: BSON.Long.fromString('9007199254740993'),
  },
  {_id: 'bad2', title: 'b', updatedAt: when(2), messages: [{at: when(2), text: 'hello'}]},
  {
    _id: 'bad3',
    sessionId: '',
    title: 'c',
    updatedAt: when(3),
    raw: new BSON.Binary(Buffer.from([0, 1, 255])),
  },
  {_id: 'bad4', sessionId: uuid(4), title: 'd', updatedAt: when(4)},
  {_id: 'bad5', sessionId: uuid(4), title: 'e', updatedAt: when(5), rate: new BSON.Double(1)},
  {_id: 'ok6', sessionId: uuid(6), title: 'f', updatedAt: when(6)},
  {_id: 'ok7', sessionId: 17, title: 'g', updatedAt: when(7)},
];

export type MongodbName = DocumentServer['name'];

/** Starts a server and opens a client of our own on it. */
export const openMongodbScenarios = async (
  name: MongodbName,
): Promise<{scenarios: Scenario[]; stop(): Promise<void>}> => {
  const {start, hasTransactions} = name === mongodb6.name ? mongodb6 : ferretdb;
  const server = await start();
  const client = await new MongoClient(server.url).connect();
  const database = newDatabaseName();
  const collection = client.db(database).collection('conversations');

  const reset = async (): Promise<void> => {
    await collection.deleteMany({});
    await collection.insertMany(documents());
  };
  const keyOf = (at: Record<string, unknown>): string => canonicalJson(at as Json);
  const rows = async (): Promise<Rows> => {
    const raws = (await collection.find({}, {raw: true}).toArray()) as unknown as Uint8Array[];
    return {
      conversations: new Map(
        raws.map(raw => [keyOf({_id: BSON.deserialize(raw)._id}), Buffer.from(raw).toString('base64')]),
      ),
    };
  };
  const sessionOf = (text: string): string | null => {
    const {sessionId} = BSON.deserialize(Buffer.from(text, 'base64'));
    return sessionId === undefined || sessionId === null || sessionId === '' ? null : String(sessionId);
  };
  const scenarios = ['assign-ids', 'delete'].map(
    (action): Scenario => ({
      name: `chat ${action}`,
      server: name,
      check: 'chat/null-ids',
      action,
      stores: {
        chat: {
          kind: 'mongodb',
          url: server.url,
          database,
          checks: [
            {
              check: 'null-ids',
              table: 'conversations',
              id: 'sessionId',
              idFormat: 'uuid',
              touch: 'updatedAt',
            },
          ],
        },
      },
      reset,
      rows,
      ...(hasTransactions && {settled: () => endTransactions(client)}),
      keyOf,
      mayChange: (_table, key) => key.includes('bad'),
      // Assigning deletes nothing; deleting leaves one document of those that share an id.
      groupOf: (_table, key, text) => (action === 'assign-ids' ? key : sessionOf(text)),
    }),
  );
  return {
    scenarios,
    stop: async () => {
      await client.close();
      await server.stop();
    },
  };
};
