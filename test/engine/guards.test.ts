/** Guards through the engine, on PostgreSQL: looked at, installed, taken back, cut off and gone on with. */
import type pg from 'pg';
import {afterAll, beforeEach, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import type {Connector} from '../../source/connector.js';
import {listHeaders, type RunRecord, readRun} from '../../source/engine/disk/run-files.js';
import {verifyState} from '../../source/engine/disk/verify.js';
import {type EngineOptions, type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {OpenConnector} from '../../source/engine/stores.js';
import {SesstuiError} from '../../source/errors.js';
import type {GuardKeeper} from '../../source/guards.js';
import {freshGym, gymConfiguration} from '../library/gym-bench.js';
import {freshRegistry, migration, registryConfiguration} from '../library/registry-bench.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {cli, temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;
let stateDirectory: string;
const engines: FullEngine[] = [];

onPglite((started, opened) => {
  server = started;
  client = opened;
});
afterAll(async () => {
  await Promise.all(engines.map(engine => engine.close()));
});
beforeEach(async () => {
  stateDirectory = await temporaryDirectory();
  await client.query('drop schema public cascade; create schema public');
  await freshRegistry(client);
});

const check = 'registry/duplicates';

const openOn = (configuration: object, options: Partial<EngineOptions> = {}): FullEngine => {
  const {config} = configFromObject({environment: 'test', ...configuration});
  const engine = openEngine(config, {stateDirectory, open: openConnector, ...options});
  engines.push(engine);
  return engine;
};
const open = (settings: object = {}, options: Partial<EngineOptions> = {}): FullEngine =>
  openOn({...registryConfiguration(server.url), ...settings}, options);

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: SesstuiError) => `${error.code}: ${error.message}`,
  );

const insert = (ids: string, envelope = 'e', device = 'd'): Promise<unknown> =>
  client.query(
    `insert into app_session_keys (device_key, stream_id, session_ids, message_envelope) values ($1, 's', $2, $3)`,
    [device, ids, envelope],
  );
const rows = async (): Promise<string[]> =>
  (await client.query(`select session_ids::text as ids from app_session_keys order by 1`)).rows.map(
    ({ids}) => ids,
  );

const install = async (engine: FullEngine, options: {guards?: string[]; clean?: boolean} = {}) =>
  engine.runGuards(await engine.planGuards(check, 'install', options));
const uninstall = async (engine: FullEngine, guards?: string[]) =>
  engine.runGuards(await engine.planGuards(check, 'uninstall', {guards}));
const states = async (engine: FullEngine): Promise<Record<string, string>> =>
  Object.fromEntries((await engine.guards([check])).map(({guard, state}) => [guard, state]));

