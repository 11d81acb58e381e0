/** What the connector writes, beyond the contract suite: types, races, lost answers, transactions. */
import {setTimeout as wait} from 'node:timers/promises';
import {Double, Int32, Long, ObjectId} from 'bson';
import {type Db, type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, Connector, KeepRule, Outcome, Row, Unit} from '../../source/connector.js';
import type {Form} from '../../source/forms.js';
import {Other, Time} from '../../source/values.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';
import {startProxy} from '../support/mongodb-proxy.js';
import {type Replica, startReplica} from '../support/mongodb-replica.js';

const everything: Form = {form: 'rows', from: 'c', where: {all: []}, show: [], tags: {}};
const alone = (...changes: Change[]): Unit => ({group: null, changes});
const existing = (row: Row) => ({
  table: row.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
});
const remove = (row: Row): Change => ({...existing(row), op: 'delete'});
const results = (outcomes: Outcome[][]): string[][] =>
  outcomes.map(unit => unit.map(outcome => (outcome.result === 'skipped' ? outcome.why : outcome.result)));
const group = (keep: KeepRule, keeper: Row | null, changes: Change[]): Unit => ({
  group: {table: 'c', where: {in: ['g'], of: {attr: 'g'}}, keep, keeper: keeper?.identity ?? null},
  changes,
});
const first: KeepRule = {by: 'first'};
const latest: KeepRule = {by: 'latest', latestBy: ['at'], canonicalId: null, idAttribute: null, zone: 'UTC'};

/** A database on a server, with the connector and an independent client. */
const place = async (url: string) => {
  const database = newDatabaseName();
  const client = new MongoClient(url);
  const db: Db = client.db(database);
  const connector: Connector = openTestConnector(url, database);
  return {
    db,
    connector,
    database,
    async fill(documents: Document[]) {
      await db
        .collection('c')
        .drop()
        .catch(() => {});
      await db.createCollection('c');
      if (documents.length > 0) await db.collection('c').insertMany(documents);
    },
    async rows(from: Connector = connector): Promise<Record<string, Row>> {
      const rows: Record<string, Row> = {};
      for await (const found of from.read(everything, {now: 0, full: true}))
        rows[String(found.rows[0]!.values._id)] = found.rows[0]!;
      return rows;
    },
    apply: (...units: Unit[]) => connector.apply(units, {decideKeeper}),
    ids: async () =>
      (
        await db
          .collection('c')
          .find({}, {projection: {_id: 1}})
          .toArray()
      )
        .map(({_id}) => String(_id))
        .sort(),
    async close() {
      await connector.close();
      await db.dropDatabase();
      await client.close();
    },
  };
};
type Place = Awaited<ReturnType<typeof place>>;

