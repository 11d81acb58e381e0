/** `sesstui customer`: what a person on call types, reads, follows and pastes. */
import {spawn} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type pg from 'pg';
import {beforeEach, describe, expect, test} from 'vitest';
import {cutMiddle} from '../../source/commands/customer-text.js';
import type {CustomerReport} from '../../source/engine/customer/report.js';
import type {RunResult} from '../../source/types.js';
import {cli, cliJson, cliPath, temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';
import {openPty} from '../support/pty.js';

let server: PostgresServer;
let client: pg.Client;
let flags: string[];
let directory: string;

const id = 'c3541f3b-64d1-4ca9-b990-22ad83de4ead';

onPglite((started, connected) => {
  server = started;
  client = connected;
});
beforeEach(async () => {
  await client.query(`
    drop table if exists sessions, session_requests;
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    insert into sessions values
      ('${id}', 'customer-7', 'waiting', now() - interval '42 minutes 5 seconds', null),
      ('session-of-bob', 'customer-8', 'waiting', now() - interval '2 hours', null)`);
  directory = await temporaryDirectory();
  await configure('staging');
});

const configure = async (environment: string): Promise<void> => {
  const config = join(directory, 'sesstui.yaml');
  await writeFile(
    config,
    `environment: ${environment}\nstores: {rides: {kind: postgres, url: '${server.url}', checks: [{check: stale-sessions}]}}\n`,
  );
  flags = ['--config', config, '--state-dir', join(directory, 'state')];
};

type Json = CustomerReport & {runs?: RunResult[]};

const call = (...args: string[]) => cli(['customer', ...args, ...flags]);
const callJson = (...args: string[]) => cliJson<Json>(['customer', ...args, ...flags]);

test('the verdict comes first, then one timeline, then what to type', async () => {
  const {code, stdout} = await call('customer-7');
  expect(code).toBe(1);
  const lines = stdout.split('\n');
  expect(lines[0]).toBe(
    `customer-7: blocked by session ${id} in rides: waiting for 42 minutes, no request; cancelling it unblocks.`,
  );
  expect(lines[2]).toMatch(/^AGE +STORE +TABLE +STATUS +KEY +WRONG$/);
  expect(lines[3]).toContain(id);
  expect(stdout).toContain('Unblock with: sesstui customer customer-7 --clean --yes --config');
});

test('on 80 columns no line of the timeline wraps, and keys lose their middle', async () => {
  const pty = openPty(process.execPath, [cliPath, 'customer', 'customer-7', ...flags], {rows: 40});
  expect(await pty.ended).toBe(1);
  await pty.until('Unblock with');
  const line = pty
    .screen()
    .split('\n')
    .find(text => text.startsWith('42 min'))!;
  expect(line).toMatch(/^42 min +rides +sessions +waiting +c3541f3b\S*…\S*4ead +very-stale-waiting,/);
  expect(line.length).toBeLessThanOrEqual(80);
});

test('text is cut in the middle between graphemes', () => {
  expect(cutMiddle('c3541f3b-64d1-22ad', 11)).toBe('c3541…-22ad');
  expect(cutMiddle('short', 11)).toBe('short');
  expect(cutMiddle('日本語日本語日本語', 8)).toBe('日本…語');
  expect(cutMiddle('abcdef', 3)).toBe('ab…');
});

describe('--clean', () => {
  test('cancels what is stale for this customer only, looks again and says that they are free', async () => {
    const dry = await callJson('customer-7', '--clean');
    expect(dry.json.runs).toMatchObject([{dryRun: true, planned: 1}]);
    expect(dry.json).toMatchObject({blocked: true, cleaned: 0});
    const {code, stdout} = await call('customer-7', '--clean', '--yes');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^1 cancelled\.\ncustomer-7: free: nothing blocks any more \(1 session in rides\)\./,
    );
    expect(stdout).toMatch(/Take it back with: sesstui undo \S+ --yes/);
    const {rows} = await client.query('select id, status from sessions order by id');
    expect(rows).toEqual([
      {id, status: 'cancelled'},
      {id: 'session-of-bob', status: 'waiting'},
    ]);
  });

  test('says what else blocks', async () => {
    await client.query(
      `insert into sessions values ('alive', 'customer-7', 'live', now() - interval '3 hours', null)`,
    );
    const {code, json} = await callJson('customer-7', '--clean', '--yes');
    expect(code).toBe(1);
    expect(json).toMatchObject({blocked: true, cleaned: 1, blockedBy: [{id: 'alive', stale: false}]});
    expect(json.verdict).toBe(
      'blocked by session alive in rides: live for 3 hours; not stale, so nothing here cancels it',
    );
    const again = await call('customer-7', '--clean', '--yes');
    expect(again.code).toBe(1);
    expect(again.stdout).toContain('there is nothing to cancel');
  });
});

