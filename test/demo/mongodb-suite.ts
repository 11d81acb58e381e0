/** What a MongoDB server does for the demo: the stand-in is held to what MongoDB itself does, by the same tests. */
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  type Collection,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  MongoClient,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {type MongodbServer, type MongodbServerKind, newDatabaseName} from '../support/mongodb.js';

/** The server's number for what was wrong; undefined where nothing was. */
export const numberOf = (work: Promise<unknown>): Promise<number | undefined> =>
  work.then(
    () => undefined,
    error => error.code,
  );

export const mongodbSuite = ({name, start}: MongodbServerKind): void => {
  describe(`commands on ${name}`, () => {
    const database = newDatabaseName();
    let server: MongodbServer;
    let client: MongoClient;
    let rows: Collection<Document>;
    let number = 0;
    beforeAll(async () => {
      server = await start();
      client = new MongoClient(server.url);
    });
    afterAll(async () => {
      await client?.db(database).dropDatabase();
      await client?.close();
      await server?.stop();
    });
    beforeEach(() => {
      rows = client.db(database).collection(`conversations${number++}`);
    });
    const ids = async (filter: Document) => (await rows.find(filter).toArray()).map(row => row._id);

    test('gives documents of every type back byte for byte', async () => {
      const doc = {
        _id: new ObjectId(),
        z: new Int32(5),
        a: new Double(5),
        minusZero: new Double(-0),
        long: Long.fromString('9007199254740993'),
        decimal: Decimal128.fromString('1.10'),
        binary: new Binary(new Uint8Array([0, 255]), 128),
        uuid: new UUID(),
        date: new Date(0),
        timestamp: new Timestamp({t: 7, i: 1}),
        regex: new BSONRegExp('a.b', 'ix'),
        symbol: new BSONSymbol('s'),
        min: new MinKey(),
        max: new MaxKey(),
        nothing: null,
        nested: {b: [1, [new Double(1)], {c: ''}], a: {}},
      };
      const bytes = BSON.serialize(doc);
      await rows.insertOne(doc);
      const raw = async (pipeline?: Document[]) => {
        const cursor = pipeline ? rows.aggregate(pipeline, {raw: true}) : rows.find({}, {raw: true});
        return Buffer.from((await cursor.next()) as unknown as Uint8Array).toString('hex');
      };
      expect(await raw()).toBe(Buffer.from(bytes).toString('hex'));
      expect(await raw([{$match: {z: 5}}, {$sort: {z: 1}}, {$limit: 1}])).toBe(await raw());
      await rows.updateOne({_id: doc._id}, [{$set: {touched: '$$NOW'}}]);
      await rows.updateOne({_id: doc._id}, {$unset: {touched: ''}});
      expect(await raw()).toBe(Buffer.from(bytes).toString('hex'));
    });

    test('matches as MongoDB does, whatever the type of a number and inside arrays', async () => {
      const oid = new ObjectId();
      await rows.insertMany([
        {_id: 'int', v: new Int32(5)},
        {_id: 'double', v: new Double(5)},
        {_id: 'long', v: Long.fromNumber(5)},
        {_id: 'decimal', v: Decimal128.fromString('5.0')},
        {_id: 'text', v: '5'},
        {_id: 'list', v: [5, 'x']},
        {_id: 'null', v: null},
        {_id: 'missing'},
        {_id: 'empty', v: ''},
        {_id: 'oid', v: oid},
        {_id: 'doc', v: {a: 1, b: 2}},
        {_id: 'nulls', v: [null]},
        {_id: 'date', v: new Date(5)},
      ] as Document[]);
      const numbers = ['int', 'double', 'long', 'decimal'];
      expect(await ids({v: 5})).toEqual([...numbers, 'list']);
      expect(await ids({v: {$gt: 4, $lte: Long.fromNumber(5)}})).toEqual([...numbers, 'list']);
      expect(await ids({v: null})).toEqual(['null', 'missing', 'nulls']);
      expect(await ids({v: {$type: 'null'}})).toEqual(['null', 'nulls']);
      expect(await ids({v: {$exists: false}})).toEqual(['missing']);
      expect(await ids({v: {$not: {$type: 'string'}, $nin: [null, 5]}})).toEqual(['oid', 'doc', 'date']);
      expect(await ids({v: {$type: 'array'}})).toEqual(['list', 'nulls']);
      expect(await ids({v: {$type: 'number', $not: {$type: 'array'}}})).toEqual(numbers);
      expect(await ids({v: {$in: ['', oid]}})).toEqual(['empty', 'oid']);
      expect(await ids({v: {a: 1, b: 2}})).toEqual(['doc']);
      expect(await ids({v: {b: 2, a: 1}})).toEqual([]);
      expect(await ids({'v.a': {$gte: 1}})).toEqual(['doc']);
      expect(await ids({v: ['x', 5]})).toEqual([]);
      expect(await ids({v: [5, 'x']})).toEqual(['list']);
      expect(await ids({v: {$elemMatch: {$gt: 4}}})).toEqual(['list']);
      expect(await ids({v: {$size: 2}})).toEqual(['list']);
      expect(await ids({v: /^[x5]$/})).toEqual(['text', 'list']);
      expect(await ids({$or: [{v: ''}, {$and: [{v: oid}]}], $nor: [{_id: 'empty'}]})).toEqual(['oid']);
      expect(await ids({$expr: {$eq: ['$v', 5]}})).toEqual(numbers);
      // In the order of the index of `_id`, not in that of the list.
      expect(await ids({_id: {$in: ['text', 'gone', 'int']}})).toEqual(['int', 'text']);
      expect(await numberOf(rows.findOne({v: {$near: 1}}))).toBe(2);
    });

    test('sorts over types, projects, skips, limits and pages through getMore', async () => {
      await rows.insertMany(
        Array.from({length: 250}, (_, i) => ({_id: i as never, n: i, deep: {n: i, t: 'x'}})),
      );
      expect((await rows.find().batchSize(7).toArray()).length).toBe(250);
      const page = await rows
        .find({}, {projection: {'deep.n': 1, _id: 0}})
        .sort({n: -1})
        .skip(1)
        .limit(2)
        .toArray();
      expect(page).toEqual([{deep: {n: 248}}, {deep: {n: 247}}]);
      expect(await rows.findOne({_id: 3 as never}, {projection: {deep: 0}})).toEqual({_id: 3, n: 3});
      expect(await rows.countDocuments({n: {$lt: 10}})).toBe(10);
      expect(await rows.estimatedDocumentCount()).toBe(250);
      const mixed = client.db(database).collection(`mixed${number}`);
      const values = [new Date(1), 'b', new Int32(2), null, {a: 1}, true, new Double(1.5), 'a', [9]];
      await mixed.insertMany(values.map(v => ({v})));
      const order = (await mixed.find().sort({v: 1}).toArray()).map(({v}) => v);
      expect(order).toEqual([null, 1.5, 2, [9], 'a', 'b', {a: 1}, true, new Date(1)]);
      expect(await mixed.distinct('v')).toEqual([null, 1.5, 2, 9, 'a', 'b', {a: 1}, true, new Date(1)]);
    });

    test('groups what is equal, keeps types, and joins', async () => {
      await rows.insertMany([
        {s: 'a', n: new Int32(1), d: new Double(2)},
        {s: 'a', n: Long.fromNumber(1), d: new Double(4)},
        {s: null, n: new Double(1)},
        {n: Decimal128.fromString('1')},
      ]);
      const byText = await rows
        .aggregate([{$group: {_id: '$s', n: {$sum: 1}, d: {$push: '$d'}}}, {$sort: {n: -1, _id: 1}}], {
          promoteValues: false,
        })
        .toArray();
      expect(byText).toEqual([
        {_id: null, n: new Int32(2), d: []},
        {_id: 'a', n: new Int32(2), d: [new Double(2), new Double(4)]},
      ]);
      expect(await rows.aggregate([{$group: {_id: '$n', n: {$sum: 1}}}]).toArray()).toEqual([{_id: 1, n: 4}]);
      const others = client.db(database).collection(`others${number}`);
      await others.insertMany([{_id: 'x' as never, s: 'a'}, {_id: 'y' as never}]);
      const joined = await others
        .aggregate([
          {$lookup: {from: rows.collectionName, localField: 's', foreignField: 's', as: 'found'}},
          {$project: {n: {$size: '$found'}}},
        ])
        .toArray();
      expect(joined).toEqual([
        {_id: 'x', n: 2},
        {_id: 'y', n: 2},
      ]);
    });

    test('updates by operators, replaces, upserts and answers how many', async () => {
      await rows.insertMany([
        {_id: 1 as never, n: new Int32(1), list: [1, 2, 3], u: 'x'},
        {_id: 2 as never, n: Long.fromNumber(1)},
      ]);
      const result = await rows.updateMany({}, {$inc: {n: 1}, $set: {'deep.x': 1}, $unset: {u: ''}});
      expect(result).toMatchObject({matchedCount: 2, modifiedCount: 2});
      await rows.updateOne(
        {_id: 1 as never},
        {$push: {list: {$each: [4], $slice: -2}} as Document, $currentDate: {at: true}},
      );
      const typed = await rows.findOne({_id: 1 as never}, {promoteValues: false});
      expect(typed).toMatchObject({
        n: new Int32(2),
        list: [new Int32(3), new Int32(4)],
        deep: {x: new Int32(1)},
      });
      expect(typed!.at).toBeInstanceOf(Date);
      expect(typed).not.toHaveProperty('u');
      expect((await rows.findOne({_id: 2 as never}, {promoteLongs: false}))!.n).toEqual(Long.fromNumber(2));
      expect(await rows.updateOne({_id: 2 as never}, {$set: {n: Long.fromNumber(2)}})).toMatchObject({
        matchedCount: 1,
        modifiedCount: 0,
      });
      await rows.replaceOne({_id: 2 as never}, {b: 1, a: 2});
      expect(Object.keys((await rows.findOne({_id: 2 as never}))!)).toEqual(['_id', 'b', 'a']);
      const upsert = await rows.updateOne({email: 'a@example.com'}, {$setOnInsert: {n: 1}}, {upsert: true});
      expect(upsert.upsertedId).toBeInstanceOf(ObjectId);
      expect(await rows.findOne({_id: upsert.upsertedId!})).toMatchObject({email: 'a@example.com', n: 1});
      expect(await numberOf(rows.updateOne({_id: 1 as never}, {$set: {_id: 9}}))).toBe(66);
      expect((await rows.deleteMany({n: {$exists: true}})).deletedCount).toBe(2);
    });

    test('finds and modifies one, conditional on what it was', async () => {
      await rows.insertOne({_id: 1 as never, sessionId: null, n: 1});
      const filter = {_id: 1 as never, sessionId: {$type: 'null'}} as Document;
      expect(await rows.findOneAndUpdate(filter, {$set: {sessionId: 's1'}})).toMatchObject({sessionId: null});
      expect(await rows.findOneAndUpdate(filter, {$set: {sessionId: 's2'}})).toBeNull();
      const after = await rows.findOneAndReplace({_id: 1 as never}, {n: 2}, {returnDocument: 'after'});
      expect(after).toEqual({_id: 1, n: 2});
      expect(await rows.findOneAndDelete({n: 1})).toBeNull();
      expect(await rows.findOneAndDelete({n: 2})).toEqual({_id: 1, n: 2});
      const made = await rows.findOneAndUpdate(
        {_id: 7 as never},
        {$set: {n: 7}},
        {upsert: true, returnDocument: 'after'},
      );
      expect(made).toEqual({_id: 7, n: 7});
    });

    test('keeps unique indexes, partial and sparse ones too, and refuses to make one over duplicates', async () => {
      await rows.insertMany([{sessionId: 'a'}, {sessionId: 'a'}, {sessionId: null}, {}]);
      expect(await numberOf(rows.createIndex({sessionId: 1}, {unique: true}))).toBe(11000);
      await rows.createIndex({sessionId: 1});
      expect(await numberOf(rows.createIndex({sessionId: 1}, {unique: true}))).toBe(86);
      await rows.dropIndex('sessionId_1');
      await rows.deleteOne({sessionId: 'a'});
      await rows.createIndex(
        {sessionId: 1},
        {unique: true, partialFilterExpression: {sessionId: {$type: 'string'}}},
      );
      await rows.insertOne({sessionId: null});
      const error = await rows.insertOne({sessionId: 'a'}).catch(error => error);
      expect(error).toMatchObject({code: 11000, keyPattern: {sessionId: 1}, keyValue: {sessionId: 'a'}});
      expect(error.message).toContain('index: sessionId_1 dup key: { sessionId: "a" }');
      expect(await numberOf(rows.updateOne({sessionId: null}, {$set: {sessionId: 'a'}}))).toBe(11000);
      await rows.deleteOne({sessionId: 'a'});
      await rows.insertOne({sessionId: 'a'});
      expect(await rows.indexes()).toMatchObject([
        {name: '_id_'},
        {name: 'sessionId_1', unique: true, partialFilterExpression: {sessionId: {$type: 'string'}}},
      ]);
      await rows.createIndex({tags: 1}, {unique: true, sparse: true});
      await rows.insertMany([{tags: ['x', 'y']}, {}]);
      expect(await numberOf(rows.insertOne({tags: ['y']}))).toBe(11000);
      expect(await numberOf(rows.insertMany([{_id: 1 as never}, {_id: 1 as never}]))).toBe(11000);
    });

    test('indexes on the same fields differ by what they leave out; one in the way is told by its kind', async () => {
      const made = (key: Document, name: string, more: Document = {}) =>
        numberOf(
          client.db(database).command({createIndexes: rows.collectionName, indexes: [{key, name, ...more}]}),
        );
      const s = {s: 1};
      expect(await made({_id: 1}, 'x', {unique: true})).toBe(197);
      expect(await made(s, '_id_')).toBe(2);
      expect(await client.db(database).listCollections({name: rows.collectionName}).toArray()).toEqual([]);
      expect(await made(s, 'a', {unique: false, hidden: false, prepareUnique: false})).toBeUndefined();
      expect(await made({_id: 1}, 'x')).toBeUndefined();
      for (const more of [{}, {hidden: true}]) expect(await made(s, 'a', more)).toBeUndefined();
      for (const more of [{unique: true}, {sparse: true}]) expect(await made(s, 'a', more)).toBe(86);
      expect(await made({s: -1}, 'a')).toBe(86);
      for (const more of [{prepareUnique: true}, {expireAfterSeconds: 5}])
        for (const name of ['a', 'b']) expect(await made(s, name, more)).toBe(85);
      expect(await made(s, 'b')).toBe(85);
      expect(await rows.indexes()).toEqual([
        {v: 2, key: {_id: 1}, name: '_id_'},
        {v: 2, key: s, name: 'a'},
      ]);
      expect(await made(s, 'b', {unique: true})).toBeUndefined();
      expect(await made(s, 'c', {sparse: true})).toBeUndefined();
      expect(await made(s, 'd', {partialFilterExpression: {s: {$gt: ''}}})).toBeUndefined();
      const dropped = {dropIndexes: rows.collectionName, index: s};
      expect(await numberOf(client.db(database).command(dropped))).toBe(181);
      expect((await rows.indexes()).map(({name}) => name)).toEqual(['_id_', 'a', 'b', 'c', 'd']);
    });

    test('what finds nothing to change makes no collection, and what is refused is not counted', async () => {
      await rows.updateMany({}, {$set: {n: 1}});
      await rows.findOneAndUpdate({}, {$set: {n: 1}});
      await rows.findOneAndDelete({});
      const {collectionName: name} = rows;
      expect(await client.db(database).listCollections({name}).toArray()).toEqual([]);
      await rows.insertOne({n: 1});
      await client.db(database).command({collMod: name, validator: {n: 1}});
      const updates = [{q: {}, u: {$set: {n: 2}}}];
      expect(await client.db(database).command({update: name, updates})).toMatchObject({n: 0, nModified: 0});
    });

    test('bulk writes go on after a failure when they are not ordered', async () => {
      const error = await rows
        .bulkWrite(
          [
            {insertOne: {document: {_id: 1 as never}}},
            {insertOne: {document: {_id: 1 as never}}},
            {insertOne: {document: {_id: 2 as never}}},
          ],
          {ordered: false},
        )
        .catch(error => error);
      expect(error.result.insertedCount).toBe(2);
      expect(error.writeErrors).toHaveLength(1);
    });

    test('enforces a validator, moderately and strictly', async () => {
      const db = client.db(database);
      await rows.insertMany([
        {_id: 1 as never, sessionId: null},
        {_id: 2 as never, sessionId: 's'},
      ]);
      const validator = {
        $jsonSchema: {required: ['sessionId'], properties: {sessionId: {bsonType: 'string', minLength: 1}}},
      };
      await db.command({collMod: rows.collectionName, validator, validationLevel: 'moderate'});
      expect(await numberOf(rows.insertOne({}))).toBe(121);
      expect(await numberOf(rows.updateOne({_id: 2 as never}, {$set: {sessionId: ''}}))).toBe(121);
      await rows.updateOne({_id: 1 as never}, {$set: {n: 1}});
      await db.command({collMod: rows.collectionName, validationLevel: 'strict'});
      expect(await numberOf(rows.updateOne({_id: 1 as never}, {$set: {n: 2}}))).toBe(121);
      const [info] = await db.listCollections({name: rows.collectionName}).toArray();
      expect(info).toMatchObject({options: {validator, validationLevel: 'strict'}});
      await db.command({collMod: rows.collectionName, validator: {}});
      await rows.insertOne({});
    });

    test('a collMod writes the level and the action out, and none takes them away again', async () => {
      const db = client.db(database);
      const name = rows.collectionName;
      const options = async () => {
        const [info] = await db.listCollections({name}).toArray();
        return (info as Document).options;
      };
      const changed = async (what: Document) => {
        await db.command({collMod: name, ...what});
        return options();
      };
      const validator = {n: {$gte: 0}};
      const defaults = {validationLevel: 'strict', validationAction: 'error'};
      await db.createCollection(name);
      expect(await options()).toEqual({});
      const nothing = {validator: null, validationLevel: null, validationAction: null};
      for (const what of [{}, nothing]) expect(await changed(what)).toEqual({});
      expect(await changed({validator: {}})).toEqual(defaults);
      expect(await changed({validator})).toEqual({validator, ...defaults});
      const moderate = {validationLevel: 'moderate', validationAction: 'warn'};
      expect(await changed(moderate)).toEqual({validator, ...moderate});
      expect(await changed({validator: {}})).toEqual(moderate);
      expect(await changed({validator: {}, ...defaults})).toEqual(defaults);
      await rows.drop();
      await db.createCollection(name, {validator, validationLevel: 'moderate'});
      expect(await options()).toEqual({validator, validationLevel: 'moderate'});
      for (const wrong of [{validationLevel: 'none'}, {validationAction: ''}, {validator: {$or: 1}}])
        expect(await numberOf(changed(wrong))).toBe(2);
      expect(await numberOf(changed({validator: 'x'}))).toBe(14);
      expect(await options()).toEqual({validator, validationLevel: 'moderate'});
      expect(await changed({validationLevel: 'strict'})).toEqual({validator, ...defaults});
      await rows.drop();
      await db.createCollection(name, {validationLevel: 'off', validator: {}});
      expect(await options()).toEqual({validationLevel: 'off'});
    });

    test('a no-op, a bypass and a warning pass a validator; what is invalid and a duplicate is told as invalid', async () => {
      const db = client.db(database);
      await rows.insertMany([{_id: 1 as never, sessionId: null}]);
      const validator = {
        $jsonSchema: {required: ['sessionId'], properties: {sessionId: {bsonType: 'string'}}},
      };
      await db.command({collMod: rows.collectionName, validator});
      expect(await numberOf(rows.insertOne({_id: 1 as never}))).toBe(121);
      expect(await numberOf(rows.updateOne({_id: 1 as never}, {$set: {n: 1}}))).toBe(121);
      expect((await rows.updateOne({_id: 1 as never}, {$set: {sessionId: null}})).modifiedCount).toBe(0);
      await rows.updateOne({_id: 1 as never}, {$set: {n: 1}}, {bypassDocumentValidation: true});
      await rows.insertOne({}, {bypassDocumentValidation: true});
      expect(await numberOf(rows.updateOne({sessionId: 'x'}, {$set: {n: 1}}, {upsert: true}))).toBe(
        undefined,
      );
      expect(await numberOf(rows.updateOne({n: 5}, {$set: {m: 1}}, {upsert: true}))).toBe(121);
      expect(await numberOf(rows.findOneAndReplace({sessionId: 'x'}, {n: 1}))).toBe(121);
      await db.command({collMod: rows.collectionName, validationAction: 'warn'});
      await rows.insertOne({});
      expect(await rows.countDocuments()).toBe(4);
    });

    test('makes an index unique in place, in two steps', async () => {
      const db = client.db(database);
      const mod = async (index: Document, more: Document = {}) => {
        const reply = await db.command({collMod: rows.collectionName, index, ...more});
        // What a member of a replica set adds to every reply.
        const {$clusterTime: _, operationTime: __, ...told} = reply;
        return told;
      };
      const keyPattern = {sessionId: 1};
      const spec = async () => (await rows.indexes()).find(({name}) => name === 'sessionId_1');
      await rows.insertMany([{_id: 1 as never, sessionId: null}, {_id: 2 as never}, {sessionId: 'a'}]);
      expect(await numberOf(mod({keyPattern, prepareUnique: true}))).toBe(27);
      await rows.createIndex(keyPattern);
      const plain = await spec();
      expect(await numberOf(mod({keyPattern, unique: true}))).toBe(72);
      expect(await numberOf(mod({keyPattern, unique: false}))).toBe(2);
      expect(await numberOf(mod({keyPattern, unique: 'yes'}))).toBe(14);
      expect(await numberOf(mod({keyPattern, name: 'sessionId_1', unique: true}))).toBe(72);
      expect(await numberOf(mod({keyPattern, prepareUnique: true, unique: true}))).toBe(72);
      expect(await mod({keyPattern, prepareUnique: true})).toEqual({
        prepareUnique_old: false,
        prepareUnique_new: true,
        ok: 1,
      });
      expect(await spec()).toEqual({...plain, prepareUnique: true});
      // New duplicates are refused, those that are there may be changed and go on.
      expect(await numberOf(rows.insertOne({}))).toBe(11000);
      expect(await numberOf(rows.insertOne({sessionId: 'a'}))).toBe(11000);
      await rows.updateOne({_id: 2 as never}, {$set: {n: 1}});
      expect(await numberOf(rows.updateOne({_id: 2 as never}, {$set: {sessionId: 'a'}}))).toBe(11000);
      await expect(mod({keyPattern, unique: true})).rejects.toMatchObject({
        code: 359,
        errorResponse: {violations: [{ids: [1, 2]}]},
      });
      await mod({name: 'sessionId_1', prepareUnique: false});
      expect(await spec()).toEqual(plain);
      const {insertedId} = await rows.insertOne({});
      await mod({name: 'sessionId_1', prepareUnique: true});
      await rows.deleteOne({_id: insertedId});
      expect(await numberOf(rows.insertOne({}))).toBe(11000);
      await rows.updateOne({_id: 2 as never}, {$set: {sessionId: 'b'}});
      expect(await mod({keyPattern, unique: true}, {dryRun: true})).toMatchObject({ok: 1});
      expect(await spec()).toEqual({...plain, prepareUnique: true});
      expect(await mod({keyPattern, unique: true})).toEqual({unique_new: true, ok: 1});
      expect(await spec()).toEqual({...plain, unique: true});
      expect(await mod({keyPattern, unique: true})).toEqual({ok: 1});
      expect(await numberOf(rows.insertOne({}))).toBe(11000);
      // What is so already does not count.
      expect(await mod({keyPattern, prepareUnique: true, hidden: false})).toEqual({ok: 1});
      expect(await numberOf(mod({name: 'nonesuch'}))).toBe(72);
      expect(await numberOf(mod({name: '_id_', hidden: false}))).toBe(2);
      await mod({name: '_id_', prepareUnique: true});
      await mod({keyPattern, hidden: true});
      expect(await spec()).toEqual({...plain, unique: true, hidden: true});
      expect(await numberOf(rows.insertOne({sessionId: 'b'}))).toBe(11000);
    });
  });
};
