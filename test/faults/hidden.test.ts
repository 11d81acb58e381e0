/**
 * Rows that this user does not see, and rows of others that hang on what is deleted (safety S14, S15): the answer is
 * an error and never a smaller result, and nothing of another table goes along with a delete.
 */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import type {FullEngine} from '../../source/engine/engine.js';
import {record} from './record.js';
import {
  type Calls,
  type CheckJson,
  configured,
  type ErrorJson,
  engineOn,
  openStage,
  type RunJson,
  type Stage,
} from './stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.sql('create role clerk login; create role bypasser login bypassrls; create role keeper login');
});
afterAll(() => stage?.close());

const duplicates = (more: object = {}) => ({
  check: 'duplicates',
  table: 'sessions',
  groupBy: ['account'],
  latestBy: ['at'],
  ...more,
});
const storeOf = (url: string, checks: object[]) => ({kind: 'postgres', url, checks});
/** A check on `sessions` as some user, and one on a table that is always whole. */
const callsAs = (user: string, more: object = {}): Promise<Calls> =>
  configured({
    environment: 'test',
    stores: {
      shop: storeOf(stage.as(user), [duplicates(more)]),
      whole: storeOf(stage.url, [{check: 'duplicates', table: 'others', groupBy: ['account']}]),
    },
  });

/** Two groups of three and two rows. */
const fill = (
  suffix = '',
) => `create table sessions${suffix} (id int primary key, account text, at timestamptz, owner text);
  insert into sessions values (1, 'a', '2026-01-01', 'clerk'), (2, 'a', '2026-01-02', 'keeper'),
    (3, 'a', '2026-01-03', 'clerk'), (4, 'b', '2026-01-01', 'clerk'), (5, 'b', '2026-01-02', 'clerk')`;
const rowsOf = async (table = 'sessions'): Promise<string[]> =>
  (await stage.sql(`select (t.*)::text as row from ${table} t order by 1`)).rows.map(
    ({row}) => row as string,
  );

const dump = async (tables: string[]): Promise<string[][]> => {
  const rows: string[][] = [];
  for (const table of tables) rows.push(await rowsOf(table));
  return rows;
};

beforeEach(async () => {
  await stage.sql(`drop schema if exists public cascade; drop schema if exists elsewhere cascade; create schema public;
    grant usage, create on schema public to public`);
  await stage.sql(`${fill()}; create table others (id int primary key, account text);
    insert into others values (1, 'x'), (2, 'x')`);
});

