/**
 * Read-only, at every level (safety S12): whatever the command and whatever is confirmed, the databases see no write,
 * and the program says why and what to do. The control beside each shows that the same command does write when it may.
 */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {Session} from '../../connectors/postgres/session.js';
import {commands} from '../../source/commands/registry.js';
import type {StoreConfig} from '../../source/config/schema.js';
import {SesstuiError} from '../../source/errors.js';
import {dynamodbServers, makeTable, rawClient, scanTable} from '../support/dynamodb.js';
import {startMongod} from '../support/mongod.js';
import {record} from './record.js';
import {
  type Calls,
  configured,
  type ErrorJson,
  engineOn,
  openStage,
  type RunJson,
  type Stage,
} from './stage.js';
import {readingDynamodb, readingMongodb, type Tap, tapDynamodb, tapMongodb, tapPostgres} from './tapped.js';

let stage: Stage;
let postgres: Tap;
let mongod: {url: string; stop: () => Promise<void>};
let local: {endpoint: string; stop: () => Promise<void>};
let mongodb: Tap;
let dynamodb: Tap;

const portOf = (url: string): number => Number(new URL(url).port);

beforeAll(async () => {
  stage = await openStage();
  // Vacuum and analyse write of their own accord.
  await stage.sql('alter system set autovacuum = off');
  await stage.sql('select pg_reload_conf()');
  postgres = await tapPostgres(portOf(stage.url));
  mongod = await startMongod();
  local = await dynamodbServers()
    .find(({name}) => name === 'DynamoDB Local')!
    .start();
  mongodb = await tapMongodb(portOf(mongod.url));
  dynamodb = await tapDynamodb(portOf(local.endpoint));
}, 180_000);
afterAll(async () => {
  await Promise.all([postgres?.stop(), mongodb?.stop(), dynamodb?.stop()]);
  await Promise.all([stage?.close(), mongod?.stop(), local?.stop()]);
});

const account = (id: string, at: number) => ({id: {S: id}, account: {S: 'a'}, at: {N: String(at)}});

const fill = async (): Promise<void> => {
  await stage.sql(`drop schema public cascade; create schema public; create sequence numbers;
    create table sessions (id int primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id int primary key, customer_id text, session_id int, status text, created_at timestamptz, updated_at timestamptz);
    insert into sessions select g, 'c' || g, 'waiting', now() - interval '1 hour', null from generate_series(1, 4) g;
    create table devices (id int primary key, email text, session_type text, protected bool, fingerprint text, expires_at timestamptz, updated_at timestamptz, created_at timestamptz);
    insert into devices values (1, 'a@b', 'device', false, 'x', now() - interval '1 day', now(), now())`);
  const client = new MongoClient(mongod.url);
  const calls = client.db('support').collection<{_id: number; sessionId: string | null}>('calls');
  await calls.deleteMany({});
  await calls.insertMany([1, 2, 3].map(_id => ({_id, sessionId: null})));
  await client.close();
  await makeTable(rawClient(local.endpoint), 'accounts', {id: 'S'}, [account('1', 1), account('2', 2)]);
};

const through = (url: string, {port}: Tap): string => {
  const other = new URL(url);
  other.port = String(port);
  return other.href;
};

