/** Guards of MongoDB through the engine: what is left to a person, and two installs at once. */
import {type Collection, Decimal128, type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {OpenConnector} from '../../source/engine/stores.js';
import {SesstuiError} from '../../source/errors.js';
import type {GuardInfo} from '../../source/guards.js';
import {temporaryDirectory} from '../support/cli.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';
import {startProxy} from '../support/mongodb-proxy.js';

const check = 'chat/null-ids';

describe.each(mongodbServers())('on $name', ({name, start}) => {
  const hasValidators = name !== 'FerretDB';
  const database = newDatabaseName();
  let server: MongodbServer;
  let client: MongoClient;
  let rows: Collection<Document>;
  const engines: FullEngine[] = [];

  beforeAll(async () => {
    server = await start();
    client = new MongoClient(server.url);
    rows = client.db(database).collection('conversations');
  });
  afterAll(async () => {
    await Promise.all(engines.map(engine => engine.close()));
    await client?.db(database).dropDatabase();
    await client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await rows.drop().catch(() => {});
    await client.db(database).createCollection('conversations');
  });

  /** An operator with a state directory of its own: nothing but the store is common to two of them. */
  const operator = async (open: OpenConnector = openConnector): Promise<FullEngine> => {
    const checks = [{check: 'null-ids', collection: 'conversations', id: 'sessionId'}];
    const store = {kind: 'mongodb', url: server.url, database, checks};
    const {config} = configFromObject({environment: 'test', stores: {chat: store}});
    const engine = openEngine(config, {stateDirectory: await temporaryDirectory(), open});
    engines.push(engine);
    return engine;
  };
  const carryOut = async (engine: FullEngine, direction: 'install' | 'uninstall', clean = false) =>
    engine.runGuards(await engine.planGuards(check, direction, {clean}));
  const able = (guards: GuardInfo[]) => guards.filter(({state}) => state !== 'unavailable');

  if (hasValidators)
    test('ids that are no text are let be, and the commands that end that are named and do', async () => {
      await rows.insertMany([{sessionId: 7}, {sessionId: 8}, {sessionId: 'a'}]);
      const engine = await operator();
      const {guards, error} = await carryOut(engine, 'install');
      expect(error).toBeUndefined();
      const {why} = guards.find(({guard}) => guard === 'id-validator')!;
      expect(why).toMatch(/^moderate: 2 documents violate it: `sesstui check chat\/null-ids` lists them/);
      expect(why).toContain('`sesstui clean chat/null-ids --action assign-ids --reason wrong-type-id` mends');
      expect(why).toContain('then `sesstui guards install chat/null-ids --guard id-validator` finishes it');

      const mended = await engine.run(await engine.plan(check, 'assign-ids', {reasons: ['wrong-type-id']}));
      expect(mended).toMatchObject({applied: 2, failed: 0});
      const [, half] = await engine.guards([check]);
      expect(half!.why).toBe(
        'moderate: no document violates it any more: `sesstui guards install chat/null-ids --guard id-validator` finishes it',
      );
      const done = await carryOut(engine, 'install');
      expect(done.guards.find(({guard}) => guard === 'id-validator')).toMatchObject({why: null});
    });

  if (hasValidators)
    test('documents that only the rest of the validator refuses are told apart, and found by what is named', async () => {
      await rows.insertMany([{sessionId: 'a', n: 1}, {sessionId: 7}]);
      await client.db(database).command({collMod: 'conversations', validator: {n: {$ne: 1}}});
      const {guards} = await carryOut(await operator(), 'install');
      const {why} = guards.find(({guard}) => guard === 'id-validator')!;
      expect(why).toContain(
        'moderate: 2 documents violate it, 1 of them only what else the validator demands',
      );
      expect(why).toContain('db.getCollection("conversations").find({$nor: [');
      const listed = client.db(database).listCollections({name: 'conversations'}, {nameOnly: false});
      const {options} = (await listed.toArray())[0]!;
      expect(await rows.countDocuments({$nor: [options!.validator]})).toBe(2);
    });

  test('what was mended is taken back after the guards are, where an index was there before', async () => {
    await rows.createIndex({sessionId: 1});
    await rows.insertMany([{sessionId: null}, {}, {sessionId: 'a'}]);
    const engine = await operator();
    const {runs} = await carryOut(engine, 'install', true);
    const [mended] = runs as [string];
    const under = await engine.planUndo(mended);
    expect(under.notes.join()).toContain('take the guards out first');
    expect(await engine.run(under)).toMatchObject({applied: 0, skipped: 2});

    expect((await carryOut(engine, 'uninstall')).error).toBeUndefined();
    expect((await engine.guards([check]))[0]).toMatchObject({guard: 'unique-id', state: 'drifted'});
    expect(await engine.run(await engine.planUndo(mended))).toMatchObject({applied: 2, skipped: 0});
    expect(await rows.countDocuments({sessionId: null})).toBe(2);
  });

  test('ids that are no text and not unique are told with the command that mends them, before anything is written', async () => {
    await rows.insertMany([{sessionId: 5}, {sessionId: 5}, {sessionId: ['q']}, {sessionId: 'q'}, {}]);
    const engine = await operator();
    const plan = await engine.planGuards(check, 'install', {guards: ['unique-id'], clean: true});
    const way =
      '2 groups of conversations are in the way of unique-id (5, ["q"]), and no default action mends them: `sesstui clean chat/null-ids --action assign-ids --reason wrong-type-id` does';
    expect(plan.violations).toEqual([way]);
    const before = await rows.find().toArray();
    await expect(engine.runGuards(plan)).rejects.toMatchObject({code: 'usage', message: way});
    expect(await rows.find().toArray()).toEqual(before);

    await engine.run(await engine.plan(check, 'assign-ids', {reasons: ['wrong-type-id']}));
    const again = await engine.planGuards(check, 'install', {guards: ['unique-id'], clean: true});
    const {error, guards} = await engine.runGuards(again);
    expect(error).toBeUndefined();
    expect(guards[0]).toMatchObject({guard: 'unique-id', state: 'installed'});
  });

  if (name === 'MongoDB 6')
    test('ids that only the server takes for equal are no writer that would have to be stopped', async () => {
      await rows.insertMany([{sessionId: 5}, {sessionId: Decimal128.fromString('5')}]);
      const engine = await operator();
      const plan = await engine.planGuards(check, 'install', {guards: ['unique-id'], clean: true});
      expect((await engine.runGuards(plan)).error).toMatchObject({
        message: '6 times the store said that rows are in the way, and the check found none of them',
      });
    });

  test('two installs at once, of operators who know nothing of each other, end as one does', async () => {
    const operators = await Promise.all([operator(), operator()]);
    for (let round = 0; round < 3; round++) {
      await rows.deleteMany({});
      await rows.insertMany([{sessionId: null}, {}, {sessionId: 'a'}, {sessionId: 'a'}]);
      const plans = await Promise.all(operators.map(one => one.planGuards(check, 'install', {clean: true})));
      const results = await Promise.all(operators.map((one, index) => one.runGuards(plans[index]!)));
      expect(results.map(({error}) => error)).toEqual([undefined, undefined]);
      const ids = (await rows.find().toArray()).map(({sessionId}) => sessionId);
      expect(new Set(ids).size).toBe(4);
      expect(ids.every(id => typeof id === 'string' && id !== '')).toBe(true);
      for (const one of operators)
        expect(able(await one.guards([check])).map(({state, why}) => [state, why])).toEqual(
          able(results[0]!.guards).map(() => ['installed', null]),
        );
      await expect(rows.insertOne({sessionId: 'a'})).rejects.toThrow();
      const taken = await Promise.all(operators.map(one => carryOut(one, 'uninstall')));
      expect(taken.map(({error}) => error)).toEqual([undefined, undefined]);
      for (const id of [null, 'a', 'a']) await rows.insertOne({sessionId: id});
    }
  });

  test('a step that another install did between its look and its command is done', async () => {
    const proxy = await startProxy(server.url);
    const through = openTestConnector(proxy.url, database);
    try {
      const rule = {rule: 'unique-id' as const, table: 'conversations', id: 'sessionId'};
      const other = await operator();
      const steps = await through.guards.steps(rule, 'install', {before: null});
      let came = false;
      for (const step of steps) {
        // The second, where there is one: the index is there then, and the other install goes on with it.
        if (step === (steps[1] ?? steps[0]))
          proxy.before('createIndexes', async () => {
            came = true;
            expect((await carryOut(other, 'install')).error).toBeUndefined();
          });
        expect(await through.guards.perform(rule, 'install', step, {before: null})).toBe('done');
      }
      expect(came).toBe(true);
      expect(await through.guards.state(rule)).toEqual({state: 'installed', why: null});
    } finally {
      await through.close();
      await proxy.stop();
    }
  });

  test('an install that fails takes nothing out that another one has finished meanwhile', async () => {
    const other = await operator();
    const failing = await operator(async (...given) => {
      const connector = await openConnector(...given);
      const {perform} = connector.guards;
      return Object.assign(connector, {
        guards: Object.assign(connector.guards, {
          perform: async (...step: Parameters<typeof perform>) => {
            if (step[2].phase !== 'enforce') return perform(...step);
            expect((await carryOut(other, 'install')).error).toBeUndefined();
            throw new SesstuiError('timeout', 'the lock was not to be had');
          },
        }),
      });
    });
    const result = await carryOut(failing, 'install');
    expect(result.error).toMatchObject({code: 'timeout'});
    expect(result.notes.join()).toContain('installed all the same');
    for (const guards of [result.guards, await other.guards([check])])
      expect(new Set(able(guards).map(({state}) => state))).toEqual(new Set(['installed']));
  });
});
