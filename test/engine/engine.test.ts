/** Plan, run and undo through the engine, on PostgreSQL, with another client writing in between. */
import {mkdirSync, renameSync} from 'node:fs';
import {appendFile, readdir, readFile, rename, rmdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import pg from 'pg';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {Backup} from '../../source/engine/disk/backup.js';
import {sealed, sha256} from '../../source/engine/disk/state-files.js';
import {verifyState} from '../../source/engine/disk/verify.js';
import {type EngineOptions, type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {SesstuiError} from '../../source/errors.js';
import {temporaryDirectory} from '../support/cli.js';
import {dumpPostgres} from '../support/dumps.js';
import {type PostgresServer, startPglite} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;
let stateDirectory: string;
const engines: FullEngine[] = [];

beforeAll(async () => {
  server = await startPglite();
  client = new pg.Client({connectionString: server.url});
  await client.connect();
});
afterAll(async () => {
  await Promise.all(engines.map(engine => engine.close()));
  await client.end();
  await server.stop();
});
beforeEach(async () => {
  stateDirectory = await temporaryDirectory();
  await client.query(`drop table if exists child, keys, sessions, session_requests cascade`);
  await client.query(`create table keys (id int primary key, account text, seen timestamptz, token text);
    insert into keys select i, 'acc-' || (i - 1) / 3, now() - i * interval '1 minute', 'secret-' || i from generate_series(1, 9) i;
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    insert into sessions select 's' || i, 'c' || i, 'waiting', now() - i * interval '20 minutes', now() from generate_series(0, 3) i`);
});

const open = (settings: object = {}, options: Partial<EngineOptions> = {}): FullEngine => {
  const {config} = configFromObject({
    environment: 'test',
    ...settings,
    stores: {
      db: {
        kind: 'postgres',
        url: server.url,
        checks: [
          {check: 'duplicates', table: 'keys', groupBy: ['account'], latestBy: ['seen']},
          {check: 'stale-sessions'},
        ],
      },
    },
  });
  const engine = openEngine(config, {stateDirectory, open: openConnector, ...options});
  engines.push(engine);
  return engine;
};

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: SesstuiError) => error.code,
  );

test('a row that changed between the plan and the run is skipped, not overwritten', async () => {
  const engine = open();
  const plan = await engine.plan('db/duplicates', 'keep-latest', {});
  expect(plan.planned).toBe(6);
  await client.query(`update keys set token = 'new' where id = 2; delete from keys where id = 3`);
  const result = await engine.run(plan);
  expect(result).toMatchObject({planned: 6, applied: 4, skipped: 2, failed: 0, unknown: 0});
  expect(
    result.changes.filter(change => change.result === 'skipped').map(change => [change.key.id, change.why]),
  ).toEqual([
    [2, 'changed'],
    [3, 'gone'],
  ]);
  expect((await client.query(`select token from keys where id = 2`)).rows).toEqual([{token: 'new'}]);
});

test('a session that got its request after the plan was made is not cancelled for being orphaned', async () => {
  const engine = open();
  const plan = await engine.plan('db/stale-sessions', 'cancel', {reasons: ['orphaned'], customer: 'c2'});
  expect(plan.planned).toBe(1);
  await client.query(`insert into session_requests values ('r', 'c2', 's2', 'pending', now(), now())`);
  expect(await engine.run(plan)).toMatchObject({applied: 0, skipped: 1});
  expect((await client.query(`select status from sessions where id = 's2'`)).rows).toEqual([
    {status: 'waiting'},
  ]);
});

test('a group keeps a row even when the planned keeper is gone', async () => {
  const engine = open();
  const plan = await engine.plan('db/duplicates', 'keep-latest', {groups: ['acc-0']});
  await client.query(`delete from keys where id = 1`);
  const result = await engine.run(plan);
  expect(result.applied).toBeLessThan(2);
  expect(
    (await client.query(`select count(*)::int from keys where account = 'acc-0'`)).rows[0].count,
  ).toBeGreaterThanOrEqual(1);
});

test('the same plan twice changes everything once', async () => {
  const engine = open();
  const plan = await engine.plan('db/duplicates', 'keep-latest', {});
  expect(await engine.run(plan)).toMatchObject({applied: 6, skipped: 0, remaining: 0});
  expect(await engine.run(plan)).toMatchObject({applied: 0, skipped: 6});
});