describe.each(mongodbServers())('writing to $name', ({start}) => {
  let server: MongodbServer;
  let at: Place;
  beforeAll(async () => {
    server = await start();
    at = await place(server.url);
    await at.connector.server();
  });
  afterAll(async () => {
    await at?.close();
    await server?.stop();
  });
  beforeEach(() => at.fill([]));

  test('a moment is written in the format of the one that it replaces', async () => {
    await at.fill([
      {
        _id: 'x' as never,
        date: new Date(0),
        iso: '2026-11-20T10:00:00.000Z',
        plain: '2026-11-20T10:00:00+01:00',
        s: new Int32(1_763_000_000),
        ms: Long.fromNumber(1_763_000_000_000),
        d: new Double(1_763_000_000_000),
        text: '1763000000',
        none: null,
      },
    ]);
    const {x} = await at.rows();
    const now = {now: true as const};
    const set = {date: now, iso: now, plain: now, s: now, ms: now, d: now, text: now, none: now, fresh: now};
    expect(results(await at.apply(alone({...existing(x!), op: 'update', set})))).toEqual([['applied']]);
    const raw = (await at.db.collection('c').findOne({}, {promoteValues: false, promoteLongs: false}))!;
    const seconds = Math.floor(Date.now() / 1000);
    expect([raw.date, raw.none, raw.fresh].every(value => value instanceof Date)).toBe(true);
    expect(raw.iso).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(raw.plain).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect([raw.s, raw.ms, raw.d].map(value => value._bsontype)).toEqual(['Int32', 'Long', 'Double']);
    for (const value of [Number(raw.s), Number(raw.ms) / 1000, Number(raw.d) / 1000, Number(raw.text)])
      expect(Math.abs(value - seconds)).toBeLessThan(60);
  });

  test('an update and its undo leave every byte as it was', async () => {
    await at.fill([
      {_id: 'x' as never, a: new Double(1), gone: 'g', map: {id: 'old', more: new Long(5)}, z: null},
    ]);
    const bytes = async () =>
      Buffer.from((await at.db.collection('c').findOne({}, {raw: true})) as unknown as Uint8Array).toString(
        'hex',
      );
    const before = await bytes();
    const {x} = await at.rows();
    const oid = new ObjectId();
    const set = {
      a: {value: 2},
      gone: {remove: true as const},
      'map.id': {value: 'new'},
      z: {value: new Time(5000)},
      o: {value: new Other('objectId', oid.toHexString())},
      l: {value: ['p', 1]},
    };
    const updated = (await at.apply(alone({...existing(x!), op: 'update', set})))[0]![0];
    expect(updated!.result).toBe('applied');
    const raw = (await at.db.collection('c').findOne({}, {promoteValues: false}))!;
    expect(raw.a).toEqual(new Double(2));
    expect(raw).toMatchObject({map: {id: 'new'}, z: new Date(5), l: ['p', new Int32(1)]});
    expect(raw.o.equals(oid)).toBe(true);
    expect('gone' in raw).toBe(false);
    const {after} = updated as Outcome & {result: 'applied'};
    const undo: Change = {
      table: 'c',
      identity: after!.identity,
      version: after!.version,
      image: after!.image,
      op: 'update',
      to: x!.image!,
    };
    expect(results(await at.apply(alone(undo)))).toEqual([['applied']]);
    expect(await bytes()).toBe(before);
  });

  test.each([
    ['another type of the same number', {a: new Double(1)}],
    ['null in place of nothing', {b: null}],
    ['an array that holds the value', {s: ['text']}],
    ['a field that nobody planned for', {new: 1}],
    ['another order in a document', {d: {y: 2, x: 1}}],
  ])('is skipped when the row has %s by now', async (_, poked) => {
    await at.fill([{_id: 'x' as never, a: new Int32(1), s: 'text', d: {x: 1, y: 2}}]);
    const {x} = await at.rows();
    await at.db.collection('c').updateOne({}, {$set: poked});
    const after = await at.db.collection('c').findOne({}, {promoteValues: false});
    const update: Change = {...existing(x!), op: 'update', set: {a: {value: 7}, b: {value: 8}}};
    expect(results(await at.apply(alone(remove(x!)), alone(update)))).toEqual([['changed'], ['changed']]);
    expect(await at.db.collection('c').findOne({}, {promoteValues: false})).toEqual(after);
  });

  test('a dotted name that leads into something else than a document fails alone', async () => {
    await at.fill([{_id: 'x' as never, map: 'text'}, {_id: 'y' as never}]);
    const {x, y} = await at.rows();
    const set = {'map.id': {value: 'new'}};
    const outcomes = await at.apply(
      alone({...existing(x!), op: 'update', set}),
      alone({...existing(y!), op: 'update', set}),
    );
    expect(results(outcomes)).toEqual([['failed'], ['applied']]);
    expect(await at.db.collection('c').findOne({_id: 'y' as never})).toEqual({_id: 'y', map: {id: 'new'}});
  });

  test('a partner that has come since the plan stops the change', async () => {
    await at.fill([
      {_id: 'x' as never, owner: '65f0a1b2c3d4e5f60718293a'},
      {_id: 'y' as never, owner: 'other'},
    ]);
    const requests = at.db.collection('requests');
    await requests.drop().catch(() => {});
    const {x, y} = await at.rows();
    await requests.insertOne({who: new ObjectId('65f0a1b2c3d4e5f60718293a'), open: true});
    const still = {
      no: {
        partner: {
          table: 'requests',
          on: [[{attr: 'owner'}, {attr: 'who'}]] as [{attr: string}, {attr: string}][],
          where: {in: [true], of: {attr: 'open'}},
        },
      },
    };
    expect(results(await at.apply(alone({...remove(x!), still}), alone({...remove(y!), still})))).toEqual([
      ['no-longer'],
      ['applied'],
    ]);
  });

  test('references are not repointed to a keeper that is gone', async () => {
    await at.fill([
      {_id: 'a' as never, g: 'g', at: 1},
      {_id: 'b' as never, g: 'g', at: 2},
      {_id: 'k' as never, g: 'g', at: 3},
      {_id: 'account' as never, session: 'a'},
    ]);
    const {a, b, k, account} = await at.rows();
    await at.db.collection('c').deleteOne({_id: 'k' as never});
    await at.db.createCollection('accounts').catch(() => {});
    const repoint: Change = {
      ...existing(account!),
      table: 'accounts',
      op: 'update',
      set: {session: {value: 'k'}},
      required: true,
    };
    const [outcome] = results(await at.apply(group(latest, k!, [remove(a!), remove(b!), repoint])));
    expect(outcome!.slice(0, 2).every(result => result !== 'applied')).toBe(true);
    expect(await at.ids()).toEqual(['a', 'account', 'b']);
  });

  test('the last row of a group stays', async () => {
    await at.fill([{_id: 'a' as never, g: 'g'}]);
    const {a} = await at.rows();
    const leave: Change = {...existing(a!), op: 'update', set: {g: {value: 'other'}}};
    expect(results(await at.apply(group(first, a!, [remove(a!)]), group(first, a!, [leave])))).toEqual([
      ['last-of-group'],
      ['last-of-group'],
    ]);
    const stay: Change = {...existing(a!), op: 'update', set: {protected: {value: true}}};
    expect(results(await at.apply(group(first, a!, [stay])))).toEqual([['applied']]);
  });

  test('a read-only store refuses before it connects', async () => {
    const readOnly = openTestConnector(server.url, at.database, {readOnly: true});
    await expect(readOnly.apply([], {decideKeeper})).rejects.toMatchObject({code: 'read-only'});
    await readOnly.close();
  });

  describe('over a connection that fails', () => {
    const through = async (
      work: (proxy: Awaited<ReturnType<typeof startProxy>>, connector: Connector) => Promise<void>,
    ) => {
      const proxy = await startProxy(server.url);
      const connector = openTestConnector(proxy.url, at.database);
      try {
        await work(proxy, connector);
      } finally {
        await connector.close();
        await proxy.stop();
      }
    };
    const update = (row: Row): Change => ({
      ...existing(row),
      op: 'update',
      set: {n: {value: 2}, m: {now: true}},
    });

    /** Removes `a`, changes `b` and inserts `n`; each time what is named is lost once. */
    const lossy = async (commands: [string, string, string], what: 'answer' | 'request', result: string) => {
      await at.fill([
        {_id: 'a' as never, n: 1},
        {_id: 'b' as never, n: 1},
      ]);
      await through(async (proxy, connector) => {
        const {a, b} = await at.rows(connector);
        const insert: Change = {
          op: 'insert',
          table: 'c',
          identity: {by: 'key', at: {_id: 'n'}},
          version: null,
          from: b!.image!,
          set: {},
        };
        for (const [index, change] of [remove(a!), update(b!), insert].entries()) {
          proxy.lose(commands[index]!, what);
          expect(results(await connector.apply([alone(change)], {decideKeeper}))).toEqual([[result]]);
          expect(proxy.hasLost()).toBe(true);
        }
      });
      expect(await at.ids()).toEqual(result === 'applied' ? ['b', 'n'] : ['a', 'b']);
      expect((await at.db.collection('c').findOne({_id: 'b' as never}))!.n).toBe(
        result === 'applied' ? 2 : 1,
      );
    };

    test.each([
      ['answer', 'applied'],
      ['request', 'failed'],
    ] as const)(
      'a write whose %s is lost is %s, as reading shows; a transaction is repeated',
      async (what, result) => {
        const {transactions} = at.connector.capabilities;
        await lossy(['findAndModify', 'findAndModify', 'insert'], what, transactions ? 'applied' : result);
        const commit = 'commitTransaction';
        if (transactions) await lossy([commit, commit, commit], what, 'applied');
      },
    );

    test('it connects again', async () => {
      await at.fill([{_id: 'a' as never}]);
      await through(async (proxy, connector) => {
        expect(Object.keys(await at.rows(connector))).toEqual(['a']);
        proxy.cut();
        await expect.poll(() => at.rows(connector).then(Object.keys, () => [])).toEqual(['a']);
      });
    });
  });
});

