/** What MongoDB does otherwise than its stand-ins: elections, collations, commits that time out, large commands. */
import {type Db, type Document, MongoClient} from 'mongodb';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, Connector, Row} from '../../source/connector.js';
import type {Form} from '../../source/forms.js';
import type {GuardRule} from '../../source/guards.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';
import {startProxy} from '../support/mongodb-proxy.js';

const everything: Form = {form: 'rows', from: 'c', where: {all: []}, show: [], tags: {}};
const shared: Form = {
  form: 'groups',
  from: 'c',
  where: {is: 'string', of: {attr: 's'}},
  key: [{attr: 's'}],
  having: {shared: [{min: 2}]},
  show: ['s'],
  tags: {},
};
const byName = (a: Document, b: Document): number => String(a.name).localeCompare(String(b.name));
const rule: GuardRule = {rule: 'unique-id', table: 'c', id: 's'};

describe.each(mongodbServers())('on $name', ({name, start}) => {
  const database = newDatabaseName();
  let server: MongodbServer;
  let client: MongoClient;
  let db: Db;
  let connector: Connector;
  beforeAll(async () => {
    server = await start();
    client = new MongoClient(server.url);
    db = client.db(database);
  });
  afterAll(async () => {
    await db?.dropDatabase();
    await client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    connector = openTestConnector(server.url, database);
    await db
      .collection('c')
      .drop()
      .catch(() => {});
  });
  afterEach(() => connector.close());

  const rows = async (): Promise<Row[]> => {
    const found: Row[] = [];
    for await (const {rows: some} of connector.read(everything, {now: 0, full: true})) found.push(...some);
    return found;
  };
  const existing = (row: Row) => ({
    table: 'c',
    identity: row.identity,
    version: row.version!,
    image: row.image!,
  });
  const assign = (row: Row): Change => ({...existing(row), op: 'update', set: {s: {value: 'new'}}});
  const apply = async (changes: Change[]) =>
    (
      await connector.apply(
        changes.map(change => ({group: null, changes: [change]})),
        {decideKeeper},
      )
    ).flat();
  const results = async (changes: Change[]) => (await apply(changes)).map(({result}) => result);
  const bytes = async (): Promise<string[]> =>
    (await db.collection('c').find({}, {raw: true}).toArray()).map(raw =>
      Buffer.from(raw as unknown as Uint8Array).toString('base64'),
    );
  /** Takes back what was applied, as an undo does: each row becomes the image that it had. */
  const takeBack = async (before: Row[]): Promise<string[]> => {
    const now = await rows();
    return results(now.map((row, index) => ({...existing(row), op: 'update', to: before[index]!.image!})));
  };

  test('a field whose name begins with U+FEFF keeps its name, and the document can be changed and taken back', async () => {
    await db.collection<Document>('c').insertOne(
      new Map<string, unknown>([
        ['_id', 1],
        ['\ufeffn', 1],
        ['s', null],
      ]) as unknown as Document,
    );
    const [before, was] = [await rows(), await bytes()];
    expect(await results(before.map(assign))).toEqual(['applied']);
    expect(await takeBack(before)).toEqual(['applied']);
    expect(await bytes()).toEqual(was);
  });

  // The stand-in holds documents as objects, which have their fields in JavaScript's order.
  if (name !== 'the stand-in')
    test('a document whose _id has fields with integers for names, after others, is found whole, changed and taken back', async () => {
      const ids = [
        [
          ['b', 1],
          ['2', 1],
        ],
        [
          ['2', 1],
          ['1', 1],
        ],
        [['2', 1]],
      ] as const;
      await db.collection<Document>('c').insertMany(
        ids.map(
          id =>
            new Map<string, unknown>([
              ['_id', new Map(id)],
              ['s', null],
            ]),
        ) as never,
      );
      const [before, was] = [await rows(), await bytes()];
      expect(before).toHaveLength(3);
      // What a plan keeps on disk is JSON.
      const kept = JSON.parse(JSON.stringify(before.map(assign))) as Change[];
      expect(await results(kept)).toEqual(['applied', 'applied', 'applied']);
      const now = await rows();
      const identities = now.map(({identity}) => identity);
      expect((await connector.fetch('c', identities)).map(row => row?.version)).toEqual(
        now.map(({version}) => version),
      );
      expect(await takeBack(before)).toEqual(['applied', 'applied', 'applied']);
      expect(await bytes()).toEqual(was);
    });

  if (name === 'MongoDB 6') {
    test('a document of 15 MB in fields of 60 kB is changed and taken back: no command is larger than the server takes', async () => {
      const fields = Array.from({length: 250}, (_, index) => [`f${index}`, 'x'.repeat(60_000)]);
      await db
        .collection<Document>('c')
        .insertOne({_id: 1, s: null, ...Object.fromEntries(fields)} as Document);
      const [before, was] = [await rows(), await bytes()];
      expect(await results(before.map(assign))).toEqual(['applied']);
      expect(await takeBack(before)).toEqual(['applied']);
      expect((await bytes())[0] === was[0]).toBe(true);
    });

    test('rows of a capped collection are changed, deleted and taken back, though no snapshot can be read of it', async () => {
      await db.createCollection('c', {capped: true, size: 100_000});
      await db.collection<Document>('c').insertMany([
        {_id: 1, s: 'same'},
        {_id: 2, s: 'same'},
        {_id: 3, s: null},
      ] as Document[]);
      const [before, was] = [await rows(), await bytes()];
      const [first, second, third] = before as [Row, Row, Row];
      const group = {
        table: 'c',
        where: {in: ['same'], of: {attr: 's'}},
        keep: {by: 'first' as const},
        keeper: first.identity,
      };
      const units = [
        {group, changes: [{...existing(second), op: 'delete' as const}]},
        {group: null, changes: [assign(third)]},
      ];
      const made = (await connector.apply(units, {decideKeeper})).flat();
      expect(made.map(({result}) => result)).toEqual(['applied', 'applied']);
      const [, changed] = await rows();
      expect(
        await results([
          {table: 'c', op: 'insert', identity: second.identity, version: null, row: second.image!},
          {...existing(changed!), op: 'update', to: third.image!},
        ]),
      ).toEqual(['applied', 'applied']);
      expect((await bytes()).sort()).toEqual(was.sort());
    });

    test('texts that the collation of a collection takes for one are told apart', async () => {
      await db.createCollection('c', {collation: {locale: 'en', strength: 2}});
      await db.collection<Document>('c').insertMany([
        {_id: 1, s: 'a'},
        {_id: 2, s: 'A'},
        {_id: 3, s: 'A'},
      ] as Document[]);
      const {total, found} = await connector.survey(shared, {now: 0, offset: 0, limit: 10});
      expect(total).toBe(1);
      expect(found[0]!.rows.map(({identity}) => identity.at._id)).toEqual([
        {$numberInt: '2'},
        {$numberInt: '3'},
      ]);
    });

    test('two documents whose _id differs in the order of its fields are an error, never one document', async () => {
      const document = (...id: [string, number][]) =>
        new Map<string, unknown>([
          ['_id', new Map(id)],
          ['s', null],
        ]) as unknown as Document;
      await db
        .collection<Document>('c')
        .insertMany([document(['a', 1], ['b', 2]), document(['a', 1], ['b', 3])]);
      expect(await rows()).toHaveLength(2);
      await db.collection<Document>('c').insertOne(document(['b', 2], ['a', 1]));
      await expect(rows()).rejects.toMatchObject({code: 'unsupported'});
    });

    test('a server whose upgrade was not confirmed gets its unique index the way that older ones do', async () => {
      const compatible = (version: string) =>
        client.db('admin').command({setFeatureCompatibilityVersion: version});
      await db.collection<Document>('c').insertOne({_id: 1, s: 'a'} as Document);
      await compatible('5.0');
      try {
        for (const step of await connector.guards.steps(rule, 'install', {before: null}))
          expect(await connector.guards.perform(rule, 'install', step, {before: null})).toBe('done');
        expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
      } finally {
        await compatible('6.0');
      }
    });

    test('an index that went for another one comes back when a lock was not to be had for the rest', async () => {
      const admin = client.db('admin');
      const fail = (mode: unknown) =>
        admin.command({
          configureFailPoint: 'failCommand',
          mode,
          data: {appName: 'sesstui', failCommands: ['dropIndexes'], errorCode: 24},
        });
      await db.collection('c').createIndexes([
        {key: {s: -1}, name: 'theirs'},
        {key: {s: 1}, name: 's_1', sparse: true},
      ]);
      const indexes = async () => (await db.collection('c').listIndexes().toArray()).sort(byName);
      const was = await indexes();
      await admin.command({setFeatureCompatibilityVersion: '5.0'});
      try {
        const [step] = await connector.guards.steps(rule, 'install', {before: null});
        // The first index goes; the lock to drop the second is never to be had.
        await fail({skip: 1});
        await expect(connector.guards.perform(rule, 'install', step!, {before: null})).rejects.toMatchObject({
          code: 'timeout',
        });
      } finally {
        await fail('off');
        await admin.command({setFeatureCompatibilityVersion: '6.0'});
      }
      expect(await indexes()).toEqual(was);
    });

    test('an election in the middle is waited for', async () => {
      await db
        .collection<Document>('c')
        .insertMany(Array.from({length: 50}, (_, index) => ({_id: index, s: null})) as Document[]);
      const before = await rows();
      await client.db('admin').command({replSetStepDown: 1, force: true});
      expect(await apply(before.map(assign))).toEqual(
        before.map(() => expect.objectContaining({result: 'applied'})),
      );
    });

    test('a unit whose commit takes long does not hold up the others of its call', async () => {
      await db
        .collection<Document>('c')
        .insertMany(Array.from({length: 20}, (_, index) => ({_id: index, s: null})) as Document[]);
      const before = await rows();
      const slow = (mode: unknown) =>
        client.db('admin').command({
          configureFailPoint: 'failCommand',
          mode,
          data: {
            appName: 'sesstui',
            failCommands: ['commitTransaction'],
            blockConnection: true,
            blockTimeMS: 1500,
          },
        });
      await slow({times: 2});
      try {
        let ended = false;
        const made = results(before.map(assign)).finally(() => {
          ended = true;
        });
        // The first unit goes alone; of the next ones one is slow.
        const overtaken = async () => {
          const documents = await db.collection('c').find().toArray();
          const states = before.map(
            ({values}) => documents.find(({_id}) => (_id as unknown) === values._id)!.s,
          );
          const waiting = states.indexOf(null, 1);
          return waiting > 0 && states.lastIndexOf('new') > waiting;
        };
        let seen = false;
        while (!ended && !seen) seen = await overtaken();
        expect(seen).toBe(true);
        expect(await made).toEqual(before.map(() => 'applied'));
      } finally {
        await slow('off');
      }
    });

    test('units of one group go one after the other: none of them conflicts with another', async () => {
      await db
        .collection<Document>('c')
        .insertMany(Array.from({length: 12}, (_, index) => ({_id: index, s: 'same'})) as Document[]);
      const [keeper, ...others] = (await rows()) as [Row, ...Row[]];
      const aborted = async () =>
        Number((await client.db('admin').command({serverStatus: 1})).transactions.totalAborted);
      const before = await aborted();
      const outcomes = await connector.apply(
        others.map(row => ({
          group: {
            table: 'c',
            where: {in: ['same'], of: {attr: 's'}},
            keep: {by: 'first' as const},
            keeper: keeper.identity,
          },
          changes: [{...existing(row), op: 'delete' as const}],
        })),
        {decideKeeper},
      );
      expect(outcomes.flat().map(({result}) => result)).toEqual(others.map(() => 'applied'));
      expect((await aborted()) - before).toBe(0);
      expect(await db.collection('c').countDocuments()).toBe(1);
    });

    test('a commit that no majority acknowledged is looked up, and not taken for a failure', async () => {
      await db.collection<Document>('c').insertOne({_id: 1, s: null} as Document);
      const before = await rows();
      const fail = (mode: unknown) =>
        client.db('admin').command({
          configureFailPoint: 'failCommand',
          mode,
          data: {
            appName: 'sesstui',
            failCommands: ['commitTransaction'],
            writeConcernError: {code: 100, errmsg: 'not enough data-bearing nodes'},
          },
        });
      const proxy = await startProxy(server.url);
      const through = openTestConnector(proxy.url, database);
      const apply = async (row: Row) =>
        (await through.apply([{group: null, changes: [assign(row)]}], {decideKeeper})).flat();
      try {
        await fail({times: 1});
        expect(await apply(before[0]!)).toMatchObject([{result: 'applied'}]);
        expect(proxy.heard('linearizable')).toBe(false);
        expect(await takeBack(before)).toEqual(['applied']);
        await fail('alwaysOn');
        expect(await apply(before[0]!)).toMatchObject([{result: 'applied'}]);
        // Looked up where what is read can't be rolled back any more.
        expect(proxy.heard('linearizable')).toBe(true);
      } finally {
        await fail('off');
        await through.close();
        await proxy.stop();
      }
      expect(await db.collection('c').countDocuments({s: 'new'})).toBe(1);
    });

    test('a unique index that is still being built is not installed, and an install waits for it', async () => {
      const admin = client.db('admin');
      await db.collection<Document>('c').insertOne({_id: 1, s: 'a'} as Document);
      const hang = (mode: string) => admin.command({configureFailPoint: 'hangAfterStartingIndexBuild', mode});
      const {count} = await hang('alwaysOn');
      try {
        const built = db.collection('c').createIndex({s: 1}, {unique: true});
        await admin.command({
          waitForFailPoint: 'hangAfterStartingIndexBuild',
          timesEntered: count + 1,
          maxTimeMS: 20_000,
        });
        expect(await connector.guards.state(rule)).toEqual({
          state: 'drifted',
          why: 'the index s_1 is being built',
        });
        const [step] = await connector.guards.steps(rule, 'install', {before: null});
        const done = connector.guards.perform(rule, 'install', step!, {before: null});
        await hang('off');
        expect(await done).toBe('done');
        await built;
      } finally {
        await hang('off');
      }
      expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
    });

    test('an index becomes unique when the build of another one is over', async () => {
      const admin = client.db('admin');
      await db.collection<Document>('c').insertOne({_id: 1, s: 'a'} as Document);
      await db.collection('c').createIndex({s: 1});
      await db.command({collMod: 'c', index: {name: 's_1', prepareUnique: true}});
      const hang = (mode: string) => admin.command({configureFailPoint: 'hangAfterStartingIndexBuild', mode});
      const {count} = await hang('alwaysOn');
      try {
        const built = db.collection('c').createIndex({other: 1});
        await admin.command({
          waitForFailPoint: 'hangAfterStartingIndexBuild',
          timesEntered: count + 1,
          maxTimeMS: 20_000,
        });
        const [step] = await connector.guards.steps(rule, 'install', {before: null});
        const said: string[] = [];
        const onProgress = (text: string) => {
          said.push(text);
          if (said.length === 1) void hang('off');
        };
        expect(await connector.guards.perform(rule, 'install', step!, {before: null, onProgress})).toBe(
          'done',
        );
        expect(said[0]).toBe('waiting for a lock on c (try 2)');
        await built;
      } finally {
        await hang('off');
      }
      expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
    });
  }
});
