/** The writers of the chat: correct ones, some of them in transactions, and faulty ones. */
import {setTimeout as pause} from 'node:timers/promises';
import {type ClientSession, type Collection, type Document, MongoClient} from 'mongodb';
import type {Tally, Writer} from './guards-writers.js';

/** Of a document that no other writer and no other step has: `sessionId` is a UUID. */
const id = (at: number, count: number): string =>
  `00000000-000${at}-4000-9000-${String(count).padStart(12, '0')}`;

type Conversations = Collection<Document & {_id: string}>;
type Work = (conversations: Conversations, at: number, count: number, tally: Tally) => Promise<void>;

const stayMs = 200;

const duplicateKey = '11000';
const invalid = '121';

/** A conversation begins, a message comes, it is renamed; a third of them are deleted. */
const converse = async (
  conversations: Conversations,
  token: string,
  isDeleted: boolean,
  stored: Set<string>,
  session?: ClientSession,
): Promise<void> => {
  const options = session ? {session} : {};
  const message = {at: new Date(), text: 'hello'};
  await conversations.insertOne(
    {_id: token, sessionId: token, title: 'a', messages: [], updatedAt: new Date()},
    options,
  );
  stored.add(token);
  await conversations.updateOne(
    {sessionId: token},
    {$push: {messages: message} as object, $set: {updatedAt: new Date()}},
    options,
  );
  await conversations.replaceOne({_id: token}, {sessionId: token, title: 'b', messages: [message]}, options);
  if (!isDeleted) return;
  stored.delete(token);
  await conversations.deleteOne({sessionId: token}, options);
};

const correct: Work = (conversations, at, count, {stored}) =>
  converse(conversations, id(at, count), count % 3 === 0, stored);

/** As drivers do it for applications: a transaction that the server ends in favour of something else is begun again. */
const inTransaction =
  (client: MongoClient): Work =>
  async (conversations, at, count, {stored}) => {
    const session = client.startSession();
    let own = new Set<string>();
    try {
      await session.withTransaction(async () => {
        own = new Set();
        await converse(conversations, id(at, count), count % 3 === 0, own, session);
        // It is busy with something else, as applications are.
        await pause(stayMs);
      });
    } finally {
      await session.endSession();
    }
    for (const token of own) stored.add(token);
  };

/** Begins a conversation by an upsert; and now and then a message comes for one that was there, the faulty ones too. */
const edit: Work = async (conversations, at, count, {stored}) => {
  if (count % 5 === 0)
    await conversations.updateOne(
      {_id: `bad${1 + ((count / 5) % 5)}`},
      {$set: {title: `t${count}`}, $inc: {edits: 1}},
    );
  const token = id(at, count);
  await conversations.updateOne(
    {sessionId: token},
    {$set: {title: 'a'}, $setOnInsert: {_id: token}},
    {upsert: true},
  );
  stored.add(token);
};

const duplicate: Work = async (conversations, at, count, {stored}) => {
  const token = id(at, count);
  await conversations.insertOne({_id: token, sessionId: id(9, count % 40), title: 'd'});
  stored.add(token);
};

const without: Work = async (conversations, at, count, {stored}) => {
  const token = id(at, count);
  const wrong = [{}, {sessionId: null}, {sessionId: ''}][(count / 4) % 3];
  await conversations.insertOne({_id: token, ...wrong, title: 'n'});
  stored.add(token);
};

/** Makes a conversation that is right, and takes its id away. */
const forget: Work = async (conversations, at, count, {stored}) => {
  const token = id(at, count);
  await conversations.insertOne({_id: token, sessionId: token, title: 'f'});
  stored.add(token);
  await conversations.updateOne(
    {_id: token},
    count % 8 === 0 ? {$set: {sessionId: null}} : {$unset: {sessionId: ''}},
  );
};

/** Most of what a faulty writer does is right: each row that has to be mended is a transaction of its own. */
const mostly =
  (faulty: Work): Work =>
  (conversations, at, count, tally) =>
    (count % 4 === 0 ? faulty : correct)(conversations, at, count, tally);

/** Eight: two correct ones, one that edits what is there, two in transactions, and three faulty ones. */
export const mongodbWriters = async (url: string, database: string): Promise<Writer[]> => {
  const client = await new MongoClient(url).connect();
  const conversations: Conversations = client.db(database).collection('conversations');
  const kinds: [string[], Work][] = [
    [[], correct],
    [[], correct],
    [[], edit],
    [[], inTransaction(client)],
    [[], inTransaction(client)],
    [[duplicateKey], mostly(duplicate)],
    [[duplicateKey, invalid], mostly(without)],
    [[duplicateKey, invalid], mostly(forget)],
  ];
  return kinds.map(
    ([refusals, work], at): Writer => ({
      refusals,
      step: (count, tally) => work(conversations, at, count, tally),
      close: () => client.close(),
    }),
  );
};