describe('errors', () => {
  test('name a server that is not there, without the password', async () => {
    const connector = openTestConnector(
      'mongodb://ann:canary-pw@127.0.0.1:1/?serverSelectionTimeoutMS=100',
      'x',
    );
    const error = await connector.now().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({code: 'unreachable'});
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('canary-pw');
    await connector.close();
  });

  test.each([
    'mongodb://ann:canary-pw@/',
    'mongodb://ann:canary-pw@host/?nonesuch=1',
    'mongodb://ann:can@ary-pw@host:port',
  ])('say that a url is wrong: %s', async url => {
    const connector = openTestConnector(url, 'x');
    const error = await connector.now().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({code: 'config'});
    expect(String((error as Error).stack)).not.toMatch(/canary-pw|ary-pw/);
    await connector.close();
  });
});

describe('writing in transactions', () => {
  let replica: Replica;
  let at: Place;
  beforeAll(async () => {
    replica = await startReplica();
    at = await place(replica.url);
    await at.connector.server();
  });
  afterAll(async () => {
    await at?.close();
    await replica?.stop();
  });
  beforeEach(async () => {
    replica.before = async () => {};
    Object.assign(replica.counts, {committed: 0, aborted: 0, conflicts: 0});
    await at.fill([
      {_id: 'a' as never, g: 'g', at: 1},
      {_id: 'b' as never, g: 'g', at: 2},
      {_id: 'x' as never, at: 9},
    ]);
  });

  test('are used where the server has them, one a unit', async () => {
    expect(at.connector.capabilities.transactions).toBe(true);
    const {a, b, x} = await at.rows();
    const update: Change = {...existing(x!), op: 'update', set: {at: {value: 10}}};
    const concerns: [string, unknown][] = [];
    replica.before = async (verb, command) => {
      if (command.autocommit === false) concerns.push([verb, command.writeConcern]);
    };
    expect(results(await at.apply(group(latest, b!, [remove(a!)]), alone(update)))).toEqual([
      ['applied'],
      ['applied'],
    ]);
    expect(replica.counts).toEqual({committed: 2, aborted: 0, conflicts: 0});
    expect(await at.ids()).toEqual(['b', 'x']);
    expect((await at.rows()).b!.version).toBe(b!.version);
    // MongoDB refuses a write concern on anything in a transaction but its commit.
    for (const [verb, concern] of concerns)
      if (verb === 'commitTransaction') expect(concern).toMatchObject({w: 'majority'});
      else expect(concern).toBeUndefined();
  });

  test('two operators with opposite rules conflict on the keeper, and a row stays', async () => {
    const {a, b} = await at.rows();
    const other = openTestConnector(replica.url, at.database);
    await other.server();
    // Both read before either commits.
    let waiting: (() => void)[] = [];
    replica.before = async verb => {
      if (verb !== 'commitTransaction' || replica.counts.committed > 0) return;
      await new Promise<void>(resolve => {
        waiting.push(resolve);
        if (waiting.length === 2) for (const go of waiting) go();
      });
      waiting = [];
    };
    const [mine, theirs] = await Promise.all([
      at.apply(group(first, a!, [remove(b!)])),
      other.apply([group(latest, b!, [remove(a!)])], {decideKeeper}),
    ]);
    expect([...results(mine), ...results(theirs)].flat().sort()).toEqual(['applied', 'last-of-group']);
    expect(replica.counts.conflicts).toBe(1);
    expect((await at.ids()).length).toBe(2);
    await other.close();
  });

  test('a commit whose answer was lost, and no server found to ask again, is looked up and not made again', async () => {
    const proxy = await startProxy(replica.url);
    const connector = openTestConnector(proxy.url, at.database, {timeoutMs: 300});
    try {
      const {a} = await at.rows(connector);
      proxy.lose('commitTransaction', 'answer');
      let silence: Promise<unknown> | null = null;
      replica.before = async verb => {
        if (!proxy.hasLost() || !['hello', 'ismaster'].includes(verb)) return;
        // Longer than the client looks for a server.
        silence ??= wait(400);
        await silence;
      };
      expect(results(await connector.apply([alone(remove(a!))], {decideKeeper}))).toEqual([['applied']]);
      expect(silence).not.toBeNull();
      expect(replica.counts.committed).toBe(1);
      expect(await at.ids()).toEqual(['b', 'x']);
    } finally {
      await connector.close();
      await proxy.stop();
    }
  });

  test('a server that falls silent in the middle of a transaction is waited for', async () => {
    const connector = openTestConnector(`${replica.url}/?heartbeatFrequencyMS=500`, at.database);
    try {
      const {a} = await at.rows(connector);
      let answers = () => {};
      let silence: Promise<void> | null = null;
      let asked = 0;
      replica.before = async (verb, command) => {
        if (command.autocommit === false && verb === 'findAndModify')
          silence ??= new Promise(resolve => {
            answers = resolve;
          });
        // The client asks anew when it has given up the connection by which it asked first.
        else if (!silence || !['hello', 'ismaster'].includes(verb) || ++asked > 1) return answers();
        await silence;
      };
      expect(results(await connector.apply([alone(remove(a!))], {decideKeeper}))).toEqual([['applied']]);
      expect(asked).toBeGreaterThan(1);
      expect(await at.ids()).toEqual(['b', 'x']);
    } finally {
      await connector.close();
    }
  });

  test('someone else who writes meanwhile is not overwritten', async () => {
    const {x} = await at.rows();
    let poked = false;
    replica.before = async (verb, command) => {
      if (verb !== 'findAndModify' || command.autocommit !== false || poked) return;
      poked = true;
      await at.db.collection('c').updateOne({_id: 'x' as never}, {$set: {at: 'theirs'}});
    };
    expect(results(await at.apply(alone(remove(x!))))).toEqual([['changed']]);
    expect(replica.counts.conflicts).toBe(1);
    expect((await at.db.collection('c').findOne({_id: 'x' as never}))!.at).toBe('theirs');
  });
});