test('undo leaves rows alone that somebody changed since, and says so; the others come back', async () => {
  const engine = open();
  const run = await engine.run(await engine.plan('db/stale-sessions', 'cancel', {}));
  expect(run.applied).toBe(3);
  await client.query(`update sessions set status = 'completed' where id = 's1'`);
  const undone = await engine.run(await engine.planUndo(run.run!));
  expect(undone).toMatchObject({planned: 3, applied: 2, skipped: 1});
  expect(
    (await client.query(`select id, status from sessions order by id`)).rows.map(row => row.status),
  ).toEqual(['waiting', 'completed', 'waiting', 'waiting']);
  // What was left alone stays open: once nobody stands in its way, another undo takes it back.
  expect((await engine.planUndo(run.run!)).changes).toMatchObject([{result: 'skipped', why: 'changed'}]);
  expect((await engine.history()).find(item => item.run === run.run)!.state).toBe('done');
});

test('undo works in another process that has only the state directory, and is a run itself', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  const first = open();
  await first.run(await first.plan('db/duplicates', 'keep-latest', {}), {note: 'INC-7'});
  const engine = open();
  const {run: id} = (await engine.history())[0]!;
  await engine.run(await engine.planUndo(id));
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
  expect((await engine.history()).map(({action, state, undoes}) => [action, state, undoes])).toEqual([
    ['undo', 'done', id],
    ['keep-latest', 'undone', null],
  ]);
});

test('what a run leaves on disk: for this user alone, secrets only in the backup, whole rows in it', async () => {
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}), {note: 'why'});
  const directory = join(stateDirectory, 'runs', run!);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(directory))
    expect((await stat(join(directory, name))).mode & 0o777, name).toBe(0o600);
  expect((await readdir(directory)).sort()).toEqual(['backup.jsonl', 'journal.jsonl', 'plan.jsonl']);
  expect(await readFile(join(directory, 'plan.jsonl'), 'utf8')).not.toContain('secret-');
  expect(await readFile(join(directory, 'backup.jsonl'), 'utf8')).toContain('secret-2');
  expect(await readFile(join(stateDirectory, 'audit.jsonl'), 'utf8')).toContain('"note":"why"');
});

test('a backup in which a byte was changed is not undone from', async () => {
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const path = join(stateDirectory, 'runs', run!, 'backup.jsonl');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('secret-2', 'secret-X'));
  expect(await code(engine.planUndo(run!))).toBe('damaged');
  await writeFile(path, text.split('\n').slice(1).join('\n'));
  expect(await code(engine.planUndo(run!))).toBe('damaged');
  await writeFile(path, text);
  expect(await code(engine.planUndo(run!))).toBe('none');
});

test('a backup that is whole, but is not the one that was audited, is not undone from', async () => {
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const path = join(stateDirectory, 'runs', run!, 'backup.jsonl');
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -2);
  const records = lines.map(line => {
    const {sha256: _, ...record} = JSON.parse(line.replace('secret-2', 'secret-X'));
    return sealed(record);
  });
  const chain = records.reduce((before, record) => sha256(before + record.sha256), '');
  const all = [...records, {records: records.length, chain}];
  await writeFile(path, all.map(record => `${JSON.stringify(record)}\n`).join(''));
  const backup = await Backup.open(stateDirectory, run!);
  expect(backup!.places).toHaveLength(6);
  await backup!.close();
  expect(await code(engine.planUndo(run!))).toBe('damaged');
});

test('a journal whose last line was cut off by a crash is read to there', async () => {
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  await appendFile(join(stateDirectory, 'runs', run!, 'journal.jsonl'), '{"event":"outc');
  expect((await engine.history())[0]).toMatchObject({run, state: 'done', applied: 6});
});

test('production is read-only until the environment is named, and asks for the count of large plans', async () => {
  const engine = open({environment: 'production'});
  const plan = await engine.plan('db/stale-sessions', 'cancel', {limit: 1});
  expect(await code(engine.run(plan))).toBe('confirmation');
  expect(await code(engine.run(plan, {confirmed: ['prod']}))).toBe('confirmation');
  expect(await engine.run(plan, {confirmed: plan.confirmations.map(({expected}) => expected)})).toMatchObject(
    {applied: 1},
  );
  const unnamed = open({environment: undefined, limits: {changes: 2}});
  const large = await unnamed.plan('db/duplicates', 'keep-latest', {});
  expect(large.confirmations.map(({expected}) => expected)).toEqual(['unset:6']);
  expect(await code(unnamed.run(large, {confirmed: ['unset']}))).toBe('confirmation');
});

