/** Runs that were cut off: what was done is found out, the rest is done once, and everything can be taken back. */

import {readFileSync, writeFileSync} from 'node:fs';
import {appendFile, readFile, rm, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import type pg from 'pg';
import {beforeEach, expect, test, vi} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {verifyState} from '../../source/engine/disk/verify.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import {holdRun} from '../../source/engine/run/run-lock.js';
import type {OpenConnector} from '../../source/engine/stores.js';
import type {SesstuiError} from '../../source/errors.js';
import {temporaryDirectory} from '../support/cli.js';
import {dumpPostgres} from '../support/dumps.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;
let stateDirectory: string;
let engine: FullEngine;

onPglite((started, connected) => {
  server = started;
  client = connected;
});
beforeEach(async () => {
  stateDirectory = await temporaryDirectory();
  // Without a key: a row is found by its place only.
  await client.query(`drop table if exists keys; create table keys (account text, seen timestamptz, token text);
    insert into keys select 'acc-' || i / 2, now() - i * interval '1 minute', 'secret-' || i from generate_series(0, 199) i`);
  engine = openEngine(config(), {stateDirectory, open: openConnector});
  return () => engine.close();
});

const config = () =>
  configFromObject({
    environment: 'test',
    stores: {
      db: {
        kind: 'postgres',
        url: server.url,
        checks: [{check: 'duplicates', table: 'keys', groupBy: ['account'], latestBy: ['seen']}],
      },
    },
  }).config;

const fault = (promise: Promise<unknown>): Promise<SesstuiError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: SesstuiError) => error,
  );

const journalPath = (run: string): string => join(stateDirectory, 'runs', run, 'journal.jsonl');

/** A run that is stopped by the user after its first chunk of 50. */
const interrupted = async (): Promise<string> => {
  const stop = new AbortController();
  const plan = await engine.plan('db/duplicates', 'keep-latest', {});
  const result = await engine.run(plan, {
    signal: stop.signal,
    onProgress: ({phase}) => phase === 'changes' && stop.abort(),
  });
  expect(result).toMatchObject({planned: 100, applied: 50, interrupted: true});
  return result.run!;
};

/** The lock as a killed process leaves it. */
const asIfDead = async (run: string): Promise<void> => {
  const owner = join(stateDirectory, 'runs', run, 'owner.json');
  await writeFile(owner, (await readFile(owner, 'utf8')).replace(/"pid":\d+/, `"pid":${2 ** 22 + 1}`));
};

const keepLines = async (run: string, keep: (line: string) => boolean): Promise<void> => {
  const lines = (await readFile(journalPath(run), 'utf8')).split('\n').filter(Boolean);
  await writeFile(journalPath(run), `${lines.filter(keep).join('\n')}\n`);
};