describe('rows that a user does not see', () => {
  /** How the table is set up, as whom it is asked, and the code of the error. */
  const hidden: {how: string; sql: string; user: string; code: string}[] = [
    {
      how: 'row-level security without a policy',
      sql: 'alter table sessions enable row level security; grant select on sessions to clerk',
      user: 'clerk',
      code: 'incomplete',
    },
    {
      how: 'row-level security with a policy',
      sql: `alter table sessions enable row level security; grant all on sessions to clerk;
        create policy own on sessions using (owner = current_user)`,
      user: 'clerk',
      code: 'incomplete',
    },
    {
      how: 'a policy that lets every row through',
      sql: `alter table sessions enable row level security; grant all on sessions to clerk;
        create policy every on sessions using (true)`,
      user: 'clerk',
      code: 'incomplete',
    },
    {
      how: 'row-level security forced on the owner',
      sql: `alter table sessions enable row level security; alter table sessions force row level security;
        create policy own on sessions using (owner = 'keeper'); alter table sessions owner to keeper`,
      user: 'keeper',
      code: 'incomplete',
    },
    {
      how: 'a view over a table under row-level security',
      sql: `alter table sessions enable row level security; alter table sessions rename to kept;
        grant all on kept to clerk; create policy own on kept using (owner = current_user);
        create view sessions as select * from kept; alter view sessions owner to clerk`,
      user: 'clerk',
      code: 'unsupported',
    },
    {
      how: 'a view that leaves rows out',
      sql: `alter table sessions rename to kept; create view sessions as select * from kept where id > 3;
        grant all on sessions to clerk`,
      user: 'clerk',
      code: 'unsupported',
    },
    {
      how: 'no privilege on a column that is read',
      sql: 'grant select (id, account) on sessions to clerk',
      user: 'clerk',
      code: 'refused',
    },
    {how: 'no privilege on the table', sql: 'select 1', user: 'clerk', code: 'refused'},
    {
      how: 'no privilege on the schema',
      sql: `create schema elsewhere; alter table sessions set schema elsewhere;
        grant all on elsewhere.sessions to clerk; alter role clerk set search_path = elsewhere, public`,
      user: 'clerk',
      code: 'refused',
    },
  ];

  test.each(hidden)('$how: $code, and the other check still reports', async ({how, sql, user, code}) => {
    await stage.sql(sql);
    const calls = await callsAs(user, how.includes('schema') ? {table: 'elsewhere.sessions'} : {});
    const {code: exit, json} = await calls.json<CheckJson>(['check']);
    await stage.sql('alter role clerk reset search_path');
    expect(json.checks[0]).toMatchObject({status: 'error', total: 0, findings: [], error: {code}});
    expect(json.checks[0]!.error!.hint).not.toBe('');
    expect(json.checks[1]).toMatchObject({check: 'whole/duplicates', status: 'fail', total: 1});
    expect(exit).toBe(3);
    const cleaned = await calls.json<{error: {code: string}}>([
      ...['clean', 'shop/duplicates', '--action', 'keep-latest', '--yes'],
    ]);
    expect([cleaned.code, cleaned.json.error.code]).toEqual([3, code]);
    record({requirement: 'S14', fault: how, server: stage.name, rounds: 1, violations: 0});
  });

  test('an owner without FORCE, and a role that passes by the policies, see and clean everything', async () => {
    await stage.sql(`alter table sessions enable row level security; alter table sessions owner to keeper;
      create policy own on sessions using (owner = current_user); grant all on sessions to bypasser`);
    for (const user of ['keeper', 'bypasser']) {
      const {json} = await (await callsAs(user)).json<CheckJson>(['check', 'shop/duplicates']);
      expect(json.checks[0]).toMatchObject({status: 'fail', total: 2});
    }
    const calls = await callsAs('keeper');
    const done = await calls.json<RunJson>(['clean', 'shop/duplicates', '--action', 'keep-latest', '--yes']);
    expect(done.json).toMatchObject({planned: 3, applied: 3, remaining: 0});
  });

  test('a partition under row-level security is seen whole through its parent, and refused by its own name', async () => {
    await stage.sql(`drop table sessions;
      create table sessions (id int, account text, at timestamptz, primary key (id)) partition by range (id);
      create table low partition of sessions for values from (0) to (100);
      create table high partition of sessions for values from (100) to (200);
      insert into sessions values (1, 'a', '2026-01-01'), (101, 'a', '2026-01-02');
      alter table low enable row level security; grant all on sessions, low to clerk`);
    const {json} = await (await callsAs('clerk')).json<CheckJson>(['check', 'shop/duplicates']);
    expect(json.checks[0]).toMatchObject({status: 'fail', total: 1});
    const part = await (await callsAs('clerk', {table: 'low'})).json<CheckJson>(['check', 'shop/duplicates']);
    expect(part.json.checks[0]).toMatchObject({status: 'error', error: {code: 'incomplete'}});
  });

  test('hidden requests do not make a session an orphan', async () => {
    await stage.sql(`create table waiting (id int primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
      create table requests (id int primary key, customer_id text, session_id int, status text, created_at timestamptz, updated_at timestamptz);
      insert into waiting values (1, 'c', 'waiting', now() - interval '25 minutes', null);
      insert into requests values (1, 'c', 1, 'accepted', now() - interval '25 minutes', null);
      grant all on waiting, requests to clerk; alter table requests enable row level security`);
    const check = {
      check: 'stale-sessions',
      sessions: {table: 'waiting'},
      requests: {table: 'requests'},
      waitingAfter: '1d',
      veryStaleAfter: '2d',
    };
    const seen = await configured({environment: 'test', stores: {shop: storeOf(stage.url, [check])}});
    expect((await seen.json<CheckJson>(['check'])).json.checks[0]).toMatchObject({status: 'pass', total: 0});
    const calls = await configured({
      environment: 'test',
      stores: {shop: storeOf(stage.as('clerk'), [check])},
    });
    const {code, json} = await calls.json<CheckJson>(['check']);
    expect([code, json.checks[0]!.error!.code]).toEqual([3, 'incomplete']);
    const asked = await calls.json<{errors: {error: {code: string}}[]; sessions: unknown[]}>([
      'customer',
      'c',
    ]);
    expect([asked.code, asked.json.errors[0]!.error.code]).toEqual([3, 'incomplete']);
    record({requirement: 'S14', fault: 'hidden partner rows', server: stage.name, rounds: 1, violations: 0});
  });

  test('rows that are hidden while a run is under way fail, and nothing more is written', async () => {
    await stage.sql('grant all on sessions to clerk');
    const engine = await engineAs('clerk');
    const plan = await engine.plan('shop/duplicates', 'keep-latest', {});
    let hiding: Promise<unknown> | undefined;
    const result = await engine.run(plan, {
      ratePerSecond: 1,
      onProgress: ({outcome}) => {
        if (outcome?.result === 'applied')
          hiding ??= stage.sql('alter table sessions enable row level security');
      },
    });
    await hiding;
    await engine.close();
    expect(result).toMatchObject({applied: 2, failed: 1, remaining: null});
    expect(result.changes.at(-1)!.error).toContain('Row-level security');
    expect(await rowsOf()).toHaveLength(3);
    record({
      requirement: 'S14',
      fault: 'RLS enabled during a run',
      server: stage.name,
      rounds: 1,
      violations: 0,
    });
  });
});