test('readOnly: true and --read-only are lifted by nothing', async () => {
  for (const engine of [
    open({readOnly: true}),
    open({}, {readOnly: true}),
    open({environment: 'production', readOnly: true}),
  ]) {
    const plan = await engine.plan('db/duplicates', 'keep-latest', {});
    expect(await code(engine.run(plan, {confirmed: ['production', 'production:6']}))).toBe('read-only');
  }
  expect(await readdir(stateDirectory)).toEqual([]);
});

test('deleting rows that others refer to with CASCADE is refused and names the table', async () => {
  await client.query(`create table child (key_id int references keys on delete cascade)`);
  const engine = open();
  const error = await engine.plan('db/duplicates', 'keep-latest', {}).catch(error => error as SesstuiError);
  expect(error).toMatchObject({code: 'cascade', message: expect.stringContaining('child')});
});

test('a check that would read more than limits.scan without an index is refused in production, unless allowed', async () => {
  await client.query('analyze keys');
  const settings = {environment: 'production', limits: {scan: 5}};
  expect((await open(settings).check('db/duplicates')).error).toMatchObject({code: 'scan-limit'});
  expect((await open(settings, {allowScan: true}).check('db/duplicates')).error).toBeUndefined();
  await client.query('create index on keys (account)');
  expect((await open(settings).check('db/duplicates')).error).toBeUndefined();
});

test('a table or column that is not there is named with the nearest one', async () => {
  const {config} = configFromObject({
    environment: 'test',
    stores: {
      db: {
        kind: 'postgres',
        url: server.url,
        checks: [
          {check: 'duplicates', name: 'a', table: 'keyz', groupBy: ['account']},
          {check: 'duplicates', name: 'b', table: 'keys', groupBy: ['acount']},
        ],
      },
    },
  });
  const engine = openEngine(config, {stateDirectory, open: openConnector});
  engines.push(engine);
  expect((await engine.check('db/a')).error).toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/keyz.*"keys"/),
  });
  expect((await engine.check('db/b')).error).toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/acount.*"account"/),
  });
});

test('an interrupted run finishes its chunk, journals it and is told as interrupted', async () => {
  await client.query(
    `insert into keys select i, 'acc-' || i / 2, now(), null from generate_series(1000, 5000) i`,
  );
  const engine = open();
  const plan = await engine.plan('db/duplicates', 'keep-latest', {});
  const controller = new AbortController();
  const result = await engine.run(plan, {
    signal: controller.signal,
    onProgress: ({phase}) => phase === 'changes' && controller.abort(),
  });
  expect(result.interrupted).toBe(true);
  expect(result.applied).toBeGreaterThan(0);
  expect(result.applied).toBeLessThan(result.planned);
  const [summary] = await engine.history();
  expect(summary).toMatchObject({state: 'interrupted', applied: result.applied});
  expect((await client.query('select count(*)::int from keys')).rows[0].count).toBe(
    4001 + 9 - result.applied,
  );
});

test('a run whose end could not be audited is not told as done; a resume closes it', async () => {
  const engine = open();
  const plan = await engine.plan('db/duplicates', 'keep-latest', {});
  const log = join(stateDirectory, 'audit.jsonl');
  let once = true;
  const result = await engine.run(plan, {
    onProgress: ({phase}) => {
      if (phase !== 'changes' || !once) return;
      once = false;
      renameSync(log, `${log}.away`);
      mkdirSync(log);
    },
  });
  expect(result).toMatchObject({applied: 6, interrupted: true, faults: expect.anything()});
  expect((await engine.history())[0]).toMatchObject({state: 'interrupted', applied: 6});
  await rmdir(log);
  await rename(`${log}.away`, log);
  expect(await engine.run(await engine.planResume(result.run!))).toMatchObject({applied: 6});
  expect((await engine.history())[0]).toMatchObject({state: 'done', applied: 6});
  expect(await verifyState(stateDirectory)).toEqual([]);
});

test('paging goes over all parts of a check without a gap', async () => {
  const engine = open();
  const whole = await engine.check('db/stale-sessions');
  const pages = await Promise.all(
    [0, 1, 2].map(offset => engine.check('db/stale-sessions', {offset, limit: 1})),
  );
  expect(pages.flatMap(page => page.findings.map(finding => finding.id))).toEqual(
    whole.findings.slice(0, 3).map(finding => finding.id),
  );
});