describe.each([
  {name: 'a stand-in as a replica set', start: startReplica},
  ...mongodbServers().filter(({name}) => name === 'MongoDB 6'),
])('a unit in a transaction on $name', ({start}) => {
  let server: MongodbServer;
  let at: Place;
  beforeAll(async () => {
    server = await start();
    at = await place(server.url);
    await at.connector.server();
    await at.fill([
      {_id: 'a' as never, g: 'g', at: 1},
      {_id: 'b' as never, g: 'g', at: 2},
      {_id: 'x' as never, at: 9},
    ]);
  });
  afterAll(async () => {
    await at?.close();
    await server?.stop();
  });

  test('a change that fails is left out, unless it is required: then nothing is made', async () => {
    const {a, x} = await at.rows();
    // The _id is taken by the time of the insert, though not in the rows that were read.
    const insert: Change = {
      op: 'insert',
      table: 'c',
      identity: {by: 'key', at: {}},
      version: null,
      from: x!.image!,
      set: {_id: {value: 'b'}},
    };
    expect(results(await at.apply(alone(remove(a!), insert)))).toEqual([['applied', 'exists']]);
    expect(await at.ids()).toEqual(['b', 'x']);
    expect(results(await at.apply(alone(remove(x!), {...insert, required: true})))).toEqual([
      ['exists', 'exists'],
    ]);
    expect(await at.ids()).toEqual(['b', 'x']);
  });
});