/** The connector with a keeper that does something else before or instead of a step. */
const withKeeper =
  (change: (keeper: GuardKeeper) => Partial<GuardKeeper>): OpenConnector =>
  async (...given) => {
    const connector = await openConnector(...given);
    const keeper = connector.guards;
    const changed = change(keeper);
    const guards = new Proxy(keeper, {
      get: (target, name) => Reflect.get(changed, name) ?? Reflect.get(target, name).bind(target),
    });
    return new Proxy(connector, {
      get: (target, name) => {
        if (name === 'guards') return guards;
        const member = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    }) as Connector;
  };

test('an install on a clean table, and the uninstall that leaves the catalogue as it was', async () => {
  const before = await catalogueDump(client, 'public');
  const engine = open();
  expect(await states(engine)).toEqual({'sort-trigger': 'missing', unique: 'missing'});
  const result = await install(engine);
  expect(result.error).toBeUndefined();
  expect(result).toMatchObject({interrupted: false, dryRun: false});
  expect(result.guards.map(({state}) => state)).toEqual(['installed', 'installed']);
  await insert('{b,a}');
  expect(await rows()).toEqual(['{a,b}']);
  await expect(insert('{a,b}')).rejects.toThrow(/unique/);
  const taken = await uninstall(engine);
  expect(taken.error).toBeUndefined();
  expect(await catalogueDump(client, 'public')).toEqual(before);
  const [second, first] = await engine.history();
  expect(first).toMatchObject({action: 'install-guards', state: 'undone', failed: 0, unknown: 0});
  expect(first!.applied + first!.skipped).toBe(first!.planned);
  expect(second).toMatchObject({action: 'uninstall-guards', state: 'done'});
  expect(await verifyState(stateDirectory)).toEqual([]);
});

test('nothing is changed while a plan is only made, and it has the exact statements', async () => {
  const before = await catalogueDump(client, 'public');
  const plan = await open().planGuards(check, 'install');
  expect(plan.guards).toEqual(['sort-trigger', 'unique']);
  expect(plan.steps.length).toBeGreaterThan(1);
  expect(plan.steps.flatMap(({statements}) => statements).join('\n')).toMatch(/unique/i);
  expect(await catalogueDump(client, 'public')).toEqual(before);
});

test('findings in the way refuse with their count, unless they are to be cleaned in the same go', async () => {
  await insert('{a,b}');
  await insert('{b,a}');
  await insert('{d,c}');
  const before = await catalogueDump(client, 'public');
  const engine = open();
  const plan = await engine.planGuards(check, 'install');
  expect(plan.findings).toEqual({duplicate: 1});
  expect(await code(engine.runGuards(plan))).toMatch(/^usage: .*1 duplicate/);
  expect(await catalogueDump(client, 'public')).toEqual(before);
  expect(await engine.history()).toEqual([]);

  const result = await install(engine, {clean: true});
  expect(result.error).toBeUndefined();
  expect(await rows()).toEqual(['{a,b}', '{c,d}']);
  expect(result.runs).toHaveLength(2);
  const actions = (await engine.history()).map(({action, state, note}) => [action, state, note]);
  expect(actions).toEqual([
    ['sort-arrays', 'done', `for the guards of run ${result.run}`],
    ['keep-first', 'done', `for the guards of run ${result.run}`],
    ['install-guards', 'done', null],
  ]);
});

test('a mending run is taken back after the guards are, and refused while they are there', async () => {
  await insert('{b,a}');
  await insert('{b,a}');
  const engine = open();
  const {run, runs} = await install(engine, {clean: true});
  const [cleaned, sorted] = runs as [string, string];
  const plan = await engine.planUndo(cleaned);
  expect(plan.notes.join()).toContain(`sesstui undo ${run}`);
  expect(await engine.run(plan)).toMatchObject({applied: 0, skipped: 1, changes: [{why: 'guarded'}]});
  expect(await rows()).toEqual(['{a,b}']);

  const back = (await engine.planGuardRun(run!, 'undo'))!;
  expect(back.direction).toBe('uninstall');
  expect((await engine.runGuards(back)).error).toBeUndefined();
  expect(await engine.run(await engine.planUndo(sorted))).toMatchObject({applied: 1});
  expect(await engine.run(await engine.planUndo(cleaned))).toMatchObject({applied: 1});
  expect(await rows()).toEqual(['{b,a}', '{b,a}']);
  expect(await verifyState(stateDirectory)).toEqual([]);
});

test('what stood in the place of a guard keeps no run from being taken back that mended rows for it', async () => {
  await client.query(
    'create function sort_session_ids_trigger() returns trigger language plpgsql as $$ begin return new; end $$',
  );
  await insert('{b,a}');
  await insert('{b,a}');
  const engine = open();
  const {run, runs} = await install(engine, {clean: true});
  const [cleaned, sorted] = runs as [string, string];
  expect((await engine.planUndo(cleaned)).notes.join()).toContain(`sesstui undo ${run}`);
  expect((await uninstall(engine)).error).toBeUndefined();
  expect((await engine.guards())[0]).toMatchObject({guard: 'sort-trigger', state: 'drifted'});
  for (const mending of [sorted, cleaned])
    expect(await engine.run(await engine.planUndo(mending))).toMatchObject({applied: 1});
  expect(await rows()).toEqual(['{b,a}', '{b,a}']);
});

test('arrays that a trigger would sort again are not told as taken back, and are when the guards are out', async () => {
  await client.query('alter table app_session_keys add column id serial primary key');
  await insert('{b,a}');
  const engine = open();
  const {run, runs} = await install(engine);
  const [sorted] = runs as [string];
  const plan = await engine.planUndo(sorted);
  expect(plan.notes.join()).toContain(`sesstui undo ${run}`);
  expect(await engine.run(plan)).toMatchObject({applied: 0, skipped: 1, changes: [{why: 'guarded'}]});
  expect((await engine.history())[1]).toMatchObject({action: 'sort-arrays', state: 'done'});

  expect((await uninstall(open({}, {stateDirectory: await temporaryDirectory()}))).error).toBeUndefined();
  const again = await engine.planUndo(sorted);
  expect(again.notes).toHaveLength(1);
  expect(await engine.run(again)).toMatchObject({applied: 1});
  expect(await rows()).toEqual(['{b,a}']);
});

test('an uninstall names the run of an install that was cut off while it mended rows', async () => {
  const stop = new AbortController();
  await insert('{b,a}');
  await insert('{d,c}');
  const engine = open();
  const result = await engine.runGuards(await engine.planGuards(check, 'install'), {
    signal: stop.signal,
    onProgress: ({step}) => step === 'mend' && stop.abort(),
  });
  expect(result.interrupted).toBe(true);
  const cut = (await engine.history()).find(({action}) => action === 'sort-arrays')!;
  expect(cut.state).toBe('interrupted');
  const taken = await uninstall(engine);
  expect(taken.error).toBeUndefined();
  expect(taken.notes.join()).toContain(`sesstui undo ${cut.run}`);
});

test('copies that differ refuse the install before anything is written, and the plan says how to decide', async () => {
  await insert('{a}', 'one');
  await insert('{a}', 'another');
  await insert('{c,b}');
  await insert('{c,b}');
  const before = await catalogueDump(client, 'public');
  const engine = open();
  for (const clean of [true, false]) {
    const plan = await engine.planGuards(check, 'install', {clean});
    expect(plan.violations).toHaveLength(1);
    expect(plan.notes.join()).toContain('1 finding is in the way of unique and no default action takes it');
    expect(await code(engine.runGuards(plan))).toMatch(
      /^usage: 1 finding .*sesstui check registry\/duplicates.*sesstui clean registry\/duplicates --action keep-first --group '\["d","s",\["a"\]\]'/,
    );
  }
  expect(await rows()).toEqual(['{a}', '{a}', '{c,b}', '{c,b}']);
  expect(await catalogueDump(client, 'public')).toEqual(before);
  expect(await engine.history()).toEqual([]);
});

test('copies that differ and come during the install stop it, and it takes out what it had put in', async () => {
  let came = false;
  const before = await catalogueDump(client, 'public');
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (rule, direction, step, options) => {
          if (step.phase === 'prepare' && !came) {
            came = true;
            await insert('{a}', 'one');
            await insert('{a}', 'another');
          }
          return keeper.perform(rule, direction, step, options);
        },
      })),
    },
  );
  const result = await install(engine, {clean: true});
  expect(result.error?.message).toMatch(/1 payload-differs/);
  expect(result.notes.join()).toMatch(/taken out again/);
  expect(await rows()).toEqual(['{a}', '{a}']);
  expect(await catalogueDump(client, 'public')).toEqual(before);
  const told = (await engine.history()).find(({run}) => run === result.run)!;
  expect(told).toMatchObject({state: 'failed', applied: 0, skipped: told.planned});
  expect(told.stopped).toMatch(/1 payload-differs; what it had put in was taken out again$/);
  const {stdout} = await cli(['history', '--state-dir', stateDirectory], {cwd: stateDirectory});
  expect(stdout).toMatch(/install-guards +failed/);
  expect(stdout).toContain(`Run ${result.run} was stopped: ${told.stopped}\n`);
  expect(await verifyState(stateDirectory)).toEqual([]);
});

