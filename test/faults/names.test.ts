/**
 * Names and words that mean something to a store or to JavaScript are data (S18), and texts that look alike are
 * different where the database says so (S20): in PostgreSQL, MongoDB and DynamoDB Local, by their raw contents.
 */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MongoClient} from 'mongodb';
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {stringify} from 'yaml';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {canonicalJson} from '../../source/connector.js';
import {openEngine} from '../../source/engine/engine.js';
import type {Selection} from '../../source/types.js';
import {cliJson, temporaryDirectory} from '../support/cli.js';
import {dumpMongodb, dumpPostgres} from '../support/dumps.js';
import {dynamodbServers, makeTable, rawClient, scanTable} from '../support/dynamodb.js';
import {startServer} from '../support/postgres.js';
import {type DocumentServer, documentServers} from './document-servers.js';
import {record} from './record.js';

vi.setConfig({testTimeout: 180_000});

const composed = 'Zoë@gym.example'.normalize('NFC');
const decomposed = composed.normalize('NFD');
/** Looks like the first letter of another alphabet, or of another width. */
const lookalikes = ['аnn', 'ann', 'ａnn', 'ann\u200b', 'Ann', 'ann '];

const names = [
  composed,
  decomposed,
  ...lookalikes,
  '{"$ne":1}',
  '$where',
  '__proto__',
  'constructor',
  "a'; drop table names; --",
];
/** Two rows for each name; ids differ by their form as well. */
const rows = names.flatMap((name, index) => [
  {id: `${index} ${composed}`, customer: name},
  {id: `${index} ${decomposed}`, customer: name},
]);

const words = [
  '{"$gt":""}',
  '{"$ne":null}',
  '$ne',
  '[{"$ne":1}]',
  '*',
  '%',
  "' or '1'='1",
  'prototype',
  'toString',
  'Zoe@gym.example',
];

type Server = {name: string; store: object; dump(): Promise<string[]>; stop(): Promise<unknown>};
type Run = {run: string | null; planned: number; applied: number; changes: {key: Record<string, string>}[]};
type Checked = {
  checks: {
    status: string;
    total: number;
    findings: {id: string; group: string; rows: {key: Record<string, string>}[]}[];
  }[];
};

