/** The chat's conversations in MongoDB, with the session ids that it forgot, repeated or mangled. */
import {Double, Int32, ObjectId} from 'bson';
import type {Collection, Document, MongoClient} from 'mongodb';
import {chatCollection, chatDatabase} from './config.js';
import {Random} from './random.js';
import {type Person, person} from './seed-people.js';
import {day, hour, minute, type SeedPlan, scatter} from './seed-plan.js';

type Case =
  | 'healthy'
  | 'null'
  | 'missing'
  | 'empty'
  | 'number'
  | 'object-id'
  | 'array'
  | 'not-a-uuid'
  | 'repeated';

const faults: Partial<Record<Case, number>> = {
  null: 9,
  missing: 7,
  empty: 5,
  number: 2,
  'object-id': 2,
  array: 2,
  'not-a-uuid': 6,
  repeated: 6,
};

const topics = [
  'Refund for order',
  'Delivery window for order',
  'Change of address on order',
  'Damaged item in order',
  'Invoice for order',
  'Voucher not applied to order',
  'Question about order',
  'Cancel order',
];
const lines = [
  'Thanks, that solved it.',
  'Could you send me the invoice again?',
  'The parcel has arrived, but one item is missing.',
  'I have forwarded this to the warehouse.',
  'When will the refund be on my card?',
  'Perfect, have a good weekend!',
  'Please try the link once more.',
  'Is anybody there?',
];
const agents = ['maya@support.example.com', 'otto@support.example.com', 'bot@support.example.com'];

/** An ObjectId from the seed: the first four bytes lie in the summer of 2025, where a driver puts the time. */
const objectId = (random: Random): ObjectId =>
  new ObjectId((1_750_000_000 + random.int(0, 9_000_000)).toString(16).padStart(8, '0') + random.hex(16));

/** A conversation as the chat writes it, apart from its session id. */
export const conversation = (
  random: Random,
  someone: Person,
  at: number,
): {before: Document; after: Document} => {
  const created = at - random.int(2, 240) * minute;
  const messages = random.int(1, 64);
  return {
    before: {_id: objectId(random)},
    after: {
      title: `${random.pick(topics)} ${random.int(10_000, 99_999)}`,
      participants: [someone.email, random.pick(agents)],
      channel: random.pick(['web', 'ios', 'android', 'email']),
      messageCount: new Int32(messages),
      sizeKb: new Double(messages * 1.5 + 0.25),
      createdAt: new Date(created),
      updatedAt: new Date(at),
      lastMessage: {from: someone.email, text: random.pick(lines), at: new Date(at)},
      archived: random.chance(0.3),
    },
  };
};

const mangled = (random: Random): string =>
  random.pick([
    () => random.hex(32),
    () => `conv_${random.int(1000, 99_999)}`,
    () => 'undefined',
    () => `{${random.uuid()}}`,
    () => `${random.uuid()} `,
  ])();

const sessionIds: Record<Case, (random: Random) => Document[]> = {
  healthy: random => [{sessionId: random.uuid()}],
  null: () => [{sessionId: null}],
  missing: () => [{}],
  empty: () => [{sessionId: ''}],
  number: random => [{sessionId: new Int32(random.int(100_000, 999_999))}],
  'object-id': random => [{sessionId: objectId(random)}],
  array: random => [{sessionId: [random.uuid()]}],
  'not-a-uuid': random => [{sessionId: mangled(random)}],
  repeated: random => {
    const sessionId = random.uuid();
    return Array.from({length: random.int(2, 4)}, () => ({sessionId}));
  },
};

/** Every conversation, in the order in which it is written; the same for the same plan. */
export const conversations = function* ({seed, rows, now}: SeedPlan): Generator<Document> {
  const random = new Random(seed, 'chat');
  for (const [number, kind] of scatter<Case>(random, rows, 'healthy', rows, faults).entries())
    for (const id of sessionIds[kind](random)) {
      const {before, after} = conversation(
        random,
        person(seed, number),
        now - random.int(0, 45 * 24) * hour - random.int(1, day / minute) * minute,
      );
      yield {...before, ...id, ...after};
    }
};

const batchSize = 500;
/** Fills the collection. Rejects with the signal's reason when aborted. */
export const seedChat = async (client: MongoClient, plan: SeedPlan, signal?: AbortSignal): Promise<void> => {
  const collection: Collection = client.db(chatDatabase).collection(chatCollection);
  let batch: Document[] = [];
  const write = async (): Promise<void> => {
    signal?.throwIfAborted();
    if (batch.length > 0) await collection.insertMany(batch, {ordered: false});
    batch = [];
  };
  for (const document of conversations(plan)) if (batch.push(document) === batchSize) await write();
  await write();
  await collection.createIndex({updatedAt: -1});
};
