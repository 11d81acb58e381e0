import {
  type AttributeValue,
  DeleteTableCommand,
  type DynamoDBClient,
  ListTablesCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import {EJSON} from 'bson';
import {type Collection, MongoClient} from 'mongodb';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {chatCollection, chatDatabase} from '../../source/demo/config.js';
import {type DynamodbFront, startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import {Random} from '../../source/demo/random.js';
import {seedChat} from '../../source/demo/seed-chat.js';
import {demoDynamodbClient, seedKite} from '../../source/demo/seed-load-dynamodb.js';
import {person} from '../../source/demo/seed-people.js';
import type {SeedPlan} from '../../source/demo/seed-plan.js';
import {readInstant} from '../../source/instants.js';
import {groupBy} from '../support/group-by.js';

const plan: SeedPlan = {seed: 7, rows: 120, now: Date.parse('2026-11-21T08:00:00Z')};
const otherSeed = {...plan, seed: 8};
const later = {...plan, now: plan.now + 3 * 86_400_000};

describe('people', () => {
  it('are someone else for each number', () => {
    const people = Array.from({length: 6000}, (_, number) => person(1, number));
    expect(new Set(people.map(({email}) => email)).size).toBe(6000);
    expect(new Set(people.map(({accountId}) => accountId)).size).toBe(6000);
    expect(people.every(({email}) => /^[a-z.\d]+@example\.(?:com|org|net)$/.test(email))).toBe(true);
  });

  it('come out of the seed', () => {
    expect(person(3, 14)).toEqual(person(3, 14));
    expect(person(3, 14)).not.toEqual(person(4, 14));
    expect(new Random(3, 'a').uuid()).toBe(new Random(3, 'a').uuid());
    expect(new Random(3, 'a').uuid()).not.toBe(new Random(3, 'b').uuid());
  });
});

describe('kite', () => {
  let front: DynamodbFront;
  let client: DynamoDBClient;
  type Item = Record<string, AttributeValue>;

  beforeAll(async () => {
    front = await startDynamodbFront();
    client = demoDynamodbClient(front.endpoint);
  });
  afterAll(async () => {
    client.destroy();
    await front.close();
  });

  const scan = async (table: string): Promise<Item[]> => {
    const items: Item[] = [];
    for await (const page of paginateScan({client}, {TableName: table})) items.push(...(page.Items ?? []));
    return items;
  };
  const seeded = async (wanted: SeedPlan) => {
    const tables = async () => (await client.send(new ListTablesCommand({}))).TableNames!;
    for (const TableName of await tables()) await client.send(new DeleteTableCommand({TableName}));
    await vi.waitFor(async () => expect(await tables()).toEqual([]), {timeout: 5000});
    await seedKite(client, wanted);
    return {sessions: await scan('kite-sessions'), accounts: await scan('kite-accounts')};
  };

  it('is the same for the same seed, and another for another', async () => {
    const first = await seeded(plan);
    expect(await seeded(plan)).toEqual(first);
    expect(await seeded(otherSeed)).not.toEqual(first);
    const ids = (items: Item[]) => items.map(({sessionId}) => sessionId!.S);
    expect(ids((await seeded(later)).sessions)).toEqual(ids(first.sessions));
  });

  it('has every fault of the contract among healthy sessions', async () => {
    const {sessions, accounts} = await seeded(plan);
    const ids = new Set(sessions.map(({sessionId}) => sessionId!.S));
    const groups = groupBy(
      sessions.filter(({accountId}) => accountId),
      ({accountId}) => accountId!.S!,
    );
    const canonical = ({sessionId, accountId}: Item) => sessionId!.S === `sess_${accountId?.S}`;
    const referenceOf = ({session}: Item) => session?.S ?? session?.M?.sessionId?.S;
    const references = new Set(accounts.map(referenceOf));
    const several = [...groups.values()].filter(rows => rows.length > 1);

    expect(several.filter(rows => rows.some(canonical)).length).toBeGreaterThan(1);
    expect(several.filter(rows => !rows.some(canonical)).length).toBeGreaterThan(0);
    expect(several.filter(rows => rows.length > 100)).toHaveLength(1);
    expect(
      [...groups.values()].filter(rows => rows.length === 1 && !canonical(rows[0]!)).length,
    ).toBeGreaterThan(0);
    const dangling = accounts.filter(account => referenceOf(account) && !ids.has(referenceOf(account)));
    expect(dangling.filter(({accountId}) => groups.has(accountId!.S!)).length).toBeGreaterThan(0);
    expect(dangling.filter(({accountId}) => !groups.has(accountId!.S!)).length).toBeGreaterThan(0);
    const alone = [...groups.values()].filter(rows => rows.length === 1).flat();
    expect(alone.filter(({sessionId}) => !references.has(sessionId!.S)).length).toBeGreaterThan(0);
    expect(sessions.filter(({accountId}) => !accountId).length).toBeGreaterThan(0);
    expect(accounts.some(({session}) => session?.S)).toBe(true);
    expect(accounts.some(({session}) => session?.M)).toBe(true);

    const deciding = sessions.map(({updatedAt, createdAt}) => updatedAt ?? createdAt!);
    const readable = (value: AttributeValue) => readInstant(value.N ? Number(value.N) : value.S) !== null;
    expect(deciding.filter(value => !readable(value)).length).toBeGreaterThan(0);
    const healthy = alone.filter(
      row => canonical(row) && references.has(row.sessionId!.S) && readable(row.updatedAt ?? row.createdAt!),
    );
    expect(healthy.length).toBe(plan.rows);
  });

  it('spells moments in every way that the login service did', async () => {
    const {sessions} = await seeded(plan);
    const values = sessions.map(({createdAt}) => createdAt!);
    const spelt = (pattern: RegExp, type: 'S' | 'N') => values.some(value => pattern.test(value[type] ?? ''));
    for (const pattern of [/Z$/, /\+02:00$/, /-05:00$/, /^\d{10}$/, /^\d{13}$/])
      expect(spelt(pattern, 'S')).toBe(true);
    for (const pattern of [/^\d{10}$/, /^\d{13}$/]) expect(spelt(pattern, 'N')).toBe(true);
    const moments = values.map(value => readInstant(value.N ? Number(value.N) : value.S)! / 1000);
    expect(moments.every(moment => moment < plan.now && moment > plan.now - 60 * 86_400_000)).toBe(true);
  });
});

describe('chat', () => {
  let server: Awaited<ReturnType<typeof startMongodbStandIn>>;
  let client: MongoClient;
  let collection: Collection;

  beforeAll(async () => {
    server = await startMongodbStandIn({});
    client = await new MongoClient(server.url).connect();
    collection = client.db(chatDatabase).collection(chatCollection);
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });

  const seeded = async (wanted: SeedPlan): Promise<string[]> => {
    await collection.drop();
    await seedChat(client, wanted);
    const documents = await collection.find({}, {promoteValues: false, sort: {_id: 1}}).toArray();
    return documents.map(document => EJSON.stringify(document, {relaxed: false}));
  };

  it('is the same for the same seed, and another for another', async () => {
    const first = await seeded(plan);
    expect(first.length).toBeGreaterThan(plan.rows);
    expect(await seeded(plan)).toEqual(first);
    expect(await seeded(otherSeed)).not.toEqual(first);
    const ids = (documents: string[]) => documents.map(text => JSON.parse(text)._id);
    expect(ids(await seeded(later))).toEqual(ids(first));
  });

  it('has every fault of the contract among healthy conversations', async () => {
    await seeded(plan);
    const documents = await collection.find().toArray();
    const ids = documents.map(document => document.sessionId);
    const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    const texts = ids.filter((id): id is string => typeof id === 'string');
    const copies = [...groupBy(texts.filter(Boolean), id => id).values()];

    expect(documents.filter(document => document.sessionId === null).length).toBeGreaterThan(0);
    expect(documents.filter(document => !('sessionId' in document)).length).toBeGreaterThan(0);
    expect(ids).toContain('');
    expect(ids.some(id => typeof id === 'number')).toBe(true);
    expect(ids.some(id => id?._bsontype === 'ObjectId')).toBe(true);
    expect(ids.some(Array.isArray)).toBe(true);
    expect(texts.some(id => id !== '' && !uuid.test(id))).toBe(true);
    expect(copies.some(group => group.length > 1)).toBe(true);
    expect(copies.filter(group => group.length === 1 && uuid.test(group[0]!)).length).toBe(plan.rows);
    expect(documents.every(({createdAt, updatedAt}) => createdAt < updatedAt && updatedAt <= plan.now)).toBe(
      true,
    );
  });
});

it('grows with the rows wanted, faults too', async () => {
  const front = await startDynamodbFront();
  const client = demoDynamodbClient(front.endpoint);
  await seedKite(client, {...plan, rows: 1200});
  let unowned = 0;
  let all = 0;
  for await (const page of paginateScan({client}, {TableName: 'kite-sessions'})) {
    all += page.Count!;
    unowned += page.Items!.filter(({accountId}) => !accountId).length;
  }
  client.destroy();
  await front.close();
  expect(all).toBeGreaterThan(1200);
  expect(unowned).toBe(12);
});
