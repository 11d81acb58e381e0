/** The mongosh scripts of MongoDB's guards, run twice in a row, and what the guards do to the connector's own writes. */
import {EJSON} from 'bson';
import {type Collection, type Document, type FindCursor, MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Connector} from '../../source/connector.js';
import type {GuardRule} from '../../source/guards.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';
import {mongodbCatalogue} from '../support/mongodb-catalogue.js';

const table = 'conversations';
const unique: GuardRule = {rule: 'unique-id', table, id: 'sessionId'};
const valid: GuardRule = {rule: 'valid-id', table, id: 'sessionId'};
const evaluated = Object.getPrototypeOf(async () => {}).constructor as new (
  ...text: string[]
) => (...values: unknown[]) => Promise<void>;

/** mongosh waits for each call of a database as if it answered at once. */
const awaited = (script: string): string =>
  script
    .replaceAll(/\b(ask|must|drop|listed)\(/g, 'await $1(')
    .replaceAll('database.runCommand(', 'await database.runCommand(')
    .replace(/const (ask|must) = command/g, 'const $1 = async command')
    .replaceAll('const listed = () => await must(', 'const listed = async () => (await must(')
    .replaceAll('{batchSize: 1000}}).cursor.firstBatch', '{batchSize: 1000}})).cursor.firstBatch')
    .replaceAll('const drop = dropped => await ask', 'const drop = dropped => ask')
    .replace(/await must\((\{listCollections[^)]*\})\)/g, '(await must($1))')
    .replace(/await must\((\{aggregate[^)]*\})\)/g, '(await must($1))')
    .replace(/await ask\((\{collMod: (?:nowhere|name), index: \{name: nowhere[^)]*\})\)/g, '(await ask($1))')
    .replaceAll('await listed().', '(await listed()).')
    .replaceAll('(() => {\n', 'await (async () => {\n');