test('nobody is told with where one looked, and an empty id is an error', async () => {
  const {code, stdout} = await call('nobody');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Nothing is known of nobody in any store; rides was searched\.\n\nSearched:\n {2}rides: sessions \(customer_id, id\)/,
  );
  expect((await call(' ')).code).toBe(2);
});

test.each([
  [['--watch', '--json'], '--ndjson'],
  [['--watch', '--csv'], '--ndjson'],
  [['--every', '2s'], 'Add --watch'],
  [['--markdown', '--json'], 'a document of its own'],
  [['--markdown', '--watch'], 'a document of its own'],
])('%j do not go together', async (more, text) => {
  const {code, stdout, stderr} = await call('customer-7', ...more);
  expect(code).toBe(2);
  expect(stdout + stderr).toContain(text);
});

/** A call that goes on; `until` waits for text on standard output. */
const following = (...args: string[]) => {
  const child = spawn(process.execPath, [cliPath, 'customer', ...args, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk;
    for (const look of waiting) look();
  });
  const ended = new Promise<number | null>(done => child.on('close', done));
  const until = (wanted: string): Promise<void> =>
    new Promise(done => {
      const look = (): void => {
        if (!text.includes(wanted)) return;
        waiting.delete(look);
        done();
      };
      waiting.add(look);
      look();
    });
  const leave = (): Promise<number | null> => {
    child.kill('SIGINT');
    return ended;
  };
  return {until, text: () => text, leave};
};

describe('--watch', () => {
  test('tells each change once with its time, and leaves with the last state', async () => {
    const call_ = following('customer-7', '--watch', '--every', '100ms');
    await call_.until('blocked by');
    await client.query(`update sessions set status = 'cancelled' where customer_id = 'customer-7'`);
    await call_.until('not blocked');
    expect(await call_.leave()).toBe(0);
    const lines = call_.text().trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z customer-7: /);
  });

  test('with --ndjson is a document a line, and 1 when the customer is blocked as one leaves', async () => {
    const call_ = following('customer-7', '--watch', '--every', '100ms', '--ndjson');
    await call_.until('\n');
    expect(await call_.leave()).toBe(1);
    const [first, ...rest] = call_.text().trimEnd().split('\n');
    expect(rest).toEqual([]);
    expect(JSON.parse(first!)).toMatchObject({customer: 'customer-7', blocked: true, waiting: []});
  });

  test('with --clean --yes cleans once and then follows', async () => {
    const call_ = following('customer-7', '--watch', '--every', '100ms', '--clean', '--yes');
    await call_.until('Z customer-7: free');
    await client.query(
      `insert into sessions values ('new', 'customer-7', 'waiting', now() - interval '1 hour', null)`,
    );
    await call_.until('blocked by session new');
    expect(await call_.leave()).toBe(1);
    expect((await client.query(`select status from sessions where id = 'new'`)).rows).toEqual([
      {status: 'waiting'},
    ]);
  });
});

describe('--markdown', () => {
  test('tells the verdict before and after, the timeline and how the run is taken back', async () => {
    await configure('shop');
    const {code, stdout} = await call(
      'customer-7',
      '--markdown',
      '--clean',
      '--yes',
      '--confirm',
      'shop',
      '--confirm',
      'shop:1',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^## Customer customer-7\n\nEnvironment: shop {2}\nTime: 20/);
    expect(stdout).toContain(`**Before:** blocked by session ${id} in rides`);
    expect(stdout).toContain('**After:** free: nothing blocks any more');
    expect(stdout).toMatch(new RegExp(`\\| rides \\| sessions \\| cancelled \\| ${id} \\| {2}\\| {2}\\|`));
    expect(stdout).toMatch(
      /- Run \S+: rides\/stale-sessions cancel, 1 of 1 row changed\n {2}- applied: update sessions c3541f3b/,
    );
    const undo = /```sh\n(sesstui undo \S+ --yes --confirm shop .*)\n```/.exec(stdout)![1]!;
    expect((await cli(undo.split(' ').slice(1))).code).toBe(0);
  });

  test('what came from the store formats nothing, mentions nobody and hides nothing', async () => {
    const hostile = 'a | b\n# c @team [x](https://evil.example) <img src=x> `d` **e** \u202e';
    await client.query('insert into sessions values ($1, $2, $3, now(), null)', [
      hostile,
      'customer-9',
      '|@all|',
    ]);
    const {stdout} = await call('customer-9', '--markdown');
    const rows = stdout.split('\n').filter(line => line.startsWith('| 20'));
    expect(rows).toHaveLength(1);
    expect(rows[0]!.replaceAll(/\\./g, '').split('|')).toHaveLength(10);
    for (const text of ['@', '\u202e', '://']) expect(rows[0]).not.toContain(text);
    expect(rows[0]).not.toMatch(/(?<!\\)[<>`*[\]]/);
    expect(rows[0]).toContain('a \\| b\\\\n# c &#64;team \\[x\\](https&#58;//evil.example) \\<img src=x\\>');
  });
});
