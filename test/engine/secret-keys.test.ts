/** Tables whose key, or whose groups, are secret: masked wherever people look, and still found, written and undone. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import pg from 'pg';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {openEngine} from '../../source/engine/engine.js';
import {temporaryDirectory} from '../support/cli.js';
import {dumpPostgres} from '../support/dumps.js';
import {type PostgresServer, startPglite} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;

beforeAll(async () => {
  server = await startPglite();
  client = new pg.Client({connectionString: server.url});
  await client.connect();
  await client.query(`create table logins (token text primary key, account text, cookie text);
    insert into logins select 'canary-' || i, 'acc-' || i / 2, 'canary-c' || i / 2 from generate_series(0, 5) i`);
});
afterAll(async () => {
  await client.end();
  await server.stop();
});

test('no finding, plan or plan file tells a secret key or group; --id and --group take them', async () => {
  const stateDirectory = await temporaryDirectory();
  const before = await dumpPostgres(server.url, 'logins');
  const {config} = configFromObject({
    environment: 'test',
    stores: {
      db: {
        kind: 'postgres',
        url: server.url,
        checks: [
          {check: 'duplicates', table: 'logins', groupBy: ['account']},
          {check: 'duplicates', name: 'cookies', table: 'logins', groupBy: ['cookie']},
        ],
      },
    },
  });
  const engine = openEngine(config, {stateDirectory, open: openConnector});
  const {findings} = await engine.check('db/cookies');
  expect(findings[0]!.group).toBe('••••');
  const shown = findings.map(({group, rows}) => [group, rows.map(({key, values}) => [key, values])]);
  expect(JSON.stringify(shown)).not.toContain('canary');
  expect((await engine.plan('db/cookies', 'keep-first', {groups: ['canary-c1']})).planned).toBe(1);
  const plan = await engine.plan('db/duplicates', 'keep-first', {ids: ['canary-1']});
  expect(plan.changes.map(({key}) => key)).toEqual([{token: '••••'}]);
  const file = join(stateDirectory, 'reviewed');
  await engine.writePlan(plan, file, null);
  const {run} = await engine.run(plan);
  const written = [file, join(stateDirectory, 'runs', run!, 'plan.jsonl')];
  const texts = await Promise.all(written.map(path => readFile(path, 'utf8')));
  // The reviewed plan holds what the user typed, and nothing else of a row.
  expect(texts[0]!.replace('"ids":["canary-1"]', '')).not.toContain('canary');
  expect(texts[1]).not.toContain('canary');
  await engine.run(await engine.planUndo(run!));
  expect(await dumpPostgres(server.url, 'logins')).toEqual(before);
  await engine.close();
});