const stores = () => ({
  rides: {
    kind: 'postgres',
    url: through(stage.url, postgres),
    checks: [{check: 'stale-sessions'}, {check: 'device-sessions', table: 'devices'}],
  },
  chat: {
    kind: 'mongodb',
    url: through(mongod.url, mongodb),
    database: 'support',
    checks: [{check: 'null-ids', table: 'calls'}],
  },
  kite: {
    kind: 'dynamodb',
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${dynamodb.port}`,
    checks: [{check: 'duplicates', table: 'accounts', groupBy: ['account'], latestBy: ['at']}],
  },
});

/** Everything that is in the three stores, and the number of the next transaction that writes. */
const state = async () => {
  const dump = async (table: string) =>
    (await stage.sql(`select (t.*)::text as row from ${table} t order by 1`)).rows;
  const client = new MongoClient(mongod.url);
  const calls = await client.db('support').collection('calls').find({}).sort({_id: 1}).toArray();
  await client.close();
  const {rows} = await stage.sql('select pg_snapshot_xmax(pg_current_snapshot())::text as next');
  return {
    // Any write at all, of a function or to a table of the system, would take a number.
    next: (rows[0] as {next: string}).next,
    postgres: [await dump('sessions'), await dump('session_requests'), await dump('devices')],
    mongodb: calls,
    dynamodb: (await scanTable(rawClient(local.endpoint), 'accounts'))
      .map(item => JSON.stringify(item))
      .sort(),
  };
};

/** Words of SQL without what is quoted. */
const bare = (text: string): string => text.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, "''");
const writes = (text: string): boolean =>
  /\b(?:insert|update|delete|merge|truncate|copy|create|alter|drop|grant|nextval|setval|read write)\b/i.test(
    bare(text).replaceAll(/for update/gi, ''),
  );

type Seen = {postgres: number; mongodb: number; dynamodb: number};
const mark = (): Seen => ({
  postgres: postgres.commands.length,
  mongodb: mongodb.commands.length,
  dynamodb: dynamodb.commands.length,
});
const written = (since: Seen) => ({
  postgres: postgres.commands.slice(since.postgres).filter(writes),
  mongodb: mongodb.commands.slice(since.mongodb).filter(name => !readingMongodb.has(name)),
  dynamodb: dynamodb.commands.slice(since.dynamodb).filter(name => !readingDynamodb.has(name)),
});
const nothing = {postgres: [], mongodb: [], dynamodb: []};

/** One of each store's runs, to be taken back. */
const runsOf = async (calls: Calls): Promise<string[]> => {
  const {json} = await calls.json<{runs: RunJson[]}>(['clean', '--all', '--yes']);
  return json.runs.flatMap(({run}) => (run === null ? [] : [run]));
};

/** Runs that look as if they had ended just after they began. */
const interruptedOf = async (calls: Calls): Promise<string[]> => {
  const runs = await runsOf(calls);
  for (const run of runs) {
    const journal = join(calls.directory, 'state', 'runs', run, 'journal.jsonl');
    const lines = (await readFile(journal, 'utf8'))
      .split('\n')
      .filter(line => line.includes('"event":"begin"'));
    expect(lines).toHaveLength(1);
    await writeFile(journal, `${lines[0]}\n`);
  }
  return runs;
};

/** How each command that can write is called; one that the program has and this doesn't fails the suite. */
const callsOf = (runs: string[], interrupted: string[], plan: string): Record<string, string[][]> => ({
  clean: [
    ['clean', 'rides/stale-sessions', '--action', 'cancel'],
    ['clean', 'rides/device-sessions', '--action', 'logout', '--id', '1'],
    ['clean', 'chat/null-ids', '--action', 'assign-ids'],
    ['clean', 'kite/duplicates', '--action', 'keep-latest'],
    ['clean', 'kite/duplicates', '--action', 'purge', '--confirm', 'accounts:2'],
    ['clean', '--all'],
  ],
  customer: [['customer', 'c1', '--clean']],
  undo: runs.map(run => ['undo', run]),
  resume: interrupted.map(run => ['resume', run]),
  apply: [['apply', plan]],
  watch: [['watch', '--clean']],
  guards: [
    ['guards', 'install', 'rides/stale-sessions'],
    ['guards', 'uninstall', 'rides/stale-sessions'],
    ['guards', 'test', 'rides/stale-sessions'],
  ],
});
const writing = commands.filter(({flags}) => flags.includes('yes')).map(({name}) => name);
const reading = [['check'], ['health'], ['customer', 'c1'], ['history'], ['history', '--verify']];

beforeEach(fill);

/** `brief`: one call of each command, because another mode has them all. */
type Mode = {how: string; config: object; flags: string[]; code: string; words: RegExp; brief?: true};
const wrong: Mode[] = [
  {
    how: '--read-only',
    config: {environment: 'test'},
    flags: ['--read-only'],
    code: 'read-only',
    words: /--read-only/,
  },
  {
    how: '--read-only over readOnly: false',
    config: {environment: 'production', readOnly: false},
    flags: ['--read-only', '--confirm', 'production'],
    code: 'read-only',
    words: /--read-only/,
    brief: true,
  },
  {
    how: 'readOnly: true, confirmed',
    config: {environment: 'production', readOnly: true},
    flags: ['--confirm', 'production'],
    code: 'read-only',
    words: /readOnly: true/,
  },
  {
    how: 'production by default',
    config: {environment: 'production'},
    flags: [],
    code: 'confirmation',
    words: /--confirm production/,
  },
  {
    how: 'no environment at all',
    config: {},
    flags: [],
    code: 'confirmation',
    words: /--confirm unset/,
    brief: true,
  },
];

describe('no command writes', () => {
  test.each(wrong)('$how', async ({how, config, flags, code, words, brief}) => {
    const limits = {share: 1};
    const open = await configured({environment: 'test', stores: stores()});
    const plan = join(open.directory, 'plan.json');
    // Plans as files come with `apply`.
    if (writing.includes('apply'))
      await open.json(['clean', 'rides/stale-sessions', '--action', 'cancel', '--out', plan]);
    const runs = await runsOf(open);
    expect(runs).toHaveLength(4);
    await fill();
    const interrupted = await interruptedOf(open);
    await fill();
    const closed = await configured({...config, limits, stores: stores()}, join(open.directory, 'state'));
    const table = callsOf(runs, interrupted, plan);
    const before = await state();
    const since = mark();
    let rounds = 0;
    for (const name of writing) {
      expect(Object.keys(table), `how is ${name} called?`).toContain(name);
      for (const call of table[name]!.slice(0, brief ? 1 : undefined)) {
        const {code: exit, stdout} = await closed.text([...call, '--yes', ...flags, '--json']);
        const {error, run} = JSON.parse(stdout) as ErrorJson & {run?: null};
        // No guard is there: with nothing to take away, nothing has to be confirmed.
        if (call[1] === 'uninstall' && code === 'confirmation') {
          expect([exit, run]).toEqual([0, null]);
          continue;
        }
        expect([exit, error.code], call.join(' ')).toEqual([2, code]);
        expect(`${error.message} ${error.hint}`).toMatch(words);
        rounds++;
      }
    }
    const dry = await closed.json<RunJson>([...table.clean![0]!, ...flags, '--yes', '--dry-run']);
    expect([dry.code, dry.json.run, dry.json.planned]).toEqual([0, null, 4]);
    for (const call of brief ? [] : reading)
      expect(
        (await closed.text([...call, ...flags.filter(flag => flag === '--read-only')])).code,
      ).toBeLessThan(2);
    expect(written(since)).toEqual(nothing);
    expect(await state()).toEqual(before);
    expect(mongodb.commands.length).toBeGreaterThan(since.mongodb);
    expect(dynamodb.commands.length).toBeGreaterThan(since.dynamodb);
    record({
      requirement: 'S12',
      fault: `every command with --yes under ${how}`,
      server: `${stage.name}, MongoDB 6, DynamoDB Local`,
      rounds,
      violations: 0,
    });
  });

  test('the same commands do write, and are seen, where they may', async () => {
    const open = await configured({environment: 'test', stores: stores()});
    const before = await state();
    const since = mark();
    const runs = await runsOf(open);
    const seen = written(since);
    expect(seen.postgres.some(text => text.includes('update '))).toBe(true);
    expect(seen.mongodb).toContain('findAndModify');
    expect(seen.dynamodb).toContain('TransactWriteItems');
    expect((await state()).next).not.toBe(before.next);
    for (const run of runs) expect((await open.json<RunJson>(['undo', run, '--yes'])).json.failed).toBe(0);
    const {next: _, ...after} = await state();
    const {next: __, ...first} = before;
    expect(after).toEqual(first);
  });

  test('the screen lists, plans and is refused', async () => {
    const engine = await engineOn({environment: 'test', readOnly: true, stores: stores()});
    const before = await state();
    const since = mark();
    expect(engine.readOnly).toBe(true);
    expect((await engine.sessions('rides/device-sessions', {offset: 0, limit: 10})).total).toBe(1);
    for (const {id, reasons} of engine.checks) {
      await engine.check(id);
      const plan = await engine.plan(id, reasons[0]!.actions[0]!, {});
      await expect(engine.run(plan, {confirmed: ['unset', 'test', 'production']})).rejects.toMatchObject({
        code: 'read-only',
      });
    }
    await engine.close();
    expect(written(since)).toEqual(nothing);
    expect(await state()).toEqual(before);
  });
});

describe('the session itself', () => {
  const settings = () => ({store: 'rides', environment: 'test', timeoutMs: 10_000, url: stage.url});

  test("a reader's session refuses a write, also where the program would ask for one", async () => {
    const session = new Session({...settings(), readOnly: true});
    const shown = await session.read(run =>
      run({
        text: 'select current_setting($1), current_setting($2)',
        values: ['default_transaction_read_only', 'transaction_read_only'],
      }),
    );
    expect(shown).toEqual([['on', 'on']]);
    const before = await state();
    for (const text of [
      'delete from sessions',
      'update sessions set status = $$gone$$',
      'insert into sessions (id) values (99)',
      'with gone as (delete from sessions returning id) select * from gone',
      'select nextval($$numbers$$)',
      'truncate sessions',
      'create table more (id int)',
      'select * from sessions for update',
    ]) {
      const write = (run: (statement: {text: string; values: unknown[]}) => Promise<unknown>) =>
        run({text, values: []});
      await expect(session.read(write), text).rejects.toBeInstanceOf(SesstuiError);
      const asked = session.withClient(async client => write(await session.beginWrite(client)));
      await expect(asked, text).rejects.toBeInstanceOf(SesstuiError);
    }
    // What a statement outside of a transaction would be.
    await expect(session.withClient(client => client.query('delete from sessions'))).rejects.toMatchObject({
      code: 'read-only',
    });
    await session.close();
    expect(await state()).toEqual(before);
  });

  test('a function of the database that a check calls can not write', async () => {
    await stage.sql(`create table trail (id int); create type tag as (n int);
      create function spell(tag) returns text language plpgsql as $$begin insert into trail values (1); return 'x'; end$$;
      create cast (tag as text) with function spell(tag);
      create table tagged (id int primary key, "sessionId" tag); insert into tagged values (1, row(1)), (2, row(1))`);
    const calls = await configured({
      environment: 'test',
      stores: {rides: {kind: 'postgres', url: stage.url, checks: [{check: 'null-ids', table: 'tagged'}]}},
    });
    const before = await state();
    const {code, json} = await calls.json<{checks: {error: {code: string; hint: string}}[]}>(['check']);
    expect([code, json.checks[0]!.error.code]).toEqual([3, 'read-only']);
    expect(json.checks[0]!.error.hint).toContain('function');
    expect((await stage.sql('select * from trail')).rows).toEqual([]);
    expect((await state()).next).toBe(before.next);
    record({
      requirement: 'S12',
      fault: 'a function that writes, called by a check',
      server: stage.name,
      rounds: 1,
      violations: 0,
    });
  });

  test.each(['rides', 'chat', 'kite'] as const)('%s, opened to read, has no way to write', async name => {
    const since = mark();
    const before = await state();
    const {checks: _, ...store} = stores()[name];
    const connector = await openConnector(
      name,
      {...store, timeout: '10s', checks: []} as unknown as StoreConfig,
      {
        environment: 'test',
        timeoutMs: 10_000,
        readOnly: true,
      },
    );
    await connector.server();
    await expect(
      connector.apply([{group: null, changes: []}], {decideKeeper: () => 0}),
    ).rejects.toMatchObject({
      code: 'read-only',
    });
    await connector.close();
    expect(written(since)).toEqual(nothing);
    expect(await state()).toEqual(before);
  });

  test('a standby, which can only be read, is checked and not written', async () => {
    await stage.sql('alter database postgres set default_transaction_read_only = on');
    const calls = await configured({environment: 'test', stores: {rides: stores().rides}});
    const {code} = await calls.text(['check']);
    expect(code).toBe(1);
    await stage.sql('set default_transaction_read_only = off');
    await stage.sql('alter database postgres reset default_transaction_read_only');
  });
});