test('an undo that was interrupted goes on with what is left, and brings nothing back twice', async () => {
  await client.query(`drop table keys; create table keys (account text, seen timestamptz, token text);
    insert into keys select 'acc-' || i / 2, now() - i * interval '1 minute', 'secret-' || i from generate_series(1, 3000) i`);
  const before = await dumpPostgres(server.url, 'keys');
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const controller = new AbortController();
  const first = await engine.run(await engine.planUndo(run!), {
    signal: controller.signal,
    onProgress: ({phase}) => phase === 'changes' && controller.abort(),
  });
  expect(first.interrupted).toBe(true);
  expect(first.applied).toBeLessThan(first.planned);
  const rest = await engine.run(await engine.planUndo(run!));
  expect(rest.planned).toBe(first.planned - first.applied);
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
  expect(await code(engine.planUndo(run!))).toBe('usage');
});

test('two undos of one run at once take it back once', async () => {
  await client.query(`drop table keys; create table keys (account text, seen timestamptz, token text);
    insert into keys select 'acc-' || i / 2, now() - i * interval '1 minute', 'secret-' || i from generate_series(1, 200) i`);
  const before = await dumpPostgres(server.url, 'keys');
  const [one, two] = [open(), open()];
  const {run} = await one.run(await one.plan('db/duplicates', 'keep-latest', {}));
  const plans = [await one.planUndo(run!), await two.planUndo(run!)];
  const ends = await Promise.all([code(one.run(plans[0]!)), code(two.run(plans[1]!))]);
  expect(ends.sort()).toEqual(['none', 'usage']);
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('an undo whose plan was made before another undo was carried out is refused', async () => {
  await client.query(`drop table keys; create table keys (account text, seen timestamptz, token text);
    insert into keys select 'acc-' || i / 2, now() - i * interval '1 minute', 'secret-' || i from generate_series(1, 20) i`);
  const before = await dumpPostgres(server.url, 'keys');
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const plans = [await engine.planUndo(run!), await engine.planUndo(run!)];
  await engine.run(plans[0]!);
  expect(await code(engine.run(plans[1]!))).toBe('usage');
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('a run that died between its writes and its journal is taken back by what is there', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const path = join(stateDirectory, 'runs', run!, 'journal.jsonl');
  const lines = (await readFile(path, 'utf8'))
    .split('\n')
    .filter(line => /"begin"|"intent"|"prepared"/.test(line));
  await writeFile(path, `${lines.join('\n')}\n`);
  expect((await engine.history())[0]).toMatchObject({run, state: 'interrupted', applied: 0});
  expect(await engine.run(await engine.planUndo(run!))).toMatchObject({planned: 6, applied: 6});
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('rows that a trigger changed as they were put back are told, not passed over', async () => {
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  await client.query(`create or replace function stamp() returns trigger language plpgsql as $$ begin new.seen = now(); return new; end $$;
    create trigger stamp before insert on keys for each row execute function stamp()`);
  const undone = await engine.run(await engine.planUndo(run!));
  expect(undone).toMatchObject({
    applied: 6,
    faults: [expect.stringContaining('6 rows were written back and are not as they were')],
  });
});

test('a damaged journal is told by history --verify and hides no other run', async () => {
  const engine = open();
  const {run} = await engine.run(await engine.plan('db/stale-sessions', 'cancel', {limit: 1}));
  const other = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  await appendFile(join(stateDirectory, 'runs', run!, 'journal.jsonl'), 'nonsense\n{}\n');
  expect((await engine.history()).map(item => item.run)).toEqual([other.run]);
  expect((await verifyState(stateDirectory)).join()).toContain('journal.jsonl');
});

test('a trigger that marks rows instead of deleting them is a failure, and nothing of it stays', async () => {
  await client.query(`create or replace function soft() returns trigger language plpgsql as $$
      begin update keys set token = 'deleted' where id = old.id; return null; end $$;
    create trigger soft before delete on keys for each row execute function soft()`);
  const before = await dumpPostgres(server.url, 'keys');
  const engine = open();
  const result = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  expect(result).toMatchObject({applied: 0, skipped: 0, failed: 6});
  expect(result.changes[0]!.error).toContain('trigger');
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});
