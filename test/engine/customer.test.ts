/** One customer over several stores through the engine, on PostgreSQL; one store never answers. */
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import type {CustomerReport} from '../../source/engine/customer/report.js';
import {type EngineOptions, type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {SesstuiError} from '../../source/errors.js';
import {temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;
const engines: FullEngine[] = [];

onPglite((started, connected) => {
  server = started;
  client = connected;
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map(engine => engine.close()));
});
beforeEach(async () => {
  await client.query(`
    drop table if exists sessions, session_requests, customers, logins, keys, accounts, account_sessions;
    create table customers (id text primary key, email text);
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table logins (id text primary key, email text, session_type text, protected boolean, fingerprint text, expires_at timestamptz, updated_at timestamptz, created_at timestamptz);
    create table keys (device_key text, stream_id text, session_ids text[], envelope text, created_at timestamptz default now());
    create table accounts (account_id text primary key, email text, session text);
    create table account_sessions (session_id text primary key, account_id text, created_at timestamptz);
    insert into customers values ('customer-7', 'ann@shop.example'), ('customer-8', 'bob@shop.example');
    insert into sessions values
      ('c354-1111-2222-3333', 'customer-7', 'waiting', now() - interval '42 minutes', null),
      ('old-session-of-ann-1', 'customer-7', 'completed', now() - interval '3 days', null),
      ('session-of-bob-00001', 'customer-8', 'waiting', now() - interval '2 hours', null);
    insert into logins values
      ('login-of-ann-000001', ' Ann@Shop.example', 'background', true, 'bg-wrong', null, null, now() - interval '9 days'),
      ('login-of-ann-000002', 'ann@shop.example', 'device', false, 'dev-ann', now() + interval '1 day', null, null),
      ('login-of-bob-000001', 'bob@shop.example', 'device', false, 'dev-bob', now() + interval '1 day', null, now());
    insert into accounts values ('acc-1', 'ann@shop.example', 'sess_acc-1'), ('acc-2', 'bob@shop.example', 'sess_acc-2');
    insert into account_sessions values ('sess_acc-1', 'acc-1', now() - interval '5 days'), ('sess_acc-2', 'acc-2', now());
    insert into keys (device_key, stream_id, session_ids) values
      ('device-of-ann', 'stream-of-everybody', '{a,b}'), ('device-of-ann', 'stream-of-everybody', '{b,a}'),
      ('device-of-bob', 'stream-of-everybody', '{c}')`);
});

type Settings = {environment?: string; dead?: boolean; stale?: object; scan?: number};

const open = async (
  {environment = 'test', dead = false, stale = {}, scan = 5_000_000}: Settings = {},
  more: Partial<EngineOptions> = {},
) => {
  const postgres = (checks: object[]) => ({kind: 'postgres', url: server.url, checks});
  const {config} = configFromObject({
    environment,
    limits: {scan},
    identities: [{store: 'rides', table: 'customers', id: 'id', email: 'email'}],
    stores: {
      rides: postgres([{check: 'stale-sessions', ...stale}]),
      gym: postgres([{check: 'device-sessions', table: 'logins', fingerprint: {salt: 'salt'}}]),
      kite: postgres([
        {
          check: 'duplicates',
          table: 'account_sessions',
          groupBy: ['account_id'],
          canonicalId: 'sess_{account_id}',
          referencedBy: {table: 'accounts', key: 'account_id', attribute: 'session'},
        },
      ]),
      registry: postgres([
        {
          check: 'duplicates',
          table: 'keys',
          groupBy: ['device_key', 'stream_id', 'session_ids'],
          unordered: ['session_ids'],
        },
      ]),
      ...(dead ? {dead: postgres([{check: 'null-ids', table: 'nothing'}])} : {}),
    },
  });
  const engine = openEngine(config, {
    stateDirectory: await temporaryDirectory(),
    open: (name, store, use) => (name === 'dead' ? new Promise(() => {}) : openConnector(name, store, use)),
    ...more,
  });
  // What is dead can't be closed either.
  if (!dead) engines.push(engine);
  return engine;
};

const keysOf = ({sessions}: CustomerReport): unknown[] => sessions.map(({key}) => Object.values(key)[0]);

const annsRows = [
  'c354-1111-2222-3333',
  'old-session-of-ann-1',
  'sess_acc-1',
  'login-of-ann-000001',
  'login-of-ann-000002',
];

describe('what is theirs', () => {
  test.each([
    ['a customer id', 'customer-7'],
    ['an email in another case with blanks around', ' ANN@shop.Example\t'],
    ['a session id', 'c354-1111-2222-3333'],
    ['an account', 'acc-1'],
    ['a canonical id', 'sess_acc-1'],
    ["a device's fingerprint", 'dev-ann'],
  ])('%s leads to the sessions of all stores, the newest first, and to nobody else', async (_, id) => {
    const engine = await open();
    const report = await engine.customer(id);
    expect(keysOf(report)).toEqual(annsRows);
    expect(report).toMatchObject({errors: [], waiting: [], blocked: true, environment: 'test'});
    expect([...report.known, id.trim().toLowerCase()]).toEqual(
      expect.arrayContaining(['customer-7', 'ann@shop.example', 'acc-1']),
    );
    const [first, , , background, last] = report.sessions;
    expect(first).toMatchObject({
      store: 'rides',
      status: 'waiting',
      blocks: true,
      wrong: ['very-stale-waiting', 'orphaned'],
    });
    expect(first!.ageSeconds).toBeGreaterThanOrEqual(42 * 60);
    expect(Date.parse(first!.at!)).toBeLessThan(Date.parse(report.at));
    expect(background).toMatchObject({
      store: 'gym',
      status: 'background',
      blocks: false,
      wrong: ['wrong-fingerprint'],
    });
    expect(last).toMatchObject({at: null, ageSeconds: null});
  });

  test('a canonical id leads to its account where no row has it', async () => {
    await client.query(
      `update account_sessions set session_id = 'another-id-of-ann-1' where account_id = 'acc-1'`,
    );
    const report = await (await open()).customer('sess_acc-1');
    expect(keysOf(report)).toContain('another-id-of-ann-1');
    expect(report.known).toContain('customer-7');
  });

  test('a request whose session has another customer leads to neither the session nor that customer', async () => {
    await client.query(
      `insert into session_requests values ('request-of-ann-0001', 'customer-7', 'session-of-bob-00001', 'pending', now() - interval '1 hour', null)`,
    );
    const report = await (await open()).customer('customer-7');
    expect(keysOf(report)).toContain('request-of-ann-0001');
    expect(keysOf(report)).not.toContain('session-of-bob-00001');
    expect(report.known).not.toContain('customer-8');
    expect(report.notes).toEqual([expect.stringContaining('session-of-bob-00001, which a row of theirs')]);
  });

  test('a session that only their request refers to is theirs when it is nobody else’s', async () => {
    await client.query(`
      insert into sessions values ('session-of-nobody-1', null, 'waiting', now() - interval '1 hour', null);
      insert into session_requests values ('request-of-ann-0001', 'customer-7', 'session-of-nobody-1', 'accepted', now(), null)`);
    const report = await (await open()).customer('customer-7');
    expect(keysOf(report)).toContain('session-of-nobody-1');
  });

  test("a number that is one customer's id and another's session id is the customer's", async () => {
    await client.query(`
      insert into sessions values ('s-of-42', '42', 'completed', now(), null), ('42', 'customer-8', 'waiting', now() - interval '1 hour', null)`);
    const report = await (await open()).customer('42');
    expect(keysOf(report)).toEqual(['s-of-42']);
    expect(report).toMatchObject({blocked: false, known: []});
    expect(report.notes).toEqual([
      expect.stringMatching(/^42 also stands in .* row of customer-8: left out$/),
    ]);
  });

  test('a number that is the id of rows of several customers is nobody’s', async () => {
    await client.query(`
      insert into sessions values ('1', 'customer-7', 'completed', now(), null);
      insert into session_requests values ('1', 'customer-8', null, 'pending', now(), null)`);
    const report = await (await open()).customer('1');
    expect(report).toMatchObject({sessions: [], blocked: false, known: []});
    expect(report.verdict).toMatch(
      /^nothing is told: 1 is the id of rows of 2 customers \(customer-7, customer-8\)/,
    );
  });

  test('a number that is a row of one customer is not cleaned by while a store can not be asked', async () => {
    await client.query(
      `insert into sessions values ('42', 'customer-8', 'waiting', now() - interval '1 hour', null)`,
    );
    const whole = await open();
    expect(await whole.planUnblock(await whole.customer('42'))).toHaveLength(1);
    const part = await open({dead: true}, {timeoutMs: 1000});
    const report = await part.customer('42');
    expect(report).toMatchObject({known: expect.arrayContaining(['customer-8']), doubtful: true});
    expect(report.notes.join()).toContain('42 is the id of a row of customer-8');
    expect(await part.planUnblock(report)).toEqual([]);
    const named = await part.customer('customer-8');
    expect(await part.planUnblock(named)).toHaveLength(1);
  });

  test('a stream is shown with its rows and not followed to the devices that share it', async () => {
    const report = await (await open()).customer('stream-of-everybody');
    expect(report.sessions).toHaveLength(3);
    expect(report.known).toEqual([]);
    expect(report.notes).toEqual([
      expect.stringContaining('may be shared by customers in registry/duplicates'),
    ]);
    const device = await (await open()).customer('device-of-ann');
    expect(device.sessions).toHaveLength(2);
    expect(device.sessions[0]!.wrong).toEqual(['duplicate']);
  });

  test('an email of many customers is not followed to them, and no other customer’s blocks', async () => {
    await client.query(`
      insert into customers select 'agent-' || i, 'agent@shop.example' from generate_series(1, 9) i;
      insert into sessions select 'agents-session-' || i, 'agent-' || i, 'waiting', now() - interval '1 hour', null from generate_series(1, 9) i`);
    const typed = await (await open()).customer('agent@shop.example');
    expect(typed).toMatchObject({blocked: false, sessions: [], known: []});
    expect(typed.notes).toEqual([
      expect.stringContaining('agent@shop.example stands beside 9 or more other ids'),
    ]);
    const one = await (await open()).customer('agent-3');
    expect([keysOf(one), one.known]).toEqual([['agents-session-3'], []]);
  });

  test.each(['customer-7', 'c354-1111-2222-3333'])(
    'of two customers with one email %s leads to one, and unblocks that one only',
    async id => {
      await client.query(`
        alter table sessions add column email text;
        insert into customers values ('customer-9', 'Ann@shop.example');
        insert into sessions values
          ('session-of-nine-0001', 'customer-9', 'waiting', now() - interval '2 hours', null, null),
          ('session-of-nine-0002', 'customer-9', 'waiting', now() - interval '2 hours', null, 'ann@shop.example')`);
      const engine = await open();
      const report = await engine.customer(id);
      expect(keysOf(report)).toEqual(annsRows);
      expect(report.known).not.toContain('customer-9');
      expect(report.notes).toContain(
        "ann@shop.example also stands beside customer-9 in rides/customers customers: another customer's, left out",
      );
      const plans = await engine.planUnblock(report);
      expect(plans.flatMap(({changes}) => changes.map(({key}) => key.id))).toEqual(['c354-1111-2222-3333']);
      const both = await engine.customer('ann@shop.example');
      expect(both.known).toEqual(expect.arrayContaining(['customer-7', 'customer-9']));
      expect(both.notes).toEqual([
        expect.stringContaining(
          'stands beside several ids in rides/customers customers: customer-7, customer-9;',
        ),
      ]);
    },
  );

  test('a customer id that is an email is found in any case', async () => {
    await client.query(
      `update sessions set customer_id = 'Eve@Shop.example' where customer_id = 'customer-8'`,
    );
    const report = await (await open()).customer('eve@shop.EXAMPLE ');
    expect(keysOf(report)).toEqual(['session-of-bob-00001']);
    expect(await (await open()).planUnblock(report)).toMatchObject([{planned: 1}]);
  });

  test('of more rows than are read those that block come first, and it is said', async () => {
    await client.query(
      `insert into sessions select 'many-' || i, 'customer-7', 'completed', now() - i * interval '1 day', null from generate_series(1, 400) i`,
    );
    const report = await (await open()).customer('customer-7');
    expect(report.sessions.filter(({store}) => store === 'rides')).toHaveLength(200);
    expect(report.blockedBy.map(({id}) => id)).toEqual(['c354-1111-2222-3333']);
    expect(report.notes).toEqual([expect.stringMatching(/^402 rows of rides\/stale-sessions sessions/)]);
  });

  test('nobody is not the same as not blocked', async () => {
    const report = await (await open()).customer('nobody');
    expect(report.verdict).toBe(
      'nothing is known of nobody in any store; rides, gym, kite and registry were searched',
    );
    expect(report.searched).toContain('rides: sessions (customer_id, id)');
    await expect((await open()).customer('  ')).rejects.toMatchObject({code: 'usage'});
  });
});

describe('stores on their own time', () => {
  test('a store that never answers holds nobody up, and is waited for no longer than one likes', async () => {
    const engine = await open({dead: true});
    const leaving = new AbortController();
    const parts: CustomerReport[] = [];
    const asked = engine.customer('customer-7', {
      signal: leaving.signal,
      onPart: part => {
        parts.push(part);
        if (part.waiting.join() === 'dead' && part.sessions.length === annsRows.length)
          leaving.abort(new Error('enough'));
      },
    });
    await expect(asked).rejects.toThrow('enough');
    expect(parts.at(-1)!.verdict).toMatch(/^blocked by session c354.*; dead has not answered yet$/);
    expect(parts.length).toBeGreaterThan(1);
  });

  test('a store that never answers is an error after twice its time limit', async () => {
    const report = await (await open({dead: true}, {timeoutMs: 2000})).customer('customer-7');
    expect(report.waiting).toEqual([]);
    expect(report.errors).toEqual([
      {check: 'dead/null-ids', error: expect.objectContaining({code: 'timeout'})},
    ]);
    expect(keysOf(report)).toEqual(annsRows);
  });

  test('a table that is missing is an error of its check; nobody is then not told to be free', async () => {
    await client.query('drop table session_requests');
    const report = await (await open()).customer('customer-7');
    expect(report.errors).toMatchObject([{check: 'rides/stale-sessions', error: {code: 'not-found'}}]);
    expect(report.verdict).toContain('rides/stale-sessions could not be asked');
    expect(keysOf(report)).toContain('login-of-ann-000001');
  });
});

describe('the verdict', () => {
  test('says what blocks, for how long and what unblocks, and what keeps them from logging in', async () => {
    const {verdict} = await (await open()).customer('customer-7');
    expect(verdict).toBe(
      "blocked by session c354-1111-2222-3333 in rides: waiting for 42 minutes, no request; cancelling it unblocks. Also can't log in: the fingerprint of the background session does not follow from the email; `sesstui clean gym/device-sessions --action fix-fingerprint --customer ann@shop.example --yes` mends it",
    );
  });

  test('says of who is not blocked what keeps them from logging in all the same', async () => {
    await client.query(`update sessions set status = 'completed'`);
    const {verdict, blocked} = await (await open()).customer('customer-7');
    expect([blocked, verdict]).toEqual([
      false,
      expect.stringMatching(/^not blocked, but can't log in: the fingerprint/),
    ]);
  });

  test('in production its commands have the confirmation', async () => {
    const {hindrances} = await (await open({environment: 'shop-live'})).customer('customer-7');
    expect(hindrances[0]!.command!.slice(-3)).toEqual(['--yes', '--confirm', 'shop-live']);
  });

  test('says of what is alive that nothing here cancels it', async () => {
    await client.query(
      `update sessions set status = 'live', created_at = now() - interval '10 minutes' where id like 'c354%'`,
    );
    const report = await (await open()).customer('customer-7');
    expect(report.verdict).toContain('live for 10 minutes; not stale, so nothing here cancels it');
    expect(report.blockedBy).toMatchObject([{stale: false, finding: null}]);
  });
});

describe('the smallest plan', () => {
  const statuses = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (
        await client.query(
          'select id, status from sessions union all select id, status from session_requests',
        )
      ).rows.map(({id, status}) => [id, status]),
    );

  test('cancels what is stale and blocks, and nothing else of theirs or of others', async () => {
    await client.query(`
      insert into sessions values ('fresh-session-of-ann', 'customer-7', 'waiting', now(), null), ('live-session-of-ann0', 'customer-7', 'live', now() - interval '1 day', null);
      insert into session_requests values ('request-of-ann-0001', 'customer-7', null, 'pending', now() - interval '1 hour', null)`);
    const engine = await open();
    const before = await statuses();
    const report = await engine.customer('ann@shop.example');
    const plans = await engine.planUnblock(report);
    expect(plans.map(({check, action, planned}) => [check, action, planned])).toEqual([
      ['rides/stale-sessions', 'cancel', 2],
    ]);
    expect(await engine.run(plans[0]!)).toMatchObject({applied: 2, failed: 0});
    expect(await statuses()).toEqual({
      ...before,
      'c354-1111-2222-3333': 'cancelled',
      'request-of-ann-0001': 'cancelled',
    });
    const after = await engine.customer('ann@shop.example');
    expect(after.blockedBy.map(({id}) => id).sort()).toEqual([
      'fresh-session-of-ann',
      'live-session-of-ann0',
    ]);
    expect(await engine.planUnblock(after)).toEqual([]);
  });

  test("leaves an expired request alone that would take another customer's session along", async () => {
    await client.query(
      `insert into session_requests values ('request-of-ann-0001', 'customer-7', 'session-of-bob-00001', 'pending', now() - interval '1 hour', null)`,
    );
    const engine = await open();
    const [plan, ...others] = await engine.planUnblock(await engine.customer('customer-7'));
    expect(others).toEqual([]);
    expect(plan!.changes.map(({key}) => key.id)).toEqual(['c354-1111-2222-3333']);
  });

  test('takes a session without a request before it is too old, when the check says so', async () => {
    await client.query(`update sessions set created_at = now() - interval '8 minutes' where id like 'c354%'`);
    const engine = await open({stale: {orphanedAfter: '5m'}});
    const report = await engine.customer('customer-7');
    expect(report.blockedBy).toMatchObject([{stale: true, wrong: ['orphaned']}]);
    expect(await engine.planUnblock(report)).toMatchObject([{planned: 1}]);
  });

  test('tells no id that is secret, and leads to no other customer by it', async () => {
    await client.query(`
      alter table sessions rename id to access_token;
      insert into session_requests values ('request-of-ann-0001', 'customer-7', 'session-of-bob-00001', 'pending', now() - interval '1 hour', null)`);
    const engine = await open({stale: {sessions: {id: 'access_token'}}});
    const report = await engine.customer('c354-1111-2222-3333');
    expect(report.blockedBy.map(({id, what}) => [what, id])).toEqual([
      ['session', '••••'],
      ['request', 'request-of-ann-0001'],
    ]);
    const told = JSON.stringify({
      ...report,
      customer: '',
      findings: report.findings.map(item => ({...item, rows: []})),
    });
    expect(told).not.toContain('c354');
    const [plan] = await engine.planUnblock(report);
    expect(await engine.run(plan!)).toMatchObject({applied: 1});
    const {rows} = await client.query(`select access_token as id from sessions where status = 'cancelled'`);
    expect(rows).toEqual([{id: 'c354-1111-2222-3333'}]);
  });

  test('of a customer with more rows than are looked at plans what was looked at, and reads no more', async () => {
    await client.query(
      `insert into sessions select 'many-' || i, 'customer-7', 'waiting', now() - interval '1 hour', null from generate_series(1, 10000) i`,
    );
    const engine = await open({}, {timeoutMs: 8000});
    const report = await engine.customer('customer-7');
    expect(await engine.planUnblock(report)).toMatchObject([{planned: 200}]);
  }, 60_000);

  test('does not touch what came alive since one looked', async () => {
    const engine = await open();
    const report = await engine.customer('customer-7');
    await client.query(`update sessions set status = 'live' where id like 'c354%'`);
    expect(await engine.planUnblock(report)).toEqual([]);
  });
});

test('an interrupted question rejects with the reason', async () => {
  const engine = await open();
  const leaving = new AbortController();
  leaving.abort(new Error('gone'));
  const fault = await engine
    .customer('customer-7', {signal: leaving.signal})
    .catch((error: SesstuiError) => error);
  expect(fault).toMatchObject({message: 'gone'});
});

describe('a table of more rows than limits.scan', () => {
  const large = {environment: 'production', scan: 2};
  const unsearched = (report: CustomerReport) =>
    report.errors.filter(({error}) => error.code === 'scan-limit').map(({error}) => error.message);

  beforeEach(() => client.query('analyze'));

  test('is searched by its indexed columns, and told like a store that could not be asked', async () => {
    const engine = await open(large);
    const report = await engine.customer('c354-1111-2222-3333');
    expect(report.sessions.map(({key}) => key.id)).toContain('c354-1111-2222-3333');
    expect(unsearched(report).join()).toContain(
      'sessions.customer_id was not searched: it has no index, and about 3 rows are more than limits.scan (2)',
    );
    expect(report.errors[0]!.error.hint).toContain('--allow-scan');
    expect(report.verdict).toContain('blocked by session c354-1111-2222-3333');
  });

  test('is searched whole with an index, with --allow-scan, and in a safe place', async () => {
    expect(unsearched(await (await open({scan: 2})).customer('customer-7'))).toEqual([]);
    expect(unsearched(await (await open(large, {allowScan: true})).customer('customer-7'))).toEqual([]);
    await client.query('create index on sessions (customer_id); create index on logins (email)');
    await client.query('create index on session_requests (customer_id)');
    const report = await (await open(large)).customer('customer-7');
    expect(unsearched(report).filter(text => text.includes('sessions.customer_id'))).toEqual([]);
    expect(report.blocked).toBe(true);
  });
});
