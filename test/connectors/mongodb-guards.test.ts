/** The guards of MongoDB on a server: installed beside live writers, cut off, gone on with, taken away. */
import {randomUUID} from 'node:crypto';
import {type Collection, type Document, MongoClient} from 'mongodb';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {look} from '../../connectors/mongodb/guards/seen.js';
import type {Task} from '../../connectors/mongodb/guards/task.js';
import {uniqueCapture, uniqueInstall, uniqueUninstall} from '../../connectors/mongodb/guards/unique-id.js';
import type {Connector} from '../../source/connector.js';
import type {GuardPhase, GuardRule, GuardStep} from '../../source/guards.js';
import type {Json} from '../../source/values.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';
import {mongodbCatalogue} from '../support/mongodb-catalogue.js';
import {startProxy} from '../support/mongodb-proxy.js';
import {codeOf} from '../support/rejections.js';

const unique: GuardRule = {rule: 'unique-id', table: 'conversations', id: 'sessionId'};
const valid: GuardRule = {rule: 'valid-id', table: 'conversations', id: 'sessionId'};
const phases: GuardPhase[] = ['prepare', 'refuse', 'enforce', 'tidy'];
const faulty = {sessionId: {$in: [null, '']}};

describe.each(mongodbServers())('guards of $name', ({name, start}) => {
  /** FerretDB 1.24 has neither collMod nor validators. */
  const modifies = name !== 'FerretDB';
  const rules = modifies ? [unique, valid] : [unique];
  const database = newDatabaseName();
  let server: MongodbServer;
  let client: MongoClient;
  let rows: Collection<Document>;
  let connector: Connector;
  beforeAll(async () => {
    server = await start();
    client = new MongoClient(server.url);
    rows = client.db(database).collection('conversations');
  });
  afterAll(async () => {
    await client?.db(database).dropDatabase();
    await client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    connector = openTestConnector(server.url, database);
    await rows.drop().catch(() => {});
    await client.db(database).createCollection('conversations');
  });
  afterEach(() => connector.close());

  const db = () => client.db(database);
  const collMod = (what: Document) => db().command({collMod: 'conversations', ...what});
  const stateOf = (rule: GuardRule) => connector.guards.state(rule);
  const dump = () => mongodbCatalogue(db(), 'conversations');
  /** Gives every document without an id one. */
  const mend = async () => {
    for (const {_id} of await rows.find(faulty, {projection: {_id: 1}}).toArray())
      await rows.updateOne({_id, ...faulty}, {$set: {sessionId: randomUUID()}});
  };
  const captures = async (): Promise<Map<GuardRule, Json>> => {
    const found = new Map<GuardRule, Json>();
    for (const rule of rules) found.set(rule, await connector.guards.capture(rule));
    return found;
  };
  type Planned = {rule: GuardRule; step: GuardStep};
  const planned = async (): Promise<Planned[]> => {
    const all: Planned[] = [];
    for (const rule of rules)
      for (const step of await connector.guards.steps(rule, 'install', {before: null}))
        all.push({rule, step});
    return phases.flatMap(phase => all.filter(({step}) => step.phase === phase));
  };
  const perform = ({rule, step}: Planned) => connector.guards.perform(rule, 'install', step, {before: null});
  /** As the engine does it: what comes before the mending, the mending, and the rest, again where that is needed. */
  const install = async (): Promise<number> => {
    let mended = 0;
    let isMended = false;
    for (const item of await planned()) {
      if (!isMended && ['enforce', 'tidy'].includes(item.step.phase)) {
        await mend();
        isMended = true;
      }
      while ((await perform(item)) === 'again') {
        if (++mended > 200) throw new Error('the install never wins');
        await mend();
      }
    }
    return mended;
  };
  const uninstall = async (before: Map<GuardRule, Json>) => {
    for (const rule of [...rules].reverse()) {
      const options = {before: before.get(rule) ?? null};
      for (const step of await connector.guards.steps(rule, 'uninstall', options))
        expect(await connector.guards.perform(rule, 'uninstall', step, options)).toBe('done');
      expect(await connector.guards.steps(rule, 'uninstall', options)).toEqual([]);
    }
  };

  const starts: [string, () => Promise<unknown>][] = [
    ['nothing', async () => {}],
    ['a plain index', () => rows.createIndex({sessionId: 1})],
    ['a plain index of another name', () => rows.createIndex({sessionId: 1}, {name: 'by_session'})],
    // FerretDB leaves the option out.
    ...(modifies
      ? ([
          ['a sparse index', () => rows.createIndex({sessionId: 1}, {unique: true, sparse: true})],
          [
            'another validator',
            () => collMod({validator: {messageCount: {$gte: 0}}, validationLevel: 'strict'}),
          ],
          [
            'a partial and hidden index, and a moderate validator',
            async () => {
              await rows.createIndex(
                {sessionId: 1},
                {unique: true, hidden: true, partialFilterExpression: {sessionId: {$gt: ''}}},
              );
              await collMod({validator: {$and: [{n: {$ne: 1}}]}, validationLevel: 'moderate'});
            },
          ],
        ] as [string, () => Promise<unknown>][])
      : []),
  ];

  // FerretDB 1.24, asked to drop an index while others write, may forget it and keep it: then it can't be made again.
  const besideWriters = modifies ? starts : starts.slice(0, 1);
  test.each(besideWriters)(
    'beside 8 writers, from %s: correct ones are never refused; an uninstall restores',
    async (what, prepare) => {
      await prepare();
      await rows.insertMany(
        Array.from({length: 50}, (_, n) => ({
          messageCount: n,
          // A sparse index has let in only what it leaves out.
          ...(what === 'a sparse index'
            ? {}
            : [{sessionId: null}, {}, {sessionId: ''}, {sessionId: randomUUID()}][n % 4]),
        })),
        {bypassDocumentValidation: true},
      );
      const was = await dump();
      let stops = false;
      let counted = 0;
      const stored: string[] = [];
      const troubles: unknown[] = [];
      const refusals: unknown[] = [];
      const correct = async () => {
        while (!stops) {
          const sessionId = randomUUID();
          try {
            const {insertedId} = await rows.insertOne({sessionId, messageCount: 0});
            stored.push(sessionId);
            await rows.updateOne({_id: insertedId}, {$inc: {messageCount: 1}});
            counted++;
          } catch (error) {
            troubles.push(error);
          }
        }
      };
      const wrong = async () => {
        for (let n = 0; !stops; n++) {
          // Without a way to refuse them before they are mended, they may not come faster than one mends.
          const isFaulty = modifies || n % 20 === 0;
          const id = isFaulty ? [{sessionId: null}, {}, {sessionId: ''}][n % 3]! : {sessionId: randomUUID()};
          await rows.insertOne({...id, messageCount: 0}).then(
            () => {},
            error => refusals.push(error.code),
          );
        }
      };
      const writers = [...Array.from({length: 6}, correct), wrong(), wrong()];
      const before = await captures();
      const installed: string[] = [];
      try {
        await install();
        for (const rule of rules) installed.push((await stateOf(rule)).state);
        const from = counted;
        await expect.poll(() => counted, {timeout: 10_000}).toBeGreaterThan(from + 10);
        await expect.poll(() => refusals.length, {timeout: 10_000}).toBeGreaterThan(0);
      } finally {
        stops = true;
      }
      await Promise.all(writers);
      expect(installed).toEqual(rules.map(() => 'installed'));
      expect(troubles).toEqual([]);
      expect(new Set(refusals)).toEqual(
        new Set(modifies ? [121, ...(refusals.includes(11000) ? [11000] : [])] : [11000]),
      );
      const ids = new Set((await rows.find().toArray()).map(({sessionId}) => sessionId));
      expect(stored.filter(id => !ids.has(id))).toEqual([]);
      await expect(rows.insertOne({sessionId: stored[0], messageCount: 0})).rejects.toMatchObject({
        code: 11000,
      });
      await uninstall(before);
      expect(await dump()).toBe(was);
      // What a collMod leaves behind is no difference.
      expect(await captures()).toEqual(before);
    },
  );

  test.each(starts)(
    'cut off after any step, from %s: it is gone on with, and taken back',
    async (_, prepare) => {
      await prepare();
      await rows.insertMany([
        {sessionId: 'a', messageCount: 0},
        {sessionId: null, messageCount: 0},
        {messageCount: 1},
      ]);
      const was = await dump();
      const before = await captures();
      const all = await planned();
      for (let done = 0; done <= all.length; done++)
        for (const goesOn of [true, false]) {
          const cut = async () => {
            for (const [index, item] of all.slice(0, done).entries()) {
              if (index > 0 && item.step.phase === 'enforce') await mend();
              await perform(item);
            }
          };
          await cut();
          // Another process goes on, and knows what was there.
          await connector.close();
          connector = openTestConnector(server.url, database);
          if (goesOn) {
            await install();
            for (const rule of rules) expect((await stateOf(rule)).state).toBe('installed');
            expect(await planned()).toEqual([]);
          }
          await uninstall(before);
          expect(await dump()).toBe(was);
        }
    },
  );

  test('without what stood there before: a unique index goes, a plain one stays', async () => {
    await rows.createIndex({sessionId: 1});
    const plain = await dump();
    await uninstall(new Map());
    expect(await dump()).toBe(plain);
    await install();
    await uninstall(new Map());
    expect((await rows.indexes()).map(index => index.name)).toEqual(['_id_']);
    expect((await stateOf(unique)).state).toBe('missing');
  });

  test('states: missing, drifted with what differs, installed by another index, no collection', async () => {
    expect(await stateOf(unique)).toEqual({state: 'missing', why: null});
    await rows.createIndex({sessionId: 1});
    expect(await stateOf(unique)).toEqual({state: 'drifted', why: 'the index sessionId_1 is not unique'});
    await rows.dropIndex('sessionId_1');
    await rows.createIndex({sessionId: -1}, {unique: true, name: 'theirs'});
    expect(await stateOf(unique)).toEqual({state: 'installed', why: 'by the index theirs'});
    expect(await connector.guards.steps(unique, 'install', {before: null})).toEqual([]);
    await uninstall(await captures());
    expect((await rows.indexes()).map(index => index.name)).toContain('theirs');
    await rows.dropIndex('theirs');
    await rows.createIndex({other: 1}, {name: 'sessionId_1'});
    expect(await stateOf(unique)).toEqual({
      state: 'unavailable',
      why: 'an index on something else has the name sessionId_1',
    });
    expect(await codeOf(connector.guards.steps(unique, 'install', {before: null}))).toBe('unsupported');
    await rows.drop();
    expect(await stateOf(unique)).toEqual({
      state: 'unavailable',
      why: 'there is no collection conversations',
    });
    expect((await stateOf(valid)).state).toBe('unavailable');
  });

  test('duplicates in the way: again, and what was there is there', async () => {
    await rows.createIndex({sessionId: 1});
    await rows.insertMany([{sessionId: 'a'}, {sessionId: 'a'}]);
    const was = await dump();
    const before = await captures();
    const steps = await planned();
    const results = [];
    for (const item of steps.filter(({rule}) => rule === unique)) results.push(await perform(item));
    expect(results.at(-1)).toBe('again');
    if (!modifies) expect(await dump()).toBe(was);
    await uninstall(before);
    expect(await dump()).toBe(was);
  });

  test('an id inside a document', async () => {
    const inside = rules.map(rule => ({...rule, id: 'session.id'}) as GuardRule);
    const go = async () => {
      for (const rule of inside)
        for (const step of await connector.guards.steps(rule, 'install', {before: null}))
          await connector.guards.perform(rule, 'install', step, {before: null});
    };
    await rows.insertOne({session: {id: 'a'}});
    await go();
    for (const rule of inside) expect(await stateOf(rule)).toEqual({state: 'installed', why: null});
    expect((await rows.indexes()).map(index => index.name)).toContain('session.id_1');
    await expect(rows.insertOne({session: {id: 'a'}})).rejects.toMatchObject({code: 11000});
    await rows.insertOne({session: {id: 'b'}});
    if (modifies)
      for (const wrong of [{}, {session: null}, {session: 'x'}, {session: {}}, {session: {id: ''}}])
        await expect(rows.insertOne({...wrong})).rejects.toMatchObject({code: 121});
  });

  test('a connector that only reads says what there is, and changes nothing', async () => {
    const reader = openTestConnector(server.url, database, {readOnly: true});
    const [step] = await reader.guards.steps(unique, 'install', {before: null});
    expect(await codeOf(reader.guards.perform(unique, 'install', step!, {before: null}))).toBe('read-only');
    const proved = (async () => {
      for await (const _ of reader.guards.prove([{guard: 'unique-id', rule: unique}])) break;
    })();
    expect(await codeOf(proved)).toBe('read-only');
    expect((await reader.guards.state(unique)).state).toBe('missing');
    await reader.close();
  });

  test('a connector that only reads sends no collMod to learn what the server can', async () => {
    const proxy = await startProxy(server.url);
    const reader = openTestConnector(proxy.url, database, {readOnly: true});
    try {
      for (const rule of [unique, valid])
        expect(await reader.guards.state(rule)).toEqual(await stateOf(rule));
      const names = async (given: Connector) =>
        (await given.guards.steps(unique, 'install', {before: null})).map(({name: step}) => step);
      expect(await names(reader)).toEqual(await names(connector));
      expect([proxy.heard('listIndexes'), proxy.heard('collMod')]).toEqual([true, false]);
    } finally {
      await reader.close();
      await proxy.stop();
    }
  });

  // FerretDB stores no options by which such an index is told.
  if (modifies)
    test('where no index can be changed in place, both that were replaced come back, from wherever it was cut off', async () => {
      const rule = {table: 'conversations', id: 'sessionId'};
      const access = {db: db(), limit: {maxTimeMS: 20_000}} as never;
      const before6 = {modifies: true, converts: false, sharded: false};
      const seen = () => look(access, rule.table, before6);
      const run = async (tasks: Task[], most = Number.POSITIVE_INFINITY) => {
        for (const {document} of tasks.flatMap(({commands}) => commands).slice(0, most))
          await db().command(document);
      };
      await rows.createIndex({sessionId: -1}, {name: 'by_session'});
      await rows.createIndex({sessionId: 1}, {sparse: true});
      const was = await dump();
      const before = uniqueCapture(await seen(), rule);
      for (let installed = 0; installed <= 3; installed++)
        for (let taken = 0; taken <= 3; taken++) {
          await run(uniqueInstall(await seen(), rule), installed);
          await run(uniqueUninstall(await seen(), rule, before), taken);
          await run(uniqueUninstall(await seen(), rule, before));
          expect(await dump(), `${installed} and ${taken}`).toBe(was);
          expect(uniqueUninstall(await seen(), rule, before)).toEqual([]);
        }
    });

  test('proves itself on a scratch collection, and leaves none behind, nor what others left long ago', async () => {
    const now = Math.floor(Date.now() / 1000);
    const nameAt = (seconds: number) => `sesstui_test_${seconds.toString(16)}_0123456789ab`;
    await db().createCollection(nameAt(now - 4000));
    await db().createCollection(nameAt(now - 60));
    const named = rules.map(rule => ({guard: rule.rule, rule}));
    const told = [];
    for await (const proof of connector.guards.prove(named)) told.push(proof);
    expect(told.filter(({passed}) => !passed)).toEqual([]);
    expect(told.length).toBe(modifies ? 16 : 7);
    expect((await connector.tables()).filter(table => table.startsWith('sesstui_test_'))).toEqual([
      nameAt(now - 60),
    ]);
    await db().dropCollection(nameAt(now - 60));
  });

  if (name === 'MongoDB 6')
    test('every command of a proof has a time limit', async () => {
      await db().createCollection(`sesstui_test_${(1).toString(16)}_0123456789ab`);
      await db().command({profile: 2});
      try {
        for await (const _ of connector.guards.prove(rules.map(rule => ({guard: rule.rule, rule}))));
      } finally {
        await db().command({profile: 0});
      }
      const profile = db().collection('system.profile');
      const of = (more: Document) => profile.find({appName: 'sesstui', ...more}).toArray();
      expect((await of({'command.drop': {$exists: true}})).length).toBeGreaterThan(2);
      const unlimited = await of({
        'command.maxTimeMS': {$exists: false},
        // Of an update the profile has its statements only, not the command.
        op: {$ne: 'update'},
        // What runs for as long as a collection is large.
        'command.createIndexes': {$exists: false},
        'command.aggregate': {$exists: false},
        'command.collMod': {$exists: false},
      });
      expect(unlimited.map(({command}) => Object.keys(command)[0])).toEqual([]);
      await profile.drop();
    });

  test('a proof says so when the server lets through what it should not', async () => {
    const keeper = connector.guards;
    const taken = (async () => {
      const told = [];
      for await (const proof of keeper.prove([{guard: 'unique-id', rule: unique}])) {
        told.push(proof);
        // Somebody takes the index of the scratch collection away meanwhile.
        const scratch = (await connector.tables()).find(table => table.startsWith('sesstui_test_'))!;
        await db().collection(scratch).dropIndexes();
      }
      return told;
    })();
    const failed = (await taken).filter(({passed}) => !passed);
    expect(failed.map(({why}) => why)).toContain('it was stored');
  });

  test('FerretDB has no validators, whatever it lists', async () => {
    if (modifies) return expect((await stateOf(valid)).state).toBe('missing');
    expect(await stateOf(valid)).toEqual({
      state: 'unavailable',
      why: 'this server has no collMod, and so no validators that could be added',
    });
  });
});