test('an uninstall whose steps did not take the guard away is told as failed', async () => {
  const engine = open({}, {open: withKeeper(() => ({perform: async () => 'done'}))});
  await install(open());
  const result = await uninstall(engine);
  expect(result.error?.message).toContain('is installed though every step was done');
  const [told] = await engine.history();
  expect(told).toMatchObject({action: 'uninstall-guards', state: 'failed', stopped: result.error!.message});
});

test('the notes of the plan say what it is going to do, and those of the result what was done', async () => {
  await insert('{b,a}');
  await insert('{b,a}');
  const engine = open();
  const {notes, findings} = await engine.planGuards(check, 'install');
  expect(findings).toEqual({duplicate: 1});
  expect(notes.join()).not.toContain('--');
  const result = await install(engine, {clean: true});
  expect(result.notes).toEqual([
    `keep-first changed 1 row (run ${result.runs[0]}), which can be taken back`,
    `sort-arrays changed 1 row (run ${result.runs[1]}), which can be taken back`,
  ]);
});

test('rows that come during the install are mended by it, though there were no findings at the start', async () => {
  let came = false;
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (rule, direction, step, options) => {
          if (step.phase === 'prepare' && !came) {
            came = true;
            await insert('{b,a}');
            await insert('{a,b}');
          }
          return keeper.perform(rule, direction, step, options);
        },
      })),
    },
  );
  const result = await install(engine);
  expect(result.error).toBeUndefined();
  expect(came).toBe(true);
  expect(await rows()).toEqual(['{a,b}']);
  expect(result.runs.length).toBeGreaterThan(0);
});

