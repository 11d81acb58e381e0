/**
 * Production wants what it wants typed, and beyond its limits the count as well (safety S13): nothing is written
 * unless all of it was given, and given for the plan as it is now.
 */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {record} from './record.js';
import {type Calls, configured, type ErrorJson, openStage, type RunJson, type Stage} from './stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

/** 97 accounts with one session, and one with four: three rows of a hundred go. */
beforeEach(async () => {
  await stage.sql(`drop schema public cascade; create schema public;
    create table sessions (id int primary key, account text, at timestamptz);
    insert into sessions select g, case when g <= 4 then 'a' else 'c' || g end, now() - interval '1 day' * g from generate_series(1, 101) g;
    delete from sessions where id = 101; analyze sessions;
    create table calls (id int primary key, "sessionId" text); insert into calls values (1, null)`);
});

const rowsOf = async (table = 'sessions'): Promise<string[]> =>
  (await stage.sql(`select (t.*)::text as row from ${table} t order by 1`)).rows.map(
    ({row}) => row as string,
  );

const sessions = {check: 'duplicates', table: 'sessions', groupBy: ['account'], latestBy: ['at']};
const called = (config: object, checks: object[] = [sessions]): Promise<Calls> =>
  configured({...config, stores: {shop: {kind: 'postgres', url: stage.url, checks}}});

const clean = ['clean', 'shop/duplicates', '--action', 'keep-latest'];
const purge = ['clean', 'shop/duplicates', '--action', 'purge', '--group', 'a'];
const confirm = (...texts: string[]): string[] => texts.flatMap(text => ['--confirm', text]);

const production = {environment: 'production'};
const fewer = {...production, limits: {changes: 2}};
const smaller = {...production, limits: {share: 0.02}};

type Case = {how: string; config: object; call: string[]; given: string[]; wants?: string[]};

