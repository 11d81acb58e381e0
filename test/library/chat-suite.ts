/** The chat's functions on a MongoDB server: one after another, and many at once with a writer from outside. */
import {type Collection, type Document, MongoClient, ObjectId, UUID} from 'mongodb';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {ensureConversation, startConversation} from '../../source/library/chat.js';
import type {LibraryContext} from '../../source/library/context.js';
import {type Opened, openContext} from '../support/library-context.js';
import {type MongodbServer, type MongodbServerKind, newDatabaseName} from '../support/mongodb.js';
import {startProxy} from '../support/mongodb-proxy.js';
import {codeOf} from '../support/rejections.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const someUuid = '7d444840-9dc0-4c1d-8c2e-1c3d5a6b7f80';

export const chatSuite = ({name, start}: MongodbServerKind, callers: number): void => {
  describe(`conversations on ${name}`, () => {
    let server: MongodbServer;
    let client: MongoClient;
    let collection: Collection<Document>;
    let opened: Opened;
    const database = newDatabaseName();
    const open = (more: object = {}, url = server.url) =>
      openContext({
        stores: {
          chat: {
            kind: 'mongodb',
            url,
            database,
            checks: [{check: 'null-ids', collection: 'conversations', touch: 'updatedAt', ...more}],
          },
        },
      });
    beforeAll(async () => {
      server = await start();
      client = new MongoClient(server.url);
      collection = client.db(database).collection('conversations');
    });
    afterAll(async () => {
      await client?.db(database).dropDatabase();
      await client?.close();
      await server?.stop();
    });
    beforeEach(async () => {
      await collection.drop().catch(() => {});
      await client.db(database).createCollection('conversations');
      opened = await open();
    });
    afterEach(() => opened.close());
    const ensure = (conversationId: unknown, more: object = {}) =>
      ensureConversation(opened.context, {conversationId, ...more});
    const documents = () => collection.find().toArray();
    const warnings = () => opened.logged.filter(({level}) => level === 'warn').map(({message}) => message);

    test('a new conversation has an id of its own, and moments of the database', async () => {
      const at = new Date('2026-01-02T03:04:05.678Z');
      const owner = new ObjectId();
      const told = await startConversation(opened.context, {
        title: 'x',
        owner,
        at,
        tags: ['a'],
        gone: undefined,
      });
      const [document] = await documents();
      expect(told).toMatchObject({title: 'x', owner: owner.toHexString(), at, tags: ['a']});
      expect(told.sessionId).toMatch(uuid);
      expect(document).toMatchObject({sessionId: told.sessionId, title: 'x', owner, at, tags: ['a']});
      expect(Object.keys(document!)).not.toContain('gone');
      for (const column of ['createdAt', 'updatedAt']) {
        expect(document![column]).toBeInstanceOf(Date);
        expect(Math.abs(document![column].getTime() - Date.now())).toBeLessThan(60_000);
      }
      const createdAt = new Date(0);
      expect((await startConversation(opened.context, {createdAt})).createdAt).toEqual(createdAt);
    });

    test("a caller's own session id is used when it is one, and refused when it isn't or is taken", async () => {
      const own = {sessionId: someUuid};
      expect((await startConversation(opened.context, own)).sessionId).toBe(someUuid);
      for (const sessionId of [null, '', 'conv_1', 7, `${someUuid} `])
        expect(await codeOf(startConversation(opened.context, {sessionId}))).toBe('usage');
      expect(await codeOf(ensure('c', {sessionId: ''}))).toBe('usage');
      expect(await documents()).toHaveLength(1);
      await collection.createIndex({sessionId: 1}, {unique: true});
      expect(await codeOf(startConversation(opened.context, own))).toBe('refused');
      expect(await codeOf(ensure('c', own))).toBe('refused');
      expect(await documents()).toHaveLength(1);
    });

    test('hex ids are hex', async () => {
      const hex = await open({idFormat: 'hex'});
      expect((await startConversation(hex.context)).sessionId).toMatch(/^[0-9a-f]{32}$/);
      await hex.close();
    });

    test('an id that is taken at the last moment is not used: another one is', async () => {
      await collection.createIndex({sessionId: 1}, {unique: true});
      const writer = await opened.context.writer(opened.context.engine.checker('chat/null-ids'));
      const taken: unknown[] = [];
      // The writer from outside is quicker by one id.
      const quick: LibraryContext = {
        ...opened.context,
        writer: async () => ({
          ...writer,
          read: (...given) => writer.read(...given),
          put: async (request, options) => {
            const wanted = request.create.sessionId as {value: string};
            if (taken.length < 2) await collection.insertOne({sessionId: wanted.value});
            taken.push(wanted.value);
            return writer.put(request, options);
          },
        }),
      };
      const {sessionId} = await startConversation(quick);
      expect(taken).toHaveLength(3);
      expect(sessionId).toBe(taken[2]);
      expect(new Set((await documents()).map(document => document.sessionId)).size).toBe(3);
    });

    test('a conversation is made where it is not there, and found again as it is', async () => {
      const first = await ensure('c1', {title: 'x'});
      expect(first).toMatchObject({_id: 'c1', title: 'x'});
      expect(first.sessionId).toMatch(uuid);
      expect(await ensure('c1', {title: 'other'})).toEqual(first);
      expect(await documents()).toHaveLength(1);
      for (const id of ['', ' ', null, undefined, {$ne: 1}, ['c1']])
        expect(await codeOf(ensure(id))).toBe('usage');
      expect(await codeOf(ensure('c2', {_id: 'c3'}))).toBe('usage');
      expect(await codeOf(ensure('c2', {$set: 1}))).toBe('usage');
      expect(await documents()).toHaveLength(1);
    });

    test.each([
      ['null', {sessionId: null}],
      ['missing', {}],
      ['empty', {sessionId: ''}],
    ])('one whose id is %s is given one, and nothing else of it changes but `touch`', async (_, without) => {
      await collection.insertOne({
        _id: 'c' as never,
        ...without,
        title: 'x',
        updatedAt: '2025-01-01T00:00:00Z',
      });
      const told = await ensure('c', {title: 'other'});
      const [document] = await documents();
      expect(told.sessionId).toMatch(uuid);
      expect(document).toMatchObject({_id: 'c', sessionId: told.sessionId, title: 'x'});
      expect(document!.updatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(document!.updatedAt > '2026').toBe(true);
      expect(warnings()).toEqual([]);
    });

    test('an id of the wrong type or format is left alone, and told', async () => {
      const odd = [7, 'conv_1', [someUuid]];
      await collection.insertMany(odd.map((sessionId, n) => ({_id: `c${n}` as never, sessionId})));
      for (const [n, sessionId] of odd.entries())
        expect((await ensure(`c${n}`)).sessionId).toEqual(sessionId);
      expect(warnings()).toHaveLength(3);
      expect((await documents()).map(document => document.sessionId)).toEqual(odd);
    });

    test('the text of an ObjectId finds the ObjectId, and makes one where the collection has these', async () => {
      const [there, fresh] = [new ObjectId(), new ObjectId()];
      await collection.insertOne({_id: there, sessionId: null});
      const told = await ensure(there.toHexString());
      expect(told).toMatchObject({_id: there.toHexString()});
      await ensure(fresh.toHexString());
      await ensure(fresh);
      const found = await documents();
      expect(found.map(({_id}) => _id instanceof ObjectId)).toEqual([true, true]);
      expect(found[0]!.sessionId).toBe(told.sessionId);
      const id = new UUID();
      await ensure(id);
      await ensure(id.toHexString());
      expect(await documents()).toHaveLength(3);
    });

    test('the text of an ObjectId is text where the collection has text', async () => {
      const id = new ObjectId().toHexString();
      await ensure('c1');
      await ensure(id);
      expect((await documents()).map(({_id}) => _id)).toEqual(['c1', id]);
    });

    test('a new conversation does not read those that are there', async () => {
      const many = Array.from({length: 5000}, () => ({_id: new ObjectId(), sessionId: someUuid}));
      await collection.insertMany(many);
      const proxy = await startProxy(server.url);
      const through = await open({}, proxy.url);
      try {
        for (const conversationId of [new ObjectId().toHexString(), new ObjectId(), 'c1'])
          await ensureConversation(through.context, {conversationId});
        expect(proxy.answered()).toBeLessThan(50_000);
      } finally {
        await through.close();
        await proxy.stop();
      }
    });

    describe.each([
      ['with', true],
      ['without', false],
    ])('%s the unique index', (_, indexed) => {
      beforeEach(async () => {
        if (indexed) await collection.createIndex({sessionId: 1}, {unique: true});
      });

      test(`${callers} starts at once, with a writer from outside: each has an id of its own`, async () => {
        let ended = false;
        let refused = 0;
        const outside = (async () => {
          // The chat as it used to write: the second one without an id is what the index turns down.
          while (!ended) await collection.insertOne({sessionId: null}).catch(() => refused++);
        })();
        const told = await Promise.all(
          Array.from({length: callers}, (_, n) => startConversation(opened.context, {n})),
        );
        ended = true;
        await outside;
        expect(new Set(told.map(({sessionId}) => sessionId)).size).toBe(callers);
        const ours = (await documents()).filter(({n}) => n !== undefined);
        expect(new Set(ours.map(({sessionId}) => sessionId))).toEqual(
          new Set(told.map(({sessionId}) => sessionId)),
        );
        expect(ours).toHaveLength(callers);
      });

      test.each([
        ['that is not there', null],
        ['without an id', {sessionId: null}],
      ])(
        `${callers} callers for one conversation %s: one document, one id, all are told the same`,
        async (_, there) => {
          if (there) await collection.insertOne({_id: 'c' as never, ...there});
          let ended = false;
          let counted = 0;
          // FerretDB's updates are not atomic: beside ours, one of the same document would lose either of them.
          const outer = (name === 'FerretDB' ? 'other' : 'c') as never;
          if (outer !== 'c') await collection.insertOne({_id: outer, sessionId: someUuid});
          const outside = (async () => {
            while (!ended || counted === 0)
              counted += (await collection.updateOne({_id: outer}, {$inc: {messages: 1}})).modifiedCount;
          })();
          const second = await open();
          const told = await Promise.all(
            Array.from({length: callers}, (_, n) =>
              ensureConversation((n % 2 ? second : opened).context, {conversationId: 'c', title: 't'}),
            ),
          );
          ended = true;
          await outside;
          await second.close();
          expect((await collection.findOne({_id: outer}))!.messages).toBe(counted);
          const found = await collection.find({_id: 'c' as never}).toArray();
          expect(new Set(told.map(({sessionId}) => sessionId))).toEqual(new Set([found[0]!.sessionId]));
          expect(found[0]!.sessionId).toMatch(uuid);
          expect(await documents()).toHaveLength(outer === 'c' ? 1 : 2);
        },
      );
    });
  });
};