test('an interrupted run is finished under its own name, and taken back whole', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  const run = await interrupted();
  expect((await engine.history())[0]).toMatchObject({run, state: 'interrupted', planned: 100, applied: 50});
  const plan = await engine.planResume(run);
  expect(plan).toMatchObject({resumes: run, planned: 100});
  expect(plan.changes.filter(({result}) => result === 'planned')).toHaveLength(50);
  expect(plan.notes[0]).toContain('50 changes were made, 50 are left');
  const finished = await engine.run(plan, {note: 'ticket 4712'});
  expect(finished).toMatchObject({run, planned: 100, applied: 100, remaining: 0});
  expect(await readFile(join(stateDirectory, 'audit.jsonl'), 'utf8')).toContain(
    '"resumedNote":"ticket 4712"',
  );
  expect((await engine.history())[0]).toMatchObject({run, state: 'done', planned: 100, applied: 100});
  expect(await verifyState(stateDirectory)).toEqual([]);
  expect(await engine.run(await engine.planUndo(run))).toMatchObject({applied: 100});
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('what was committed but not written down is found out by the number of its transaction', async () => {
  const run = await interrupted();
  await keepLines(run, line => /"begin"|"intent"|"prepared"/.test(line));
  expect((await engine.history())[0]).toMatchObject({run, state: 'interrupted', applied: 0});
  expect(await engine.run(await engine.planResume(run))).toMatchObject({
    run,
    planned: 100,
    applied: 100,
    skipped: 0,
    unknown: 0,
  });
  const {rows} = await client.query('select count(*)::int as rows from keys');
  expect(rows).toEqual([{rows: 100}]);
});

test('a transaction that was never prepared was rolled back, and is made by the resume', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  // A process that dies inside its first transaction: the store hears nothing more of it.
  const dead: OpenConnector = async (...given) =>
    new Proxy(await openConnector(...given), {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (name === 'apply') return () => new Promise(() => undefined);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  const dying = openEngine(config(), {stateDirectory, open: dead});
  void dying.run(await dying.plan('db/duplicates', 'keep-latest', {}));
  const run = await vi.waitFor(async () => {
    const {run: begun} = (await engine.history())[0]!;
    expect(await readFile(journalPath(begun), 'utf8')).toContain('"intent"');
    return begun;
  }, 20_000);
  await asIfDead(run);
  expect(await engine.run(await engine.planResume(run))).toMatchObject({planned: 100, applied: 100});
  await engine.run(await engine.planUndo(run));
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('a run that was cut off before its backup was whole is closed: it has changed nothing', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  const run = await interrupted();
  await engine.run(await engine.planUndo(run));
  await keepLines(run, line => line.includes('"begin"'));
  // It is audited when its backup is whole.
  for (const name of ['audit.jsonl', 'audit.head']) await rm(join(stateDirectory, name));
  const backup = join(stateDirectory, 'runs', run, 'backup.jsonl');
  const lines = (await readFile(backup, 'utf8')).split('\n');
  await writeFile(backup, lines.slice(0, 20).join('\n'));
  expect((await fault(engine.planUndo(run))).message).toContain('it has changed nothing');
  const plan = await engine.planResume(run);
  expect(plan.notes[0]).toContain('has changed nothing');
  expect(await engine.run(plan)).toMatchObject({run, planned: 100, skipped: 100, applied: 0});
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('a backup that was cut off after changes is refused by resume and by undo', async () => {
  const run = await interrupted();
  const backup = join(stateDirectory, 'runs', run, 'backup.jsonl');
  const lines = (await readFile(backup, 'utf8')).split('\n');
  await writeFile(backup, lines.slice(0, -2).join('\n'));
  for (const plan of [engine.planResume, engine.planUndo])
    expect((await fault(plan(run))).code).toBe('damaged');
  expect((await verifyState(stateDirectory)).join()).toContain('backup.jsonl');
});

test('what another resume has done meanwhile is not done again', async () => {
  const run = await interrupted();
  const [one, two] = [await engine.planResume(run), await engine.planResume(run)];
  expect(await engine.run(one)).toMatchObject({applied: 100});
  const {code, message} = await fault(engine.run(two));
  expect([code, message]).toEqual(['usage', expect.stringContaining('was resumed while')]);
  expect((await fault(engine.planResume(run))).message).toContain('is done: there is nothing to resume');
});

test('a run that a living process holds is left to it; one whose process is dead is not', async () => {
  const run = await interrupted();
  const held = await holdRun(stateDirectory, run);
  const plan = await engine.planUndo(run).catch(error => error as SesstuiError);
  expect((plan as SesstuiError).message).toContain(`process ${process.pid} on ${hostname()}`);
  await asIfDead(run);
  expect(await engine.run(await engine.planResume(run))).toMatchObject({applied: 100});
  await held.release();
});

test('an undo that was cut off is finished by resume, and its run is undone', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const stop = new AbortController();
  const undo = await engine.run(await engine.planUndo(run!), {
    signal: stop.signal,
    onProgress: ({phase}) => phase === 'changes' && stop.abort(),
  });
  expect(undo).toMatchObject({applied: 50, interrupted: true});
  await appendFile(journalPath(undo.run!), '{"event":"interr');
  await keepLines(undo.run!, line => /"begin"|"intent"|"prepared"/.test(line));
  expect(await engine.run(await engine.planResume(undo.run!))).toMatchObject({applied: 100, run: undo.run});
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
  const states = (await engine.history()).map(item => [item.run, item.state]);
  expect(states).toEqual(
    expect.arrayContaining([
      [run, 'undone'],
      [undo.run, 'done'],
    ]),
  );
});

test('an undo finished by another undo puts nothing back twice when it is resumed', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const stop = new AbortController();
  const undo = await engine.run(await engine.planUndo(run!), {
    signal: stop.signal,
    onProgress: ({phase}) => phase === 'changes' && stop.abort(),
  });
  expect(await engine.run(await engine.planUndo(run!))).toMatchObject({planned: 50, applied: 50});
  expect(await engine.run(await engine.planResume(undo.run!))).toMatchObject({applied: 50, skipped: 50});
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('a store that refuses everything is not asked for everything; resume goes on when it takes them', async () => {
  const before = await dumpPostgres(server.url, 'keys');
  await client.query(`create or replace function refuse() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
    create trigger refuse before delete on keys for each row execute function refuse()`);
  const result = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  expect(result).toMatchObject({planned: 100, applied: 0, interrupted: true});
  expect(result.failed).toBeLessThan(100);
  expect(result.faults!.join()).toContain('the rest was not tried');
  await client.query('drop trigger refuse on keys');
  const rest = await engine.run(await engine.planResume(result.run!));
  expect(rest).toMatchObject({failed: result.failed, applied: 100 - result.failed});
  await engine.run(await engine.planUndo(result.run!));
  expect(await dumpPostgres(server.url, 'keys')).toEqual(before);
});

test('an undo that was planned before the run was resumed is refused', async () => {
  const run = await interrupted();
  const undo = await engine.planUndo(run);
  await engine.run(await engine.planResume(run));
  expect((await fault(engine.run(undo))).message).toContain('taken back or resumed while');
  expect((await engine.history())[0]).toMatchObject({run, state: 'done'});
  expect(await engine.run(await engine.planUndo(run))).toMatchObject({applied: 100});
  expect((await engine.history()).find(item => item.run === run)).toMatchObject({state: 'undone'});
});

test('a process that lost its run writes nothing more, in the store or in its files', async () => {
  const run = await interrupted();
  const plan = await engine.planResume(run);
  const journal = async (): Promise<string> => readFile(journalPath(run), 'utf8');
  let seen = '';
  const {
    applied,
    interrupted: stopped,
    faults,
  } = await engine.run(plan, {
    onProgress: ({phase, done}) => {
      if (phase !== 'changes' || done !== 1) return;
      // Another process takes over here.
      const owner = join(stateDirectory, 'runs', run, 'owner.json');
      writeFileSync(owner, readFileSync(owner, 'utf8').replace(/"token":"[^"]*"/, '"token":"another"'));
      seen = readFileSync(journalPath(run), 'utf8');
    },
  });
  expect(stopped).toBe(true);
  expect(faults!.join()).toContain('another process has taken over');
  expect(applied).toBeGreaterThan(50);
  expect(await journal()).toBe(seen);
  expect(await readFile(join(stateDirectory, 'audit.jsonl'), 'utf8')).not.toContain('"event":"done"');
});

test('an undo whose files can not be read is not forgotten', async () => {
  const {run} = await engine.run(await engine.plan('db/duplicates', 'keep-latest', {}));
  const undo = await engine.run(await engine.planUndo(run!, {}), {
    signal: AbortSignal.timeout(1),
  });
  expect(undo.run).not.toBeNull();
  await writeFile(journalPath(undo.run!), 'nonsense\n{}\n');
  expect((await fault(engine.planUndo(run!))).code).toBe('damaged');
  await rm(join(stateDirectory, 'runs', undo.run!), {recursive: true});
  expect((await fault(engine.planUndo(run!))).code).toBe('not-found');
});

test('a run of production asks for its name anywhere, and is resumed with its check as it was', async () => {
  const run = await interrupted();
  const path = join(stateDirectory, 'runs', run, 'plan.jsonl');
  await writeFile(
    path,
    (await readFile(path, 'utf8')).replace('"environment":"test"', '"environment":"shop"'),
  );
  for (const plan of [await engine.planResume(run), await engine.planUndo(run)]) {
    expect(plan.confirmations).toEqual([{expected: 'shop', why: expect.stringContaining('made in shop')}]);
    expect((await fault(engine.run(plan))).code).toBe('confirmation');
  }
  const changed = config();
  (changed.stores.db!.checks[0] as {groupBy: string[]}).groupBy = ['token'];
  const renamed = openEngine(changed, {stateDirectory, open: openConnector});
  expect((await fault(renamed.planResume(run))).message).toContain('configured otherwise');
  await renamed.close();
});
