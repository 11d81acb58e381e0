/** Guards of arrays beside what others have made: upserts during an install, functions and constraints of the same name. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {freshRegistry} from '../library/registry-bench.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {postgresServers} from '../support/postgres.js';
import {bothRules, install, named, table} from './guards-arrays-bench.js';
import {type Bench, openBench} from './postgres-harness.js';

describe.each(postgresServers)('arrays guarded beside others on $name', ({start}) => {
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
  const script = (direction: 'install' | 'uninstall') =>
    bench.connector.guards.script(named, direction, {whole: true});
  const longestFirst = `create function sort_varchar_array(arr varchar[]) returns varchar[] language sql immutable as
    $$ select array(select x from unnest(arr) x order by length(x) desc) $$`;

  test('an upsert by the primary key stores no second row, and is not refused during an install', async () => {
    await run(`alter table ${table} add column id int primary key`);
    const upsert = (envelope: string) =>
      run(`insert into ${table} (id, device_key, stream_id, session_ids, message_envelope)
        values (1, 'd', 's', '{b,a}', '${envelope}')
        on conflict (id) do update set message_envelope = excluded.message_envelope`);
    await upsert('one');
    let upserts = 0;
    await install(
      bench.connector,
      bothRules,
      async () => undefined,
      async () => {
        await upsert(`another ${++upserts}`);
      },
    );
    expect(upserts).toBe(6);
    const copy = `insert into ${table} (id, device_key, stream_id, session_ids, message_envelope) values (2, 'd', 's', '{b,a}', '')`;
    await expect(run(copy)).rejects.toMatchObject({code: '23505'});
  });

  test.each([
    [
      'another table’s trigger',
      `create table others (a varchar[]);
      create function sort_others() returns trigger language plpgsql as
        $$ begin new.a := sort_varchar_array(new.a); return new; end $$;
      create trigger sorts before insert on others for each row execute function sort_others()`,
    ],
    ['an index', 'create table others (a varchar[]); create index on others (sort_varchar_array(a))'],
  ])('the script puts nothing in the place of another sort function that %s uses', async (_, use) => {
    await run(`${longestFirst}; ${use}`);
    const before = await catalogueDump(bench.client);
    await expect(run(await script('install'))).rejects.toThrow(
      'is another function, which something else uses',
    );
    await run('rollback');
    await run(await script('uninstall'));
    expect(await catalogueDump(bench.client)).toBe(before);
  });

  test('the way down of the script leaves a function that is not its own', async () => {
    await run(longestFirst);
    const before = await catalogueDump(bench.client);
    await run(await script('uninstall'));
    expect(await catalogueDump(bench.client)).toBe(before);
  });

  test.each([
    'unique (stream_id)',
    'unique (device_key, stream_id, session_ids) deferrable',
    "check (stream_id <> '')",
  ])('the script does not take a constraint for its own that is %s', async definition => {
    await run(`alter table ${table} add constraint unique_device_stream_session_ids ${definition}`);
    const before = await catalogueDump(bench.client);
    await expect(run(await script('install'))).rejects.toThrow('is another constraint');
    await run('rollback');
    expect(await catalogueDump(bench.client)).toBe(before);
  });
});