test('rows that never stop coming end it after a bounded number of times', async () => {
  let times = 0;
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (rule, direction, step, options) => {
          if (direction === 'install' && step.phase === 'enforce') {
            times++;
            return 'again';
          }
          return keeper.perform(rule, direction, step, options);
        },
      })),
    },
  );
  const result = await install(engine);
  expect(result.error).toMatchObject({code: 'timeout'});
  expect(times).toBe(6);
  expect(await states(engine)).toEqual({'sort-trigger': 'missing', unique: 'missing'});
});

test('unique brings the trigger that it needs, and the trigger is not taken from under it', async () => {
  const engine = open();
  const plan = await engine.planGuards(check, 'install', {guards: ['unique']});
  expect(plan.guards).toEqual(['sort-trigger', 'unique']);
  expect(plan.notes.join()).toContain('unique needs sort-trigger');
  await engine.runGuards(plan);
  expect(await code(engine.planGuards(check, 'uninstall', {guards: ['sort-trigger']}))).toMatch(
    /^usage: .*needed by unique/,
  );
  expect((await uninstall(engine, ['unique', 'sort-trigger'])).error).toBeUndefined();
});

test('a trigger that a guard of another check needs is not taken from under it', async () => {
  const {stores} = registryConfiguration(server.url) as {stores: {registry: {checks: object[]}}};
  const [one] = stores.registry.checks;
  const other = {...one, name: 'others', groupBy: ['stream_id', 'session_ids'], payload: []};
  const engine = openOn({stores: {registry: {...stores.registry, checks: [one, other]}}});
  const before = await catalogueDump(client, 'public');
  await install(engine);
  await engine.runGuards(await engine.planGuards('registry/others', 'install'));
  const taken = await uninstall(engine);
  expect(taken.error).toBeUndefined();
  expect(taken.notes).toContain('sort-trigger stays: unique of registry/others needs it');
  expect(await states(engine)).toEqual({'sort-trigger': 'installed', unique: 'missing'});
  await insert('{b,a}');
  expect(await rows()).toEqual(['{a,b}']);
  await engine.runGuards(await engine.planGuards('registry/others', 'uninstall'));
  expect(await catalogueDump(client, 'public')).toEqual(before);
});