describe('what has to be typed', () => {
  const refused: Case[] = [
    {how: 'production, nothing given', config: production, call: clean, given: [], wants: ['production']},
    {how: 'another name', config: production, call: clean, given: ['staging'], wants: ['production']},
    {how: 'another case', config: production, call: clean, given: ['Production'], wants: ['production']},
    {
      how: 'the name with a blank',
      config: production,
      call: clean,
      given: ['production '],
      wants: ['production'],
    },
    {how: 'another count', config: production, call: clean, given: ['production:2'], wants: ['production:3']},
    {how: 'a count alone', config: production, call: clean, given: [':3', '3'], wants: ['production']},
    {
      how: 'no environment, the name of none',
      config: {},
      call: clean,
      given: ['production'],
      wants: ['unset'],
    },
    {
      how: 'an environment that nobody knows',
      config: {environment: 'qa'},
      call: clean,
      given: [],
      wants: ['qa'],
    },
    {
      how: 'a safe place misspelt',
      config: {environment: 'Staging'},
      call: clean,
      given: ['staging'],
      wants: ['Staging'],
    },
    {
      how: 'over limits.changes, the name',
      config: fewer,
      call: clean,
      given: ['production'],
      wants: ['production:3'],
    },
    {
      how: 'over limits.changes, another count',
      config: fewer,
      call: clean,
      given: ['production:4'],
      wants: ['production:3'],
    },
    {
      how: 'over limits.share, the name',
      config: smaller,
      call: clean,
      given: ['production'],
      wants: ['production:3'],
    },
    {
      how: 'a drastic action in a safe place',
      config: {environment: 'test'},
      call: purge,
      given: [],
      wants: ['sessions:4'],
    },
    {
      how: 'a drastic action, another count',
      config: {environment: 'test'},
      call: purge,
      given: ['sessions:3'],
      wants: ['sessions:4'],
    },
    {
      how: 'a drastic action, another table',
      config: {environment: 'test'},
      call: purge,
      given: ['calls:4'],
      wants: ['sessions:4'],
    },
    {
      how: 'a drastic action in production, the table',
      config: production,
      call: purge,
      given: ['sessions:4'],
      wants: ['production'],
    },
    {
      how: 'a drastic action in production, the name',
      config: production,
      call: purge,
      given: ['production'],
      wants: ['sessions:4'],
    },
  ];

  test.each(refused)('$how: refused, and told what it wants', async ({how, config, call, given, wants}) => {
    const calls = await called(config);
    const before = await rowsOf();
    const {code, json} = await calls.json<ErrorJson>([...call, '--yes', ...confirm(...given)]);
    expect([code, json.error.code]).toEqual([2, 'confirmation']);
    for (const text of wants!) expect(`${json.error.message} ${json.error.hint}`).toContain(text);
    expect(await rowsOf()).toEqual(before);
    expect((await calls.json<{runs: unknown[]}>(['history'])).json.runs).toEqual([]);
    record({requirement: 'S13', fault: `confirmation: ${how}`, server: stage.name, rounds: 1, violations: 0});
  });

  const carriedOut: Case[] = [
    {how: 'production', config: production, call: clean, given: ['production']},
    {how: 'production with the count', config: production, call: clean, given: ['production:3']},
    {how: 'no environment', config: {}, call: clean, given: ['unset']},
    {how: 'over limits.changes', config: fewer, call: clean, given: ['production:3']},
    {how: 'over limits.share', config: smaller, call: clean, given: ['production:3']},
    {how: 'a safe place', config: {environment: 'staging', limits: {changes: 1}}, call: clean, given: []},
    {
      how: 'a drastic action in production',
      config: production,
      call: purge,
      given: ['production', 'sessions:4'],
    },
  ];
  test.each(carriedOut)(
    '$how, with all that it wants: carried out; with --dry-run as well: not',
    async ({config, call, given}) => {
      const calls = await called(config);
      const before = await rowsOf();
      const dry = await calls.json<RunJson>([...call, '--yes', '--dry-run', ...confirm(...given)]);
      expect([dry.code, dry.json.dryRun, dry.json.run]).toEqual([0, true, null]);
      expect(await rowsOf()).toEqual(before);
      const {code, json} = await calls.json<RunJson>([...call, '--yes', ...confirm(...given)]);
      expect([code, json.applied, json.failed]).toEqual([0, json.planned, 0]);
      expect(await rowsOf()).toHaveLength(100 - json.planned);
    },
  );

  test('a plan says what it will want, and with other rows by then is refused with the new count', async () => {
    for (const config of [production, fewer]) {
      const calls = await called(config);
      const looked = await calls.json<RunJson>(clean);
      expect(looked.json.notes.join(' ')).toContain(`--confirm production${config === fewer ? ':3' : ''}`);
      await stage.sql("insert into sessions values (500, 'a', now() - interval '400 days')");
      const before = await rowsOf();
      const {code, json} = await calls.json<ErrorJson>([...clean, '--yes', ...confirm('production:3')]);
      expect([code, json.error.code]).toEqual([2, 'confirmation']);
      expect(`${json.error.message} ${json.error.hint}`).toContain('production:4');
      expect(await rowsOf()).toEqual(before);
      await stage.sql('delete from sessions where id = 500');
    }
    record({
      requirement: 'S13',
      fault: 'the count changes between plan and run',
      server: stage.name,
      rounds: 2,
      violations: 0,
    });
  });

  test.each(['never analysed', 'emptied since it was analysed'])(
    'the share of a table that was %s is asked for',
    async how => {
      await stage.sql(`create table fresh (id int primary key, account text, at timestamptz) with (autovacuum_enabled = off);
      ${how === 'never analysed' ? '' : 'analyze fresh;'} insert into fresh select g, 'a', now() from generate_series(1, 10) g`);
      const calls = await called(production, [{...sessions, table: 'fresh'}]);
      const {code, json} = await calls.json<ErrorJson>([...clean, '--yes', ...confirm('production')]);
      expect([code, json.error.code]).toEqual([2, 'confirmation']);
      expect(json.error.message).toContain('production:9');
      expect(await rowsOf('fresh')).toHaveLength(10);
      record({
        requirement: 'S13',
        fault: `limits.share of a table ${how}`,
        server: stage.name,
        rounds: 1,
        violations: 0,
      });
    },
  );

  test('undo wants the same, and customer --clean', async () => {
    const calls = await called(production);
    const {json: done} = await calls.json<RunJson>([...clean, '--yes', ...confirm('production')]);
    const before = await rowsOf();
    for (const given of [[], ['staging'], ['production:4']]) {
      const {code, json} = await calls.json<ErrorJson>(['undo', done.run!, '--yes', ...confirm(...given)]);
      expect([code, json.error.code]).toEqual([2, 'confirmation']);
    }
    expect(await rowsOf()).toEqual(before);
    const back = await calls.json<RunJson>(['undo', done.run!, '--yes', ...confirm('production')]);
    expect([back.code, back.json.applied]).toEqual([0, 3]);
    await stage.sql(`create table waiting (id int primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
      create table requests (id int primary key, customer_id text, session_id int, status text, created_at timestamptz, updated_at timestamptz);
      insert into waiting values (1, 'c', 'waiting', now() - interval '1 day', null); analyze waiting`);
    const rides = await called({...production, limits: {share: 1}}, [
      {check: 'stale-sessions', sessions: {table: 'waiting'}, requests: {table: 'requests'}},
    ]);
    const refusal = await rides.json<ErrorJson>(['customer', 'c', '--clean', '--yes']);
    expect([refusal.code, refusal.json.error.code]).toEqual([2, 'confirmation']);
    expect((await rowsOf('waiting'))[0]).toContain('waiting');
    const done_ = await rides.json<{cleaned: number}>([
      'customer',
      'c',
      '--clean',
      '--yes',
      ...confirm('production'),
    ]);
    expect([done_.code, done_.json.cleaned]).toEqual([0, 1]);
  });

  test('clean --all does nothing at all when one of its plans lacks its confirmation', async () => {
    // One row of calls is all of it; three of a hundred sessions are not much.
    const checks = [sessions, {check: 'null-ids', table: 'calls'}];
    const calls = await called(production, checks);
    const before = [await rowsOf(), await rowsOf('calls')];
    const {code, json} = await calls.json<ErrorJson>(['clean', '--all', '--yes', ...confirm('production')]);
    expect([code, json.error.code]).toEqual([2, 'confirmation']);
    expect(json.error.message).toContain('shop/null-ids');
    expect(json.error.message).toContain('production:1');
    expect([await rowsOf(), await rowsOf('calls')]).toEqual(before);
    const done = await calls.json<{runs: RunJson[]}>([
      ...['clean', '--all', '--yes'],
      ...confirm('production', 'production:1'),
    ]);
    expect([done.code, ...done.json.runs.map(({applied}) => applied)]).toEqual([0, 3, 1]);
    record({
      requirement: 'S13',
      fault: 'clean --all, one confirmation short',
      server: stage.name,
      rounds: 1,
      violations: 0,
    });
  });
});