test('a write has a time limit and is acknowledged by a majority; none changes several documents', async () => {
  const replica = await startReplica({standalone: true});
  const at = await place(replica.url);
  await at.fill([
    {_id: 'a' as never, g: 'g'},
    {_id: 'b' as never, g: 'g'},
  ]);
  const commands: [string, Record<string, unknown>][] = [];
  replica.before = async (verb, command) => {
    if (command.$db === at.database) commands.push([verb, command]);
  };
  const {a, b} = await at.rows();
  const insert: Change = {
    op: 'insert',
    table: 'c',
    identity: {by: 'key', at: {_id: 'n'}},
    version: null,
    from: b!.image!,
    set: {},
  };
  await at.apply(
    group(first, a!, [remove(b!), {...existing(a!), op: 'update', set: {n: {value: 1}}}, insert]),
  );
  const form: Form = {
    form: 'groups',
    from: 'c',
    where: {all: []},
    key: [{attr: 'g'}],
    having: {several: [{min: 2}]},
    show: [],
    tags: {},
  };
  await at.connector.survey(form, {now: 0, offset: 0, limit: 5});
  replica.before = async () => {};
  const verbs = new Set(commands.map(([verb]) => verb));
  expect(['update', 'delete', 'bulkWrite'].filter(verb => verbs.has(verb))).toEqual([]);
  expect(['aggregate', 'find', 'findAndModify', 'insert'].filter(verb => !verbs.has(verb))).toEqual([]);
  expect(
    commands.filter(([, command]) => Number(command.maxTimeMS ?? 0) === 0).map(([verb]) => verb),
  ).toEqual([]);
  const writes = commands.filter(([verb]) => verb === 'findAndModify' || verb === 'insert');
  expect(writes.map(([, {writeConcern}]) => writeConcern)).toEqual(
    writes.map(() => expect.objectContaining({w: 'majority'})),
  );
  await at.close();
  await replica.stop();
});