test('an install whose trigger stays for another check is taken back all the same', async () => {
  const {stores} = registryConfiguration(server.url) as {stores: {registry: {checks: object[]}}};
  const [one] = stores.registry.checks;
  const other = {...one, name: 'others', groupBy: ['stream_id', 'session_ids'], payload: []};
  const engine = openOn({stores: {registry: {...stores.registry, checks: [one, other]}}});
  const first = await install(engine);
  await engine.runGuards(await engine.planGuards('registry/others', 'install'));
  const taken = await engine.runGuards((await engine.planGuardRun(first.run!, 'undo'))!);
  expect(taken.error).toBeUndefined();
  expect(await states(engine)).toEqual({'sort-trigger': 'installed', unique: 'missing'});
  const history = await engine.history();
  expect(history.find(({run}) => run === first.run)).toMatchObject({state: 'undone'});

  const trigger = await install(engine, {guards: ['sort-trigger']});
  expect(trigger).toMatchObject({run: null, steps: []});
  await engine.runGuards(await engine.planGuards('registry/others', 'uninstall'));
  const alone = await install(engine, {guards: ['sort-trigger']});
  await engine.runGuards(await engine.planGuards('registry/others', 'install'));
  const left = await engine.runGuards((await engine.planGuardRun(alone.run!, 'undo'))!);
  expect(left.notes).toContain('sort-trigger stays: unique of registry/others needs it');
  expect((await engine.history()).find(({run}) => run === alone.run)).toMatchObject({state: 'undone'});
});

test('an uninstall without names takes the opt-in guards out as well', async () => {
  await freshGym(client);
  const before = await catalogueDump(client, 'public');
  const engine = openOn(gymConfiguration(server.url));
  const id = 'gym/device-sessions';
  await engine.runGuards(await engine.planGuards(id, 'install'));
  await engine.runGuards(await engine.planGuards(id, 'install', {guards: ['row-security']}));
  expect((await engine.guards([id])).map(({state}) => state)).toEqual(new Array(3).fill('installed'));
  const plan = await engine.planGuards(id, 'uninstall');
  expect(plan.guards).toContain('row-security');
  expect((await engine.runGuards(plan)).error).toBeUndefined();
  expect(await catalogueDump(client, 'public')).toEqual(before);
  expect((await engine.history()).map(({state}) => state)).toEqual(['done', 'undone', 'undone']);
});

test('a run is not taken back where a trigger changed the rows that were put back', async () => {
  await insert('{a,b}');
  await insert('{b,a}');
  const engine = open();
  const {run} = await engine.run(await engine.plan(check, 'keep-first', {}));
  expect(await rows()).toEqual(['{a,b}']);
  await engine.runGuards(await engine.planGuards(check, 'install', {guards: ['sort-trigger']}));
  const back = await engine.run(await engine.planUndo(run!));
  expect(back).toMatchObject({applied: 1, faults: [expect.stringContaining('a trigger of the store')]});
  expect(await rows()).toEqual(['{a,b}', '{a,b}']);
  expect((await engine.history()).find(item => item.run === run)).toMatchObject({state: 'done'});
});

test('an install that was cut off and meets findings says how it is gone on with', async () => {
  const stop = new AbortController();
  const engine = open();
  const cut = await engine.runGuards(await engine.planGuards(check, 'install'), {
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  expect(cut.interrupted).toBe(true);
  await insert('{a}');
  await insert('{a}');
  const plan = (await engine.planGuardRun(cut.run!, 'resume'))!;
  await expect(engine.runGuards(plan)).rejects.toMatchObject({
    code: 'usage',
    hint: expect.stringContaining('`sesstui guards install registry/duplicates --clean --yes`'),
  });
  expect((await install(engine, {clean: true})).error).toBeUndefined();
  expect((await engine.history()).map(({state}) => state)).not.toContain('interrupted');
});

test("the team's own migration is installed already, and is not taken out by the undo of an install", async () => {
  await client.query(migration);
  const engine = open();
  expect(await states(engine)).toEqual({'sort-trigger': 'installed', unique: 'installed'});
  expect(await install(engine)).toMatchObject({run: null, steps: []});
  expect(await engine.history()).toEqual([]);
});

test("what stood in a guard's place is on disk before the first step, and comes back from there", async () => {
  await client.query(
    'create function sort_session_ids_trigger() returns trigger language plpgsql as $$ begin return new; end $$',
  );
  const before = await catalogueDump(client, 'public');
  const found: (readonly [RunRecord['header']['guards'], string[]])[] = [];
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (...given) => {
          const {run} = (await listHeaders(stateDirectory))[0]!;
          const {header, journal} = await readRun(stateDirectory, run);
          found.push([header.guards, journal.map(({event}) => event)]);
          return keeper.perform(...given);
        },
      })),
    },
  );
  expect((await install(engine)).error).toBeUndefined();
  const [[guards, events]] = found as [(typeof found)[0]];
  expect(JSON.stringify(guards!.before['sort-trigger'])).toContain('begin return new; end');
  expect(events).toEqual(['begin', 'intent']);
  expect((await uninstall(open())).error).toBeUndefined();
  expect(await catalogueDump(client, 'public')).toEqual(before);
});