describe('limits.scan', () => {
  const config = {...production, limits: {scan: 50}};
  test.each(['analysed', 'never analysed'])(
    'a table without an index, %s, is only scanned with --allow-scan',
    async how => {
      if (how !== 'analysed')
        await stage.sql(
          'create table copied (like sessions including all); insert into copied select * from sessions; drop table sessions; alter table copied rename to sessions',
        );
      const calls = await called(config);
      const given = ['--yes', ...confirm('production')];
      for (const call of [clean, [...clean, ...given]]) {
        const {code, json} = await calls.json<ErrorJson>(call);
        expect([code, json.error.code]).toEqual([3, 'scan-limit']);
        expect(json.error.hint).toContain('--allow-scan');
      }
      const checked = await calls.json<{checks: {error: {code: string}}[]}>(['check']);
      expect([checked.code, checked.json.checks[0]!.error.code]).toEqual([3, 'scan-limit']);
      expect(await rowsOf()).toHaveLength(100);
      const bare = await calls.json<ErrorJson>([...clean, '--allow-scan', '--yes']);
      expect([bare.code, bare.json.error.code]).toEqual([2, 'confirmation']);
      const {code, json} = await calls.json<RunJson>([...clean, '--allow-scan', ...given]);
      expect([code, json.applied]).toEqual([0, 3]);
      record({
        requirement: 'S13',
        fault: `limits.scan, ${how}`,
        server: stage.name,
        rounds: 4,
        violations: 0,
      });
    },
  );

  test('an index on the group is enough', async () => {
    await stage.sql('create index on sessions (account)');
    const {code, json} = await (await called(config)).json<RunJson>(clean);
    expect([code, json.planned]).toEqual([0, 3]);
  });
});