type Dependent = {
  how: string;
  /** Makes what hangs on `sessions`. */
  sql: string;
  /** What the error has to name. */
  names: string;
  /** Tables that have to stay as they are. */
  tables: string[];
  /** Making it changes the rows themselves, so that a plan from before skips them. */
  skips?: true;
};

const child = (name: string, action: string, parent = 'sessions'): string =>
  `create table ${name} (id int primary key, session int default 3 references ${parent} (id) on delete ${action});
   insert into ${name} select id, id from ${parent}`;

const dependents: Dependent[] = [
  {how: 'ON DELETE CASCADE', sql: child('devices', 'cascade'), names: 'devices', tables: ['devices']},
  {how: 'ON DELETE SET NULL', sql: child('devices', 'set null'), names: 'devices', tables: ['devices']},
  {how: 'ON DELETE SET DEFAULT', sql: child('devices', 'set default'), names: 'devices', tables: ['devices']},
  {
    how: 'CASCADE on a deferred constraint',
    sql: `create table devices (id int primary key, session int references sessions (id) on delete cascade deferrable initially deferred);
      insert into devices select id, id from sessions`,
    names: 'devices',
    tables: ['devices'],
  },
  {
    how: 'CASCADE in another schema',
    sql: `create schema elsewhere; ${child('elsewhere.devices', 'cascade')}`,
    names: 'elsewhere.devices',
    tables: ['elsewhere.devices'],
  },
  {
    how: 'CASCADE over two levels',
    sql: `${child('devices', 'cascade')}; ${child('pushes', 'cascade', 'devices')}`,
    names: 'devices, pushes',
    tables: ['devices', 'pushes'],
  },
  {
    how: 'CASCADE to itself',
    sql: `alter table sessions add parent int references sessions (id) on delete cascade;
      update sessions set parent = 1 where id in (3, 5)`,
    names: 'sessions',
    tables: ['sessions'],
  },
  {
    how: 'CASCADE of a partitioned child',
    sql: `create table devices (id int, session int references sessions (id) on delete cascade) partition by range (id);
      create table first_devices partition of devices for values from (0) to (100);
      insert into devices select id, id from sessions`,
    names: 'devices',
    tables: ['devices'],
  },
  {
    how: 'CASCADE on a parent of partitions',
    sql: `drop table sessions; create table sessions (id int primary key, account text, at timestamptz, owner text) partition by range (id);
      create table low partition of sessions for values from (0) to (100);
      insert into sessions values (1, 'a', '2026-01-01'), (2, 'a', '2026-01-02'); ${child('devices', 'cascade')}`,
    names: 'devices',
    tables: ['devices'],
  },
  {
    how: 'CASCADE on one partition',
    sql: `drop table sessions; create table sessions (id int primary key, account text, at timestamptz, owner text) partition by range (id);
      create table low partition of sessions for values from (0) to (100);
      insert into sessions values (1, 'a', '2026-01-01'), (2, 'a', '2026-01-02'); ${child('devices', 'cascade', 'low')}`,
    names: 'devices',
    tables: ['devices'],
  },
  {
    how: 'CASCADE on a table that inherits',
    sql: `create table more (primary key (id)) inherits (sessions);
      insert into more values (11, 'a', '2025-01-01'), (12, 'c', '2025-01-01'), (13, 'c', '2025-01-02');
      ${child('devices', 'cascade', 'more')}`,
    names: 'devices',
    tables: ['devices', 'more'],
    skips: true,
  },
  {
    how: 'a rule that deletes elsewhere as well',
    sql: `${child('devices', 'no action')}; alter table devices drop constraint devices_session_fkey;
      create rule tidy as on delete to sessions do also delete from devices where session = old.id`,
    names: 'sessions (rule tidy)',
    tables: ['devices'],
  },
  {
    how: 'a rule that does something else instead',
    sql: `create rule soft as on delete to sessions do instead update sessions set owner = 'gone' where id = old.id
      returning old.*`,
    names: 'sessions (rule soft)',
    tables: [],
  },
];