test('a step that fails is told as failed, and what was put in is taken out again', async () => {
  const before = await catalogueDump(client, 'public');
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (rule, direction, step, options) => {
          if (direction === 'install' && step.phase === 'enforce') throw new Error('no room');
          return keeper.perform(rule, direction, step, options);
        },
      })),
    },
  );
  const result = await install(engine);
  expect(result.error).toMatchObject({message: 'no room'});
  expect(await catalogueDump(client, 'public')).toEqual(before);
  expect((await engine.history())[0]).toMatchObject({state: 'failed', applied: 0, failed: 1});
  expect(await verifyState(stateDirectory)).toEqual([]);
});

test('where another install is at the table, nothing of what is there is taken out', async () => {
  const first = open({}, {stateDirectory: await temporaryDirectory()});
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (rule, direction, step, options) => {
          if (direction === 'install' && step.phase === 'enforce') {
            expect((await install(first)).error).toBeUndefined();
            throw new SesstuiError('usage', 'Another install is under way on app_session_keys.', 'Wait.');
          }
          return keeper.perform(rule, direction, step, options);
        },
      })),
    },
  );
  const result = await install(engine);
  expect(result.error?.message).toMatch(/Another install/);
  expect(result.notes.join()).toContain('what is there stays');
  expect(await states(first)).toEqual({'sort-trigger': 'installed', unique: 'installed'});
});

test('a store that is gone by the end leaves the result with the run and what was done', async () => {
  let isGone = false;
  const gone = (): never => {
    throw new SesstuiError('unreachable', 'the store is gone', 'Look at it.');
  };
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        state: async (...given) => (isGone ? gone() : keeper.state(...given)),
        perform: async (rule, direction, step, options) => {
          if (step.phase === 'enforce') isGone = true;
          return isGone ? gone() : keeper.perform(rule, direction, step, options);
        },
      })),
    },
  );
  const result = await install(engine);
  expect(result.error).toMatchObject({code: 'unreachable'});
  expect(result.steps.length).toBeGreaterThan(0);
  expect(result.guards.map(({state}) => state)).toEqual(['unavailable', 'unavailable']);
  expect((await engine.history())[0]).toMatchObject({run: result.run, state: 'failed'});
});

test('interrupted, it leaves what is there; another install goes on and settles the first', async () => {
  const before = await catalogueDump(client, 'public');
  const stop = new AbortController();
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (rule, direction, step, options) => {
          const ended = await keeper.perform(rule, direction, step, {...options, signal: undefined});
          stop.abort();
          return ended;
        },
      })),
    },
  );
  const first = await engine.runGuards(await engine.planGuards(check, 'install'), {signal: stop.signal});
  expect(first.error).toBeUndefined();
  expect(first.interrupted).toBe(true);
  expect(first.steps).toHaveLength(1);
  expect((await engine.history())[0]).toMatchObject({state: 'interrupted'});

  const other = open();
  const plan = (await other.planGuardRun(first.run!, 'resume'))!;
  expect(plan).toMatchObject({direction: 'install', guards: ['sort-trigger', 'unique']});
  expect((await other.runGuards(plan)).error).toBeUndefined();
  expect((await other.history()).map(({state}) => state)).toEqual(['done', 'done']);
  // What stood there before the first of them is what is put back.
  expect((await uninstall(other)).error).toBeUndefined();
  expect(await catalogueDump(client, 'public')).toEqual(before);
  expect((await other.history()).map(({state}) => state)).toEqual(['done', 'undone', 'undone']);
  expect(await verifyState(stateDirectory)).toEqual([]);
});