describe.each(mongodbServers())('scripts on $name', ({name, start}) => {
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
    rows = client.db(database).collection(table);
    connector = openTestConnector(server.url, database);
  });
  afterAll(async () => {
    await connector?.close();
    await client?.db(database).dropDatabase();
    await client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await rows.drop().catch(() => {});
    await client.db(database).createCollection(table);
  });
  const scriptOf = (direction: 'install' | 'uninstall') =>
    connector.guards.script(
      rules.map(rule => ({guard: rule.rule, rule})),
      direction,
      {whole: true},
    );
  const run = async (script: string) => {
    const printed: string[] = [];
    const db = {
      getSiblingDB: (of: string) => ({
        getName: () => of,
        runCommand: (what: Document) => client.db(of).command(what),
      }),
    };
    await new evaluated('db', 'print', 'EJSON', awaited(script))(
      db,
      (text: string) => printed.push(text),
      EJSON,
    );
    return printed;
  };
  const dump = () => mongodbCatalogue(client.db(database), table);
  const states = async () => Promise.all(rules.map(async rule => (await connector.guards.state(rule)).state));

  test.each([
    ['nothing', async () => {}],
    ['a plain index', () => rows.createIndex({sessionId: 1})],
    ['a plain index of another name', () => rows.createIndex({sessionId: 1}, {name: 'by_session'})],
  ] as [string, () => Promise<unknown>][])('up twice and down twice, from %s', async (_, prepare) => {
    await prepare();
    await rows.insertMany([{sessionId: 'a'}, {sessionId: 'b'}]);
    const was = await dump();
    const [up, down] = [await scriptOf('install'), await scriptOf('uninstall')];
    new Function(up);
    new Function(down);
    for (let round = 0; round < 2; round++) {
      expect(await run(up)).toHaveLength(rules.length);
      expect(await states()).toEqual(rules.map(() => 'installed'));
      await expect(rows.insertOne({sessionId: 'a'})).rejects.toMatchObject({code: 11000});
    }
    for (let round = 0; round < 2; round++) {
      await run(down);
      expect(await dump()).toBe(was);
    }
  });

  // Between an upgrade and its being confirmed, this server keeps to what MongoDB 5 can.
  if (name === 'MongoDB 6')
    test.each([
      ['nothing', async () => {}],
      ['a plain index', () => rows.createIndex({sessionId: 1})],
    ] as [string, () => Promise<unknown>][])(
      'up and down before an upgrade is confirmed, from %s',
      async (_, prepare) => {
        const confirm = (version: string) =>
          client.db('admin').command({setFeatureCompatibilityVersion: version});
        await prepare();
        await rows.insertMany([{sessionId: 'a'}, {sessionId: 'b'}]);
        const was = await dump();
        await confirm('5.0');
        try {
          const [up, down] = [await scriptOf('install'), await scriptOf('uninstall')];
          await run(up);
          await run(up);
          expect(await states()).toEqual(rules.map(() => 'installed'));
          await run(down);
          expect(await dump()).toBe(was);
          await rows.insertOne({sessionId: 'a'});
          const inTheWay = await dump();
          await expect(run(up)).rejects.toThrow('documents share a sessionId');
          expect(await dump()).toBe(inTheWay);
        } finally {
          await confirm('6.0');
        }
      },
    );

  test('down from where an install was cut off after its first step', async () => {
    const was = await dump();
    const down = await scriptOf('uninstall');
    await rows.createIndex({sessionId: 1});
    await run(down);
    expect(await dump()).toBe(was);
  });

  test('documents in the way: it stops with an error, and the indexes are as they were', async () => {
    await rows.createIndex({sessionId: 1});
    await rows.insertMany([{sessionId: null}, {sessionId: null}]);
    const was = await dump();
    await expect(run(await scriptOf('install'))).rejects.toThrow('documents share a sessionId');
    expect(await dump()).toBe(was);
  });

  if (name === 'MongoDB 6')
    test('what else stops it is not taken for documents in the way', async () => {
      const was = await dump();
      const up = await scriptOf('install');
      const fail = (mode: unknown) =>
        client.db('admin').command({
          configureFailPoint: 'failCommand',
          mode,
          data: {failCommands: ['collMod'], errorCode: 13},
        });
      // The last of the four: two ask what the server can do, one prepares the index.
      await fail({skip: 3});
      try {
        await expect(run(up)).rejects.toThrow(/^conversations: (?!documents)/);
      } finally {
        await fail('off');
      }
      expect(await dump()).toBe(was);
    });

  test('names that would end a comment or a string are only names', async () => {
    const id = 'a"b\'c*/\u2028x';
    const script = await connector.guards.script(
      [{guard: 'x\nthrow 1', rule: {rule: 'unique-id', table: "it's\n`1`", id}}],
      'install',
      {whole: true},
    );
    await expect(run(script)).rejects.toThrow('there is no collection');
  });

  test('a change back to null is refused under the guard, and says why', async () => {
    const found = async () => {
      const [row] = await connector.fetch(table, [{by: 'key', at: {_id: 'x'}}]);
      return row!;
    };
    await rows.insertMany([
      {_id: 'x' as never, sessionId: null},
      {_id: 'y' as never, sessionId: 'b'},
    ]);
    const before = await found();
    await rows.updateOne({_id: 'x' as never}, {$set: {sessionId: 'a'}});
    await run(await scriptOf('install'));
    // Where only the index guards the id, null is refused when another document has it.
    if (!modifies) await rows.insertOne({sessionId: null});
    const after = await found();
    const undo = {
      table,
      identity: after.identity,
      op: 'update' as const,
      version: after.version!,
      image: after.image!,
      to: before.image!,
    };
    const [[outcome]] = (await connector.apply([{group: null, changes: [undo]}], {decideKeeper})) as [
      [{result: string; error: string}],
    ];
    expect(outcome.result).toBe('failed');
    expect(outcome.error).toMatch(modifies ? /the collection's validator does not let/ : /duplicate|UNIQUE/);
    expect((await found()).values.sessionId).toBe('a');
  });

  // FerretDB 1.24 has no validators.
  if (modifies)
    test('a validator that documents violate says by what query they are found', async () => {
      await rows.insertMany([{sessionId: 'a'}, {_id: 'x' as never, sessionId: 7}]);
      const [, said] = await run(await scriptOf('install'));
      const [begin, query] = said!.split(' They are found by: ') as [string, string];
      expect(begin).toBe(`${table}: moderate, 1 document violates it.`);
      const [information] = await client.db(database).listCollections({name: table}).toArray();
      const shell = {
        getSiblingDB: (of: string) => ({
          getCollection: (name: string) => client.db(of).collection(name),
          getCollectionInfos: ({name}: Document) => (of === database && name === table ? [information] : []),
        }),
      };
      const found = new Function('db', `return ${query}`)(shell) as FindCursor<Document>;
      expect(await found.toArray()).toEqual([{_id: 'x', sessionId: 7}]);
      await rows.insertOne({_id: 'y' as never, sessionId: 8}, {bypassDocumentValidation: true});
      expect((await run(await scriptOf('install')))[1]).toContain('moderate, 2 documents violate it.');
    });

  if (modifies)
    test('a validator: moderate while ids of another type are there, drifted when weakened', async () => {
      const collMod = (what: Document) => client.db(database).command({collMod: table, ...what});
      const install = async () => {
        for (const step of await connector.guards.steps(valid, 'install', {before: null}))
          expect(await connector.guards.perform(valid, 'install', step, {before: null})).toBe('done');
      };
      await rows.insertOne({sessionId: 7});
      await install();
      const moderate = {state: 'installed', why: 'moderate: 1 document violates it', left: 1};
      expect(await connector.guards.state(valid)).toEqual(moderate);
      expect(await connector.guards.steps(valid, 'install', {before: null})).toEqual([]);
      await collMod({validationAction: 'warn'});
      expect((await connector.guards.state(valid)).why).toContain('only warns');
      await install();
      expect(await connector.guards.state(valid)).toEqual(moderate);
      await rows.deleteMany({});
      await install();
      expect(await connector.guards.state(valid)).toEqual({state: 'installed', why: null});
      await collMod({validator: {sessionId: {$exists: true}}});
      expect((await connector.guards.state(valid)).state).toBe('drifted');
      await collMod({validationAction: 'warn'});
      expect((await connector.guards.state(valid)).state).toBe('unavailable');
    });
});