const unreferencing = `create table devices (id int primary key, session int);
  insert into devices select id, id from sessions; create function tidy() returns trigger language plpgsql as`;

const triggers: Dependent[] = [
  {
    how: 'a trigger that deletes in another table',
    sql: `${unreferencing} $$begin delete from devices where session = old.id; return old; end$$;
      create trigger tidy after delete on sessions for each row execute function tidy()`,
    names: 'public.devices (by a trigger)',
    tables: ['devices'],
  },
  {
    how: 'a trigger that deletes in another table once a statement',
    sql: `${unreferencing} $$begin delete from devices where session not in (select id from sessions); return null; end$$;
      create trigger tidy after delete on sessions for each statement execute function tidy()`,
    names: 'public.devices (by a trigger)',
    tables: ['devices'],
  },
  {
    how: 'a trigger that deletes more of the table',
    sql: `${unreferencing} $$begin if pg_trigger_depth() = 1 then delete from sessions where account = old.account; end if; return null; end$$;
      create trigger tidy after delete on sessions for each row execute function tidy()`,
    names: 'sessions that were not to be deleted (by a trigger)',
    tables: ['devices'],
  },
  {
    how: 'a trigger over a table that cascades',
    sql: `create table devices (id int primary key, session int); insert into devices select id, id from sessions;
      create table pushes (id int primary key, device int references devices (id) on delete cascade);
      insert into pushes select id, id from devices;
      create function tidy() returns trigger language plpgsql as $$begin delete from devices where session = old.id; return old; end$$;
      create trigger tidy before delete on sessions for each row execute function tidy()`,
    names: 'public.pushes',
    tables: ['devices', 'pushes'],
  },
];

const engineAs = (user: string): Promise<FullEngine> =>
  engineOn({environment: 'test', stores: {shop: storeOf(stage.as(user), [duplicates()])}});

