/**
 * Rows of a megabyte (safety S19): lists project, and whole rows come a few at a time, so that a process stays within
 * its memory however many there are. Measured on the process itself: a small heap and the kernel's VmHWM.
 */
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {MongoClient} from 'mongodb';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {cliPath} from '../support/cli.js';
import {documentServers} from './document-servers.js';
import {record} from './record.js';
import {configured, openStage, type RunJson, type Stage} from './stage.js';

const megabyte = 2 ** 20;
/**
 * How many rows of 1 MiB, and the heap that a process gets for them: less than the rows have together, so that holding
 * them all ends it. SESSTUI_LARGE_ROWS=10000 takes as many with the heap of the budget. FerretDB reads all documents
 * for each page, so it has few.
 */
const asked = process.env.SESSTUI_LARGE_ROWS;
const sizes = {
  postgres: asked ? {rows: Number(asked), heap: 256} : {rows: 400, heap: 128},
  'MongoDB 6': {rows: 100, heap: 56},
  'FerretDB 1.24': {rows: 60, heap: 48},
};
type Size = (typeof sizes)['postgres'];
/** Of the whole process, with Node's own 60 MB and what the sockets hold. */
const residentLimit = 500 * megabyte;

type Measured = {code: number | null; stdout: string; stderr: string; peak: number};

/** Runs a script with a small heap; its peak of resident memory as the kernel tells it at its end. */
const measured = async (heap: number, script: string, args: string[]): Promise<Measured> => {
  const preload = join(import.meta.dirname, 'report-peak.mjs');
  const flags = [`--max-old-space-size=${heap}`, `--import=${preload}`];
  const child = spawn(process.execPath, [...flags, script, ...args], {stdio: ['ignore', 'pipe', 'pipe']});
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>(done => child.on('close', done));
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(stderr)?.[1] ?? Number.NaN) * 1024;
  return {code, stdout, stderr: stderr.replace(/VmHWM.*/, '').trim(), peak};
};

/** Throws unless the script ended with `code`, told no error, and stayed within the budget; what it printed. */
const withinBudget = async (
  what: {text: string; server: string; code: number; size: Size},
  script: string,
  args: string[],
): Promise<string> => {
  const {code, stdout, stderr, peak} = await measured(what.size.heap, script, args);
  const mebibytes = Math.round(peak / megabyte);
  expect(stderr, what.text).toBe('');
  expect(code).toBe(what.code);
  expect(peak, `${what.text}: ${mebibytes} MiB`).toBeLessThan(residentLimit);
  record({
    requirement: 'S19',
    fault: `${what.size.rows} rows of 1 MiB, heap of ${what.size.heap} MiB: ${what.text}`,
    server: what.server,
    rounds: 1,
    violations: 0,
    note: `peak ${mebibytes} MiB`,
  });
  return stdout;
};

const readWhole = join(import.meta.dirname, 'read-whole.mjs');

type CheckJson = {checks: {status: string; total: number; error?: object}[]};

describe('PostgreSQL', () => {
  const size = sizes.postgres;
  const count = size.rows;
  const small = 2000;
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
    // Small rows first, as old ones often are; the large ones are not compressed.
    await stage.sql(`create table sessions (id int primary key, account text, at timestamptz, payload text);
      alter table sessions alter payload set storage external;
      insert into sessions select -1 - g, 's' || g / 2, now(), 'small' from generate_series(0, ${small - 1}) g;
      insert into sessions select g, 'a' || g / 2, now(), repeat(md5(g::text), 32768) from generate_series(0, ${count - 1}) g`);
  }, 600_000);
  afterAll(() => stage?.close());

  const store = () => ({kind: 'postgres', url: stage.url, timeout: '10m'});

  test('a check reads what it shows', {timeout: 600_000}, async () => {
    const checks = [{check: 'duplicates', table: 'sessions', groupBy: ['account'], latestBy: ['at']}];
    const {file} = await configured({environment: 'test', stores: {shop: {...store(), checks}}});
    const args = ['--config', file, 'check', '--json'];
    const told = await withinBudget({text: 'check', server: stage.name, code: 1, size}, cliPath, args);
    expect((JSON.parse(told) as CheckJson).checks[0]).toMatchObject({
      status: 'fail',
      total: (count + small) / 2,
    });
  });

  test('whole rows come a few at a time, also where large ones follow small ones', {
    timeout: 600_000,
  }, async () => {
    const what = {text: 'whole rows, read as a plan reads them', server: stage.name, code: 0, size};
    const args = [JSON.stringify({...store(), checks: []}), 'sessions'];
    expect(await withinBudget(what, readWhole, args)).toBe(`${count + small}\n`);
  });

  test('a plan, its run and its undo hold a few rows at a time', {timeout: 900_000}, async () => {
    const checks = [{check: 'duplicates', table: 'sessions', groupBy: ['account'], latestBy: ['at']}];
    const {file, directory} = await configured({environment: 'test', stores: {shop: {...store(), checks}}});
    const digest = async (): Promise<unknown> =>
      (await stage.sql(`select md5(string_agg(md5(t::text), '' order by id)) as all from sessions t`)).rows;
    const before = await digest();
    const call = async (...args: string[]): Promise<RunJson> => {
      const what = {text: args[0]!, server: stage.name, code: 0, size};
      const all = ['--config', file, '--state-dir', join(directory, 'state'), ...args, '--json'];
      return JSON.parse(await withinBudget(what, cliPath, all)) as RunJson;
    };
    const changes = (count + small) / 2;
    const done = await call('clean', 'shop/duplicates', '--action', 'keep-latest', '--yes');
    expect(done).toMatchObject({planned: changes, applied: changes, remaining: 0});
    expect(await call('history', '--verify')).toMatchObject({problems: []});
    expect(await call('undo', done.run!, '--yes')).toMatchObject({planned: changes, applied: changes});
    expect(await digest()).toEqual(before);
  });
});

describe.each(documentServers)('$name', ({name, start}) => {
  const size = sizes[name];
  const count = size.rows;
  let server: {url: string; stop: () => Promise<void>};
  beforeAll(async () => {
    server = await start();
    const client = new MongoClient(server.url);
    const calls = client.db('support').collection<{_id: number}>('calls');
    const payload = 'x'.repeat(megabyte);
    for (let _id = 0; _id < count; _id += 10)
      await calls.insertMany(Array.from({length: 10}, (_, i) => ({_id: _id + i, sessionId: null, payload})));
    await client.close();
  }, 600_000);
  afterAll(() => server?.stop());

  const store = () => ({kind: 'mongodb', url: server.url, database: 'support', timeout: '10m'});

  test('a check reads what it shows', {timeout: 600_000}, async () => {
    const checks = [{check: 'null-ids', table: 'calls'}];
    const {file} = await configured({environment: 'test', stores: {chat: {...store(), checks}}});
    const args = ['--config', file, 'check', '--json'];
    const told = await withinBudget({text: 'check', server: name, code: 1, size}, cliPath, args);
    expect((JSON.parse(told) as CheckJson).checks[0]).toMatchObject({status: 'fail', total: count});
  });

  test('whole documents come a few at a time', {timeout: 600_000}, async () => {
    const what = {text: 'whole documents, read as a plan reads them', server: name, code: 0, size};
    const args = [JSON.stringify({...store(), checks: []}), 'calls'];
    expect(await withinBudget(what, readWhole, args)).toBe(`${count}\n`);
  });
});
