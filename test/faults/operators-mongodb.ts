/** chat's collection for the rounds: conversations that share an id. */
import {type Collection, MongoClient} from 'mongodb';
import {type DocumentServer, endTransactions} from './document-servers.js';
import {type Pair, type Stored, type System, seedRows} from './operators-system.js';

type Conversation = {
  _id: string;
  sessionId: string;
  stamp: string;
  updatedAt: Date;
  note?: string;
  lock?: 1;
};

const database = 'support';
const collection = 'conversations';
const shared = {reasons: ['duplicate-id']};

const pairs: Pair[] = [
  {
    name: 'keep-first against keep-latest',
    tasks: [
      {check: 'chat/first', action: 'keep-first'},
      {check: 'chat/latest', action: 'keep-latest'},
    ],
  },
  {
    name: 'delete of shared ids, keepers chosen by hand by one',
    tasks: [
      {check: 'chat/null-ids', action: 'delete', selection: shared},
      {check: 'chat/null-ids', action: 'delete', selection: shared, byHand: true},
    ],
  },
  {
    name: 'assign-ids against keep-latest',
    tasks: [
      {check: 'chat/null-ids', action: 'assign-ids', selection: shared},
      {check: 'chat/latest', action: 'keep-latest'},
    ],
  },
  {
    name: 'the same plan',
    tasks: [
      {check: 'chat/null-ids', action: 'delete', selection: shared},
      {check: 'chat/null-ids', action: 'delete', selection: shared},
    ],
    calm: true,
  },
];

const documentOf = (group: string, name: string, stamp: string, order: number): Conversation => ({
  _id: name,
  sessionId: group,
  stamp,
  updatedAt: new Date(Date.UTC(2026, 10, 20) + order * 1000),
});

/**
 * Leaves the group a document: in a transaction that writes another one of it, so that whoever removes that one and
 * this are in each other's way.
 */
const removeButLast = (
  client: MongoClient,
  conversations: Collection<Conversation>,
  name: string,
  sessionId: string,
): Promise<boolean> =>
  client.withSession(session =>
    session.withTransaction(async () => {
      const left = {sessionId, _id: {$ne: name}};
      const other = await conversations.findOneAndUpdate(left, {$set: {lock: 1}}, {session});
      if (!other) return false;
      await conversations.updateOne({_id: other._id}, {$unset: {lock: ''}}, {session});
      const {deletedCount} = await conversations.deleteOne({_id: name, sessionId}, {session});
      return deletedCount === 1;
    }),
  );

export const openChat = async (
  url: string,
  {name, hasTransactions}: Pick<DocumentServer, 'name' | 'hasTransactions'>,
): Promise<System> => {
  const client = await new MongoClient(url).connect();
  const conversations: Collection<Conversation> = client.db(database).collection(collection);
  const rows = async (): Promise<Map<string, Stored>> =>
    new Map(
      (await conversations.find().toArray()).map(({_id, sessionId, stamp}) => [
        _id,
        {group: sessionId, stamp},
      ]),
    );
  const duplicates = {check: 'duplicates', collection, groupBy: ['sessionId'], latestBy: ['updatedAt']};
  return {
    name: 'conversations that share an id',
    server: name,
    config: {
      environment: 'test',
      stores: {
        chat: {
          kind: 'mongodb',
          url,
          database,
          checks: [
            {...duplicates, name: 'first', keep: 'first'},
            {...duplicates, name: 'latest', keep: 'latest'},
            {check: 'null-ids', collection, id: 'sessionId'},
          ],
        },
      },
    },
    pairs,
    // One document at a time is all that a server without transactions promises a writer.
    guarded: hasTransactions,
    async reset(groups) {
      if (hasTransactions) await endTransactions(client);
      await conversations.deleteMany({});
      await conversations.insertMany(
        seedRows(groups).map(({group, name, order}) => documentOf(group, name, 'seed', order)),
      );
      return rows();
    },
    rows,
    async touch(name, stamp, group) {
      const wanted = {_id: name, sessionId: group};
      const {matchedCount} = await conversations.updateOne(wanted, {$set: {stamp, note: stamp}});
      return matchedCount === 1;
    },
    async insert(group, name, stamp) {
      const {acknowledged} = await conversations.insertOne(documentOf(group, name, stamp, 60));
      return acknowledged;
    },
    async remove(name, group) {
      if (hasTransactions) return removeButLast(client, conversations, name, group);
      const {deletedCount} = await conversations.deleteOne({_id: name});
      return deletedCount === 1;
    },
    nameOf: ({key}) => String(key._id),
    holds: (image, name) => Buffer.from((image as {bson: string}).bson, 'base64').includes(name),
    close: () => client.close(),
  };
};
