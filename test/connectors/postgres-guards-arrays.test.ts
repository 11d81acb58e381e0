/** Sorted arrays and the unique constraint on them: state, install, uninstall, what is in the way. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {freshRegistry, migration} from '../library/registry-bench.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {postgresServers} from '../support/postgres.js';
import {
  bothRules,
  install,
  mend,
  named,
  sortedRule,
  table,
  uninstall,
  uniqueRule,
} from './guards-arrays-bench.js';
import {type Bench, openBench} from './postgres-harness.js';

const keys = (sessions: string, device = 'd', stream = 's'): string =>
  `insert into ${table} (device_key, stream_id, session_ids, message_envelope) values ('${device}', '${stream}', '${sessions}', '\\x00')`;

describe.each(postgresServers)('arrays guarded on $name', ({start}) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench(await start());
  });
  afterAll(() => bench?.close());
  beforeEach(async () => {
    await bench.client.query('drop schema public cascade; create schema public');
    await freshRegistry(bench.client);
  });
  const run = (text: string) => bench.client.query(text);
  const states = () =>
    Promise.all(bothRules.map(rule => bench.connector.guards.state(rule))) as Promise<
      {state: string; why: string | null}[]
    >;
  const stored = async (): Promise<string[]> =>
    (await run(`select session_ids::text as s from ${table}`)).rows.map(({s}) => s as string).sort();
  const mending = () => mend(bench.client);
  const installBoth = () => install(bench.connector, bothRules, mending);
  const missing = {state: 'missing', why: null};
  const installed = {state: 'installed', why: null};
  const refusal = {code: '23505', constraint: 'unique_device_stream_session_ids', table};

  test('missing, then installed over duplicates, then refused; taken away, the catalogue is as it was', async () => {
    for (const sessions of ['{b,a}', '{a,b}', '{c,a,b}', '{}', '{b,c}']) await run(keys(sessions));
    const before = await catalogueDump(bench.client);
    expect(await states()).toEqual([missing, missing]);
    const {steps} = await installBoth();
    expect(steps.map(({name}) => name)).toEqual([
      'hash',
      'trigger',
      'meanwhile',
      'index',
      'constraint',
      'tidy',
    ]);
    expect(await states()).toEqual([installed, installed]);
    expect(await stored()).toEqual(['{a,b,c}', '{a,b}', '{b,c}', '{}']);
    await expect(run(keys('{b,a}'))).rejects.toMatchObject(refusal);
    await run(keys('{d,a}'));
    expect(await stored()).toContain('{a,d}');
    for (const rule of bothRules)
      expect(await bench.connector.guards.steps(rule, 'install', {before: null})).toEqual([]);
    await uninstall(bench.connector, bothRules);
    expect(await catalogueDump(bench.client)).toBe(before);
    expect(await states()).toEqual([missing, missing]);
    for (const rule of bothRules)
      expect(await bench.connector.guards.steps(rule, 'uninstall', {before: null})).toEqual([]);
  });

  test("the team's own migration counts as installed, and is taken away as ours is", async () => {
    const before = await catalogueDump(bench.client);
    await run(migration);
    expect(await states()).toEqual([installed, installed]);
    await uninstall(bench.connector, bothRules);
    expect(await catalogueDump(bench.client)).toBe(before);
  });

  test('while it is being installed, a second row is refused by the name of the constraint', async () => {
    await run(keys('{b,a}'));
    await run(keys('{c,b}'));
    const refused: string[] = [];
    await install(bench.connector, bothRules, mending, async ({name}) => {
      if (name !== 'meanwhile') return;
      await expect(run(keys('{a,b}'))).rejects.toMatchObject(refusal);
      await expect(run(`${keys('{x,y}')}, ('d', 's', '{y,x}', '')`)).rejects.toMatchObject(refusal);
      await expect(
        run(`update ${table} set session_ids = '{b,c}' where session_ids = '{b,a}'`),
      ).rejects.toMatchObject(refusal);
      await run(`update ${table} set session_ids = '{a,b}' where session_ids = '{b,a}'`);
      await run(keys('{a,a,b}'));
      expect((await states())[1]).toEqual({state: 'drifted', why: 'an install was not finished'});
      refused.push(name);
    });
    expect(refused).toEqual(['meanwhile']);
    expect(await stored()).toEqual(['{a,a,b}', '{a,b}', '{b,c}']);
  });

  test('every step can be where an install ends: the next goes on, an uninstall leaves nothing', async () => {
    await run(keys('{b,a}'));
    const before = await catalogueDump(bench.client);
    const names = ['hash', 'trigger', 'meanwhile', 'index', 'constraint'];
    for (const end of names) {
      const kill = async ({name}: {name: string}) => {
        if (name === end) throw new Error('killed');
      };
      await expect(install(bench.connector, bothRules, mending, kill)).rejects.toThrow('killed');
      await uninstall(bench.connector, bothRules);
      expect(await catalogueDump(bench.client), `uninstalled after ${end}`).toBe(before);
      await expect(install(bench.connector, bothRules, mending, kill)).rejects.toThrow('killed');
      const {before: captured} = await installBoth();
      expect(await states(), `installed after ${end}`).toEqual([installed, installed]);
      await uninstall(bench.connector, bothRules, captured);
      expect(await catalogueDump(bench.client), `installed and uninstalled after ${end}`).toBe(before);
    }
  });

  test('a large table gets an index to look rows up by, and loses it again', async () => {
    await run(
      `insert into ${table} select 'd', 's', array[i::text, 'x'], '' from generate_series(1, 10001) i`,
    );
    const before = await catalogueDump(bench.client);
    const plans: string[] = [];
    const {steps} = await install(bench.connector, bothRules, mending, async ({name}) => {
      if (name !== 'meanwhile') return;
      await expect(run(keys('{x,77}'))).rejects.toMatchObject(refusal);
      const hash = 'unique_device_stream_session_ids_meanwhile';
      const {rows} = await run(
        `explain select from ${table} t where public.${hash}(t.device_key, t.stream_id, t.session_ids) = 7`,
      );
      plans.push(rows.map(row => row['QUERY PLAN']).join());
    });
    expect(steps.map(({name}) => name)).toContain(`helper ${table}`);
    expect(plans.join()).toContain('unique_device_stream_session_ids_meanwhile');
    await uninstall(bench.connector, bothRules);
    expect(await catalogueDump(bench.client)).toBe(before);
  });

  test('what differs is told', async () => {
    const differs = async (change: string): Promise<(string | null)[]> => {
      await freshRegistry(bench.client);
      await run(
        'drop function if exists sort_session_ids_trigger(); drop function if exists sort_varchar_array(varchar[])',
      );
      await run(migration);
      await run(change);
      return (await states()).map(({state, why}) => (state === 'drifted' ? why : state));
    };
    const constraint = `alter table ${table} drop constraint unique_device_stream_session_ids`;
    const name = 'unique_device_stream_session_ids';
    expect(
      await differs(
        `create or replace function sort_varchar_array(arr varchar[]) returns varchar[] language sql as $$ select arr $$`,
      ),
    ).toEqual(['sort_varchar_array is another function', 'installed']);
    expect(
      await differs(
        `create or replace function sort_session_ids_trigger() returns trigger language plpgsql as $$ begin return new; end $$`,
      ),
    ).toEqual(['sort_session_ids_trigger is another function', 'installed']);
    expect(await differs(`alter table ${table} disable trigger trigger_sort_session_ids`)).toEqual([
      'trigger_sort_session_ids is disabled',
      'installed',
    ]);
    expect(await differs(`drop trigger trigger_sort_session_ids on ${table}`)).toEqual([
      'there is no trigger_sort_session_ids',
      'installed',
    ]);
    const again = (how: string) =>
      `drop trigger trigger_sort_session_ids on ${table}; create trigger trigger_sort_session_ids ${how}`;
    expect(
      await differs(
        again(`before insert on ${table} for each row execute function sort_session_ids_trigger()`),
      ),
    ).toEqual(['trigger_sort_session_ids does not fire before every insert and update', 'installed']);
    expect(
      await differs(
        again(
          `before insert or update on ${table} for each row when (new.stream_id <> '') execute function sort_session_ids_trigger()`,
        ),
      ),
    ).toEqual(['trigger_sort_session_ids fires under a condition only', 'installed']);
    expect(
      await differs(
        `${constraint}; alter table ${table} add constraint ${name} unique (device_key, session_ids)`,
      ),
    ).toEqual(['installed', `${name} is on device_key, session_ids`]);
    expect(
      await differs(
        `${constraint}; alter table ${table} add constraint ${name} unique (session_ids, stream_id, device_key)`,
      ),
    ).toEqual(['installed', 'installed']);
    expect(
      await differs(
        `${constraint}; alter table ${table} add constraint ${name} unique (device_key, stream_id, session_ids) deferrable`,
      ),
    ).toEqual(['installed', `${name} is deferrable`]);
    expect(
      await differs(
        `${constraint}; create unique index ${name} on ${table} (device_key, stream_id, session_ids)`,
      ),
    ).toEqual(['installed', `${name} is an index only, not a constraint`]);
  });

  test('what was there in its place is put back as it was', async () => {
    const name = 'unique_device_stream_session_ids';
    const others = [
      `create function sort_varchar_array(arr varchar[]) returns varchar[] language sql immutable as $$ select arr $$;
       create function sort_session_ids_trigger() returns trigger language plpgsql as $$ begin return new; end $$;
       create trigger trigger_sort_session_ids before insert on ${table} for each row execute function sort_session_ids_trigger();
       alter table ${table} disable trigger trigger_sort_session_ids`,
      `alter table ${table} add constraint ${name} unique (device_key, stream_id, session_ids) deferrable initially deferred`,
      `create index ${name} on ${table} (device_key)`,
    ];
    for (const other of others) {
      await bench.client.query('drop schema public cascade; create schema public');
      await freshRegistry(bench.client, other);
      const before = await catalogueDump(bench.client);
      const {before: captured} = await installBoth();
      expect(await states()).toEqual([installed, installed]);
      await uninstall(bench.connector, bothRules, captured);
      expect(await catalogueDump(bench.client)).toBe(before);
    }
  });

  test('a function that another table uses stays, and is not replaced', async () => {
    await run('create table other_keys (session_ids varchar[])');
    const other = {...sortedRule, table: 'other_keys'} as typeof sortedRule;
    await install(bench.connector, [other], async () => undefined);
    const before = await catalogueDump(bench.client);
    await installBoth();
    const steps = await uninstall(bench.connector, bothRules);
    expect(steps.at(-1)!.text).toContain('stays, as other_keys uses it');
    expect(await catalogueDump(bench.client)).toBe(before);
    await run(
      'create or replace function sort_session_ids_trigger() returns trigger language plpgsql as $$ begin return null; end $$',
    );
    await expect(bench.connector.guards.steps(sortedRule, 'install', {before: null})).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('other_keys'),
    });
  });

  test('what can not be is refused before anything is written', async () => {
    const refused = (columns: string[], unordered: string[] = []) =>
      bench.connector.guards.state({rule: 'unique', table, columns, unordered});
    await run(`alter table ${table} add column meta jsonb, add column raw json`);
    expect(await refused(['device_key', 'meta.id'])).toMatchObject({state: 'unavailable'});
    expect((await refused(['raw'])).why).toContain('json');
    expect((await refused(['nothing'])).why).toContain('no column "nothing"');
    const before = await catalogueDump(bench.client);
    const begin = () => bench.connector.guards.steps(uniqueRule, 'install', {before: null});
    await run(
      `insert into ${table} select 'd', 's', array(select md5((i * 1000 + n)::text) from generate_series(1, 120) n), '' from generate_series(1, 3) i`,
    );
    await expect(begin()).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/^3 rows have a key of more than 2704 bytes/),
    });
    await run(`truncate ${table}`);
    await run(keys('[2:3]={a,b}'));
    await expect(begin()).rejects.toMatchObject({message: expect.stringContaining('does not count from 1')});
    expect(await catalogueDump(bench.client)).toBe(before);
  });

  test('elements of other types are sorted in the order of their sets; arrays of arrays stay', async () => {
    await run(
      `create table kinds (id int primary key, texts text[], numbers int[], ids uuid[], words varchar(3)[])`,
    );
    const rule = {rule: 'sorted' as const, table: 'kinds', columns: ['texts', 'numbers', 'ids', 'words']};
    await install(bench.connector, [rule], async () => undefined);
    await run(`insert into kinds values (1, '{b,NULL,a,B}', '{10,9,NULL}', '{ffffffff-0000-4000-8000-000000000000,00000000-0000-4000-8000-000000000000}', '{b,a}'),
      (2, '{{b,a},{d,c}}', null, '{}', '[3:4]={b,a}')`);
    expect(
      (await run(`select texts::text, numbers::text, ids::text, words::text from kinds order by id`)).rows,
    ).toEqual([
      {
        texts: '{B,a,b,NULL}',
        numbers: '{9,10,NULL}',
        ids: '{00000000-0000-4000-8000-000000000000,ffffffff-0000-4000-8000-000000000000}',
        words: '{a,b}',
      },
      {texts: '{{b,a},{d,c}}', numbers: null, ids: '{}', words: '{a,b}'},
    ]);
    expect(await bench.connector.guards.state(rule)).toEqual(installed);
  });

  test('guards test: everything that the guards are for is proved, on a copy that is dropped', async () => {
    const before = await catalogueDump(bench.client);
    const proofs = [];
    for await (const proof of bench.connector.guards.prove(named)) proofs.push(proof);
    expect(proofs.filter(({passed}) => !passed)).toEqual([]);
    expect(proofs.length).toBeGreaterThan(10);
    expect(await catalogueDump(bench.client)).toBe(before);
  });

  test('a key without arrays is proved too', async () => {
    await run(`alter table ${table} alter session_ids type text[]`);
    const rule = {rule: 'unique' as const, table, columns: ['device_key', 'session_ids'], unordered: []};
    const proofs = [];
    for await (const proof of bench.connector.guards.prove([{guard: 'unique', rule}])) proofs.push(proof);
    expect(proofs.filter(({passed}) => !passed)).toEqual([]);
  });

  test('the script mends, guards and runs twice; its way down leaves what was there', async () => {
    const {guards} = bench.connector;
    const up = await guards.script(named, 'install', {whole: true});
    const down = await guards.script(named, 'uninstall', {whole: true});
    expect(up).toContain('000009_add_unique_session_keys_constraint');
    const before = await catalogueDump(bench.client);
    for (const sessions of ['{b,a}', '{c,a}', '{a,b}', '{b,a}', '{a,a,b}']) await run(keys(sessions));
    await run(
      `update ${table} set message_envelope = '\\x01' where session_ids = '{b,a}' and ctid = (select min(ctid) from ${table})`,
    );
    await run(
      `insert into ${table} select * from ${table} where message_envelope = '\\x01'; delete from ${table} where ctid = (select min(ctid) from ${table} where message_envelope = '\\x01')`,
    );
    const [first] = (
      await run(
        `select message_envelope::text as e from ${table} where session_ids in ('{a,b}', '{b,a}') order by ctid`,
      )
    ).rows;
    await run(up);
    expect(await states()).toEqual([installed, installed]);
    expect(await stored()).toEqual(['{a,a,b}', '{a,b}', '{a,c}']);
    expect(
      (await run(`select message_envelope::text as e from ${table} where session_ids = '{a,b}'`)).rows,
    ).toEqual([first]);
    const between = await catalogueDump(bench.client);
    await run(up);
    expect(await catalogueDump(bench.client)).toBe(between);
    await expect(run(keys('{b,a}'))).rejects.toMatchObject(refusal);
    await run(down);
    await run(down);
    expect(await catalogueDump(bench.client)).toBe(before);
    const alone = await guards.script([named[0]!], 'install', {whole: false});
    await run(keys('{z,y}'));
    await run(alone);
    expect(await stored()).toContain('{y,z}');
  });

  test('the script does not delete what other tables vanish with', async () => {
    await run(`alter table ${table} add column id int generated always as identity primary key;
      create table messages (keys int references ${table} on delete cascade)`);
    const up = await bench.connector.guards.script(named, 'install', {whole: true});
    await run(keys('{a}'));
    await run(up);
    await run(`alter table ${table} drop constraint unique_device_stream_session_ids`);
    await run(keys('{a}'));
    await expect(run(up)).rejects.toThrow('rows of other tables would vanish');
    await run('rollback');
    expect(await stored()).toEqual(['{a}', '{a}']);
  });
});