test('a second installer in the same state directory gives way to the first', async () => {
  const other = open();
  let second: Promise<string> | undefined;
  const engine = open(
    {},
    {
      open: withKeeper(keeper => ({
        perform: async (rule, direction, step, options) => {
          second ??= code(install(other));
          await second;
          return keeper.perform(rule, direction, step, options);
        },
      })),
    },
  );
  expect((await install(engine)).error).toBeUndefined();
  expect(await second).toMatch(/^usage: run .* is being carried out/);
  expect(await states(engine)).toEqual({'sort-trigger': 'installed', unique: 'installed'});
});

test('production asks for its name, and for the count where many rows are mended', async () => {
  for (let device = 0; device < 20; device++) await insert('{a}', 'e', `other-${device}`);
  await insert('{a,b}');
  await insert('{b,a}');
  await client.query('analyze app_session_keys');
  const engine = open({environment: 'production', readOnly: false});
  const plan = await engine.planGuards(check, 'install', {clean: true});
  expect(plan.confirmations.map(({expected}) => expected)).toEqual(['production']);
  expect(await code(engine.runGuards(plan))).toMatch(/^confirmation/);
  const strict = open({environment: 'production', readOnly: false, limits: {changes: 1}});
  const counted = await strict.planGuards(check, 'install', {clean: true});
  expect(counted.confirmations.map(({expected}) => expected)).toEqual(['production:2']);
  expect(await code(strict.runGuards(counted, {confirmed: ['production']}))).toMatch(/^confirmation/);
  expect((await strict.runGuards(counted, {confirmed: ['production:2']})).error).toBeUndefined();
});

test('read-only refuses, whatever is confirmed, before anything is asked of the store', async () => {
  const engine = open({}, {readOnly: true});
  const plan = await engine.planGuards(check, 'install');
  expect(await code(engine.runGuards(plan))).toMatch(/^read-only/);
  expect(await code(engine.testGuards(check))).toMatch(/^read-only/);
});

test('a store that is down is told for each of its guards, and others answer', async () => {
  const up = registryConfiguration(server.url) as {stores: {registry: object}};
  const down = registryConfiguration('postgres://x:y@127.0.0.1:1/none') as typeof up;
  const engine = openOn({stores: {registry: up.stores.registry, gone: down.stores.registry}});
  const guards = await engine.guards();
  expect(guards.filter(({check: id}) => id === check).map(({state}) => state)).toEqual([
    'missing',
    'missing',
  ]);
  const gone = guards.filter(({check: id}) => id === 'gone/duplicates');
  expect(gone.map(({guard, state, error}) => [guard, state, error?.code])).toEqual([
    ['sort-trigger', 'unavailable', 'unreachable'],
    ['unique', 'unavailable', 'unreachable'],
  ]);
  expect(gone[0]!.up).toContain('sort');
  expect(await engine.guardScript('gone/duplicates')).toMatch(/begin;/i);
});

test('a table that is not there makes its guards unavailable, and says why', async () => {
  await client.query('drop table app_session_keys');
  const engine = open();
  const guards = await engine.guards([check]);
  expect(guards.map(({state}) => state)).toEqual(['unavailable', 'unavailable']);
  expect(guards[0]!.why).toContain('app_session_keys');
  expect(await code(engine.planGuards(check, 'install'))).toMatch(/^unsupported/);
});

test('an unknown guard or check is named with the nearest', async () => {
  const engine = open();
  expect(await code(engine.planGuards(check, 'install', {guards: ['uniqe']}))).toMatch(/nearest is "unique"/);
  expect(await code(engine.guards(['registry/duplicate']))).toMatch(/nearest is "registry\/duplicates"/);
});

test('each guard is proved on a scratch copy, and nothing is left of it', async () => {
  const before = await catalogueDump(client, 'public');
  const told: string[] = [];
  const proofs = await open().testGuards(check, {onProof: ({text}) => told.push(text)});
  expect(proofs.filter(({passed}) => !passed)).toEqual([]);
  expect(new Set(proofs.map(({guard}) => guard))).toEqual(new Set(['sort-trigger', 'unique']));
  expect(told).toEqual(proofs.map(({text}) => text));
  expect(await catalogueDump(client, 'public')).toEqual(before);
});