test('without transactions, whoever removes the last row of a group puts it back', async () => {
  const replica = await startReplica({standalone: true});
  const at = await place(replica.url);
  await at.fill([
    {_id: 'a' as never, g: 'g', at: 1},
    {_id: 'b' as never, g: 'g', at: 2},
  ]);
  const {a, b} = await at.rows();
  const other = openTestConnector(replica.url, at.database);
  const waiting: (() => void)[] = [];
  // Each has seen the other's keeper before either removes it.
  replica.before = verb =>
    new Promise(resolve => {
      if (verb !== 'findAndModify') return resolve();
      waiting.push(resolve);
      if (waiting.length === 2) for (const go of waiting) go();
    });
  const outcomes = await Promise.all([
    at.apply(group(first, a!, [remove(b!)])),
    other.apply([group(latest, b!, [remove(a!)])], {decideKeeper}),
  ]);
  expect(outcomes.flatMap(results).flat()).toContain('last-of-group');
  const left = Object.values(await at.rows());
  expect(left.length).toBe(
    outcomes
      .flatMap(results)
      .flat()
      .filter(result => result === 'last-of-group').length,
  );
  for (const row of left) expect([a!.version, b!.version]).toContain(row.version);
  await other.close();
  await at.close();
  await replica.stop();
});
