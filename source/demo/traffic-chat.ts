/** The chat as it used to write: now and then a conversation starts before its session id is known. */
import {type Document, MongoClient, type ObjectId} from 'mongodb';
import {chatCollection, chatDatabase} from './config.js';
import {conversation} from './seed-chat.js';
import {person} from './seed-people.js';
import type {Traffic} from './traffic-loop.js';

const rememberedConversations = 50;

export const chatTraffic = (url: string, seed: number, people: number): Traffic<MongoClient> => {
  const own: ObjectId[] = [];
  return {
    connect: () =>
      new MongoClient(url, {
        serverSelectionTimeoutMS: 5000,
        socketTimeoutMS: 15_000,
        maxPoolSize: 1,
      }).connect(),
    disconnect: client => client.close(true),
    // A duplicate key, or a document that the validator turned down.
    isRefusal: error => [11000, 121].includes((error as {code?: number}).code ?? 0),
    step: async (client, random, count, faulty) => {
      const collection = client.db(chatDatabase).collection<Document>(chatCollection);
      const now = new Date();
      if (own.length > 0 && random.chance(0.35)) {
        const message = {
          from: person(seed, random.int(0, people - 1)).email,
          text: 'Any news on this?',
          at: now,
        };
        await collection.updateOne(
          {_id: random.pick(own)},
          {$inc: {messageCount: 1}, $set: {lastMessage: message, updatedAt: now}},
        );
        count();
        return;
      }
      const {before, after} = conversation(random, person(seed, random.int(0, people - 1)), now.getTime());
      const insert = (id: Document) => collection.insertOne({...before, ...id, ...after, createdAt: now});
      if (random.chance(0.6)) {
        await insert({sessionId: random.uuid()});
        count();
      } else await faulty(() => insert(random.pick([{sessionId: null}, {}, {sessionId: ''}])));
      own.push(before._id);
      if (own.length > rememberedConversations) own.shift();
    },
  };
};