const check = {check: 'duplicates', table: 'names', groupBy: ['customer'], keep: 'first'};
const environment = {AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local'};

const postgres = async (): Promise<Server> => {
  const server = await startServer();
  const client = new pg.Client({connectionString: server.url});
  await client.connect();
  await client.query(
    'create table names (id text primary key, customer text, "__proto__" text, "constructor" jsonb)',
  );
  for (const {id, customer} of rows)
    await client.query('insert into names values ($1, $2, $3, $4)', [
      id,
      customer,
      'p',
      '{"__proto__": {"a": 1}, "constructor": 2}',
    ]);
  await client.end();
  return {
    name: 'PostgreSQL 15',
    store: {kind: 'postgres', url: server.url, checks: [check]},
    dump: () => dumpPostgres(server.url, 'names'),
    stop: () => server.stop(),
  };
};

const mongodb = async ({name, start}: DocumentServer): Promise<Server> => {
  const server = await start();
  const client = new MongoClient(server.url);
  const inner = new Map<string, unknown>([
    ['__proto__', 1],
    ['constructor', new Map([['prototype', 'x']])],
  ]);
  await client
    .db('support')
    .collection('names')
    .insertMany(
      rows.map(
        ({id, customer}) =>
          new Map<string, unknown>([
            ['_id', id],
            ['customer', customer],
            ['inner', inner],
            ['__proto__', 'p'],
            ['constructor', 'c'],
          ]) as never,
      ),
    );
  await client.close();
  return {
    name,
    store: {kind: 'mongodb', url: server.url, database: 'support', checks: [check]},
    dump: () => dumpMongodb(server.url, 'support', 'names'),
    stop: () => server.stop(),
  };
};

const dynamodb = async (): Promise<Server> => {
  const server = await dynamodbServers()
    .find(({name}) => name === 'DynamoDB Local')!
    .start();
  const client = rawClient(server.endpoint);
  await makeTable(
    client,
    'names',
    {id: 'S'},
    rows.map(({id, customer}) => ({
      id: {S: id},
      customer: {S: customer},
      constructor: {S: 'c'},
      $where: {M: {$ne: {N: '1'}}},
    })),
  );
  return {
    name: 'DynamoDB Local',
    store: {kind: 'dynamodb', region: 'eu-west-1', endpoint: server.endpoint, checks: [check]},
    dump: async () => (await scanTable(client, 'names')).map(item => canonicalJson(item as never)).sort(),
    stop: () => server.stop(),
  };
};

describe.each([
  ['PostgreSQL', postgres],
  ...documentServers.map(kind => [kind.name, () => mongodb(kind)] as const),
  ['DynamoDB Local', dynamodb],
] satisfies (readonly [string, () => Promise<Server>])[])('%s', (_name, start) => {
  let server: Server;
  let base: string[];
  let directory: string;

  const json = async <T>(args: string[]): Promise<T> =>
    (await cliJson<T>([...base, ...args], {env: environment})).json;
  const clean = (...args: string[]): Promise<Run> =>
    json<Run>(['clean', 's/duplicates', '--action', 'keep-first', ...args]);
  const configOf = async (store: object, file: string): Promise<string[]> => {
    await writeFile(join(directory, file), stringify({environment: 'test', stores: {s: store}}));
    return ['--config', join(directory, file), '--state-dir', join(directory, 'state')];
  };

  beforeAll(async () => {
    server = await start();
    directory = await temporaryDirectory();
    base = await configOf(server.store, 'sesstui.yaml');
  });
  afterAll(() => server?.stop());

  test('each name is a group of its own, to the last code point', async () => {
    const {checks} = await json<Checked>(['check']);
    const {findings} = checks[0]!;
    expect(findings.map(({group}) => group).sort()).toEqual([...names].sort());
    expect(new Set(findings.map(({id}) => id)).size).toBe(names.length);
    expect(findings.flatMap(finding => finding.rows.map(({key}) => Object.values(key)[0])).sort()).toEqual(
      rows.map(({id}) => id).sort(),
    );
    record({
      requirement: 'S20',
      fault: 'NFC, NFD and look-alikes as groups and ids',
      server: server.name,
      rounds: names.length,
      violations: 0,
    });
  });

  test('--group, --id and --customer take what they name and nothing that looks like it', async () => {
    const engine = openEngine(configFromObject({environment: 'test', stores: {s: server.store}}).config, {
      stateDirectory: join(directory, 'state'),
      open: openConnector,
    });
    const keys = async (selection: Selection): Promise<unknown[]> => {
      const {changes} = await engine.plan('s/duplicates', 'keep-first', selection);
      return changes.map(({key}) => Object.values(key)[0]);
    };
    for (const [index, name] of names.entries()) {
      // The lower of the two keys stays.
      const goes = [composed, decomposed].map(form => `${index} ${form}`).sort()[1]!;
      expect([name, await keys({groups: [name]})]).toEqual([name, [goes]]);
      expect([name, await keys({customer: name})]).toEqual([name, [goes]]);
      expect([name, await keys({ids: [goes]})]).toEqual([name, [goes]]);
      expect([name, await keys({ids: [`${index} ${composed}`]})]).toEqual([
        name,
        goes.endsWith(composed) ? [goes] : [],
      ]);
    }
    for (const word of words)
      for (const selection of [{groups: [word]}, {ids: [word]}, {customer: word}])
        expect([selection, await keys(selection)]).toEqual([selection, []]);
    await engine.close();
    expect((await clean('--group={"$ne":null}')).planned).toBe(0);
    expect((await clean('--id={"$gt":""}')).planned).toBe(0);
    expect((await clean(`--customer=${decomposed}`)).planned).toBe(1);
    record({
      requirement: 'S18 S20',
      fault: 'operators and look-alikes as --group, --id and --customer',
      server: server.name,
      rounds: 4 * names.length + 3 * words.length,
      violations: 0,
    });
  });

  test('a run changes the one that was named, and its undo puts back every byte', async () => {
    const before = await server.dump();
    expect(before.length).toBe(rows.length);
    const named = await clean(`--group=${composed}`, '--yes');
    expect(named).toMatchObject({planned: 1, applied: 1});
    const after = await server.dump();
    expect(before.filter(row => !after.includes(row)).length).toBe(1);
    expect(after.filter(row => !before.includes(row))).toEqual([]);
    const all = await clean('--yes');
    expect(all).toMatchObject({planned: names.length - 1, applied: names.length - 1});
    for (const {run} of [all, named])
      expect(await json<Run>(['undo', run!, '--yes'])).toMatchObject({
        applied: run === named.run ? 1 : names.length - 1,
      });
    expect(await server.dump()).toEqual(before);
    record({
      requirement: 'S18 S20',
      fault: 'rows with __proto__ and operators: run and undo',
      server: server.name,
      rounds: 2,
      violations: 0,
    });
  });

  test('names in the configuration are names', async () => {
    const before = await server.dump();
    const odd = ['a"; drop table names; --', '$where', '{"$ne":1}', 'toString', 'a.$b', 'a..b'];
    for (const word of odd) {
      const checks = [
        {...check, table: word},
        {...check, name: 'b', groupBy: [word]},
      ];
      const args = await configOf({...server.store, checks}, 'wrong.yaml');
      const {code, json: told} = await cliJson<{checks: {status: string; total: number; error?: object}[]}>(
        [...args, 'check'],
        {env: environment},
      );
      expect([0, 1, 3]).toContain(code);
      for (const {status, error} of told.checks)
        if (status === 'error')
          expect([word, error]).toEqual([
            word,
            expect.objectContaining({code: expect.stringMatching(/^(?:not-found|config)$/)}),
          ]);
    }
    expect(await server.dump()).toEqual(before);
    record({
      requirement: 'S18',
      fault: 'operators, SQL and prototypes as names in the configuration',
      server: server.name,
      rounds: odd.length * 2,
      violations: 0,
    });
  });
});