describe('rows of others that hang on what is deleted', () => {
  const clean = ['clean', 'shop/duplicates', '--action', 'keep-latest'];

  test.each(dependents)(
    '$how: refused by name, before and after --yes',
    async ({how, sql, names, tables}) => {
      await stage.sql(sql);
      const before = await dump(['sessions', ...tables]);
      const calls = await callsAs('postgres');
      for (const more of [[], ['--yes']]) {
        const {code, json} = await calls.json<ErrorJson>([...clean, ...more]);
        expect([code, json.error.code]).toEqual([3, 'cascade']);
        expect(json.error.message).toContain(`change rows of ${names} `);
        expect(json.error.hint).toContain('NO ACTION');
      }
      expect(await dump(['sessions', ...tables])).toEqual(before);
      record({requirement: 'S15', fault: how, server: stage.name, rounds: 2, violations: 0});
    },
  );

  test.each([...dependents, ...triggers])(
    '$how, made after the plan: the run fails, and nothing of it stays',
    async ({how, sql, names, tables, skips}) => {
      // The plan is made of the same rows, where what the fault makes does not replace the table.
      const replaces = sql.startsWith('drop table sessions')
        ? sql.split(child('devices', 'cascade').slice(0, 20))[0]!
        : '';
      const rest = sql.slice(replaces.length);
      await stage.sql(replaces || 'select 1');
      const engine = await engineAs('postgres');
      const plan = await engine.plan('shop/duplicates', 'keep-latest', {});
      await stage.sql(rest);
      const before = await dump(['sessions', ...tables]);
      const result = await engine.run(plan);
      await engine.close();
      expect(result.applied).toBe(0);
      expect(result[skips ? 'skipped' : 'failed']).toBe(result.planned);
      if (!skips) for (const change of result.changes) expect(change.error).toContain(names);
      expect(await dump(['sessions', ...tables])).toEqual(before);
      record({
        requirement: 'S15',
        fault: `${how}, after the plan`,
        server: stage.name,
        rounds: 1,
        violations: 0,
      });
    },
  );

  test('what refers with NO ACTION or RESTRICT fails its own group; the others go', async () => {
    await stage.sql(`create table devices (id int primary key, session int references sessions (id));
      create table late (id int primary key, session int references sessions (id) deferrable initially deferred);
      insert into devices values (1, 1); insert into late values (1, 5), (2, 4)`);
    const calls = await callsAs('postgres');
    const {code, json} = await calls.json<RunJson>([...clean, '--yes']);
    expect([code, json.applied, json.failed]).toEqual([4, 0, 3]);
    expect(await rowsOf()).toHaveLength(5);
    await stage.sql('delete from late');
    const again = await calls.json<RunJson>([...clean, '--yes']);
    expect([again.code, again.json.applied, again.json.failed]).toEqual([4, 1, 2]);
    expect(await rowsOf()).toHaveLength(4);
  });

  test('a trigger that audits, and one that counts, are no reason to refuse', async () => {
    await stage.sql(`create table trail (id int); create table counts (n int); insert into counts values (5);
      create function trail() returns trigger language plpgsql as
        $$begin insert into trail values (old.id); update counts set n = n - 1; return old; end$$;
      create trigger trail after delete on sessions for each row execute function trail()`);
    const calls = await callsAs('postgres');
    const {code, json} = await calls.json<RunJson>([...clean, '--yes']);
    expect([code, json.applied, json.failed]).toEqual([0, 3, 0]);
    expect(await rowsOf('trail')).toHaveLength(3);
  });

  test('an update that a rule would carry elsewhere is refused', async () => {
    await stage.sql(`create table calls (id int primary key, "sessionId" text, note text); insert into calls values (1, null), (2, null);
      create table spreads (id int); create rule spread as on update to calls do also insert into spreads values (old.id)`);
    const calls = await configured({
      environment: 'test',
      stores: {shop: storeOf(stage.url, [{check: 'null-ids', table: 'calls'}])},
    });
    const before = await rowsOf('calls');
    const {code, json} = await calls.json<RunJson>([
      'clean',
      'shop/null-ids',
      '--action',
      'assign-ids',
      '--yes',
    ]);
    expect([code, json.applied, json.failed]).toEqual([4, 0, 2]);
    expect(json.changes[0]!.error).toContain('calls (rule spread)');
    expect(await rowsOf('calls')).toEqual(before);
  });
});
