/** `sesstui customer` when a store fails half-way: what is known and what was done is told all the same. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type pg from 'pg';
import {beforeEach, expect, test} from 'vitest';
import {type Context, makeContext} from '../../source/commands/context.js';
import {customer} from '../../source/commands/customer.js';
import {parse} from '../../source/commands/parse.js';
import type {FullEngine} from '../../source/engine/engine.js';
import {SesstuiError} from '../../source/errors.js';
import {temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;
let flags: string[];

onPglite((started, connected) => {
  server = started;
  client = connected;
});
beforeEach(async () => {
  const schema = (name: string): string => `
    drop schema if exists ${name} cascade;
    create schema ${name};
    create table ${name}.sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table ${name}.session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    insert into ${name}.sessions values ('session-in-${name}', 'customer-7', 'waiting', now() - interval '1 hour', null);`;
  await client.query(schema('one') + schema('two'));
  const directory = await temporaryDirectory();
  const file = join(directory, 'sesstui.yaml');
  const store = (name: string): string =>
    `  ${name}: {kind: postgres, url: '${server.url}', checks: [{check: stale-sessions, sessions: {table: ${name}.sessions}, requests: {table: ${name}.session_requests}}]}`;
  await writeFile(file, `environment: staging\nstores:\n${store('one')}\n${store('two')}\n`);
  flags = ['--config', file, '--state-dir', join(directory, 'state')];
});

const down = new SesstuiError('unreachable', 'two could not be reached', 'Is it up?');

/** The command on an engine that fails where `fault` says so. */
const callWith = async (fault: (engine: FullEngine) => Partial<FullEngine>, ...args: string[]) => {
  const context = makeContext(
    parse(['customer', 'customer-7', ...args, ...flags]),
    new AbortController().signal,
  );
  const engine = await context.engine();
  const faulty = Object.create(engine, Object.getOwnPropertyDescriptors(fault(engine))) as FullEngine;
  const printed: string[] = [];
  const print: Context['print'] = async part => printed.push(part);
  try {
    const code = await customer({...context, engine: async () => faulty, print});
    return {code, text: printed.join('')};
  } finally {
    await context.close();
  }
};

const failingOnTwo = (engine: FullEngine): Partial<FullEngine> => ({
  run: async (plan, more) => {
    if (plan.check === 'two/stale-sessions') throw down;
    return engine.run(plan, more);
  },
});

const statuses = async (): Promise<unknown> =>
  (await client.query(`select status from one.sessions union all select status from two.sessions`)).rows.map(
    ({status}) => status,
  );

test('a run that was made is told with how it is taken back, though the next one can not be', async () => {
  const {code, text} = await callWith(failingOnTwo, '--clean', '--yes');
  expect(await statuses()).toEqual(['cancelled', 'waiting']);
  expect(code).toBe(3);
  expect(text).toMatch(/Run \S+: one\/stale-sessions: 1 of 1 cancelled\.\nTake it back with: sesstui undo/);
  expect(text).toContain('blocked by session session-in-two in two');
  expect(text).toContain('error: two/stale-sessions: two could not be reached');
});

test('the same as JSON, one document', async () => {
  const {code, text} = await callWith(failingOnTwo, '--clean', '--yes', '--json');
  expect(code).toBe(3);
  expect(JSON.parse(text)).toMatchObject({
    cleaned: 1,
    blocked: true,
    runs: [{check: 'one/stale-sessions', applied: 1}],
    errors: [{check: 'two/stale-sessions', error: {code: 'unreachable'}}],
  });
});

test('the verdict is told though what unblocks can not be planned', async () => {
  const {code, text} = await callWith(() => ({planUnblock: async () => Promise.reject(down)}));
  expect(code).toBe(1);
  expect(text).toMatch(/^customer-7: blocked by session session-in-/);
  expect(text).toContain("What unblocks can't be planned now: two could not be reached");
});
