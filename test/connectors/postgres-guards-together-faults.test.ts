/** Two installers of one table, who know nothing of each other: the second waits for its turn, and spoils nothing. */
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {usualLimits} from '../../connectors/postgres/guards/limits.js';
import {configFromObject} from '../../source/config/load.js';
import type {Connector} from '../../source/connector.js';
import {gymTables} from '../../source/demo/seed-gym.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {OpenConnector} from '../../source/engine/stores.js';
import type {GuardKeeper, GuardStep} from '../../source/guards.js';
import {freshRegistry, registryConfiguration} from '../library/registry-bench.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {temporaryDirectory} from '../support/cli.js';
import {onPostgres} from '../support/on-postgres.js';
import {openClient, type PostgresServer, postgresServers} from '../support/postgres.js';
import {move, type Opened, oneBackground, openKeeper} from './postgres-guards-harness.js';

const quick = {...usualLimits, otherMs: 200};
const underWay = {code: 'usage', message: 'Another install is under way on auth_sessions.'};

describe.each(postgresServers)('two installers on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let before: string;
  const opened: {close(): Promise<unknown>}[] = [];
  const keeperWith = (limits = usualLimits): Required<GuardKeeper> => {
    const own: Opened = openKeeper(server, {limits});
    opened.push(own);
    return own.keeper as Required<GuardKeeper>;
  };

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  beforeEach(async () => {
    await client.query(`drop schema public cascade; create schema public; ${gymTables}`);
    await freshRegistry(client);
    before = await catalogueDump(client);
  });
  afterEach(async () => {
    for (const {close} of opened.splice(0)) await close();
  });

  test('a table that one holds is not to be had for another, and its own steps go on', async () => {
    const [first, second] = [keeperWith(), keeperWith(quick)];
    const held = await first.hold([oneBackground]);
    await expect(second.hold([oneBackground])).rejects.toMatchObject(underWay);
    expect(await move(first, oneBackground, 'install')).toEqual(['done', 'done', 'done']);
    await expect(second.hold([oneBackground])).rejects.toMatchObject(underWay);
    await held.release();
    const next = await second.hold([oneBackground]);
    expect(await move(second, oneBackground, 'uninstall')).toEqual(['done']);
    await next.release();
    expect(await catalogueDump(client)).toBe(before);
  });

  test('a table is not to be had while a server builds on it for somebody who holds nothing any more', async () => {
    const blocker = await openClient(server);
    await blocker.query('begin; insert into auth_sessions (email) values (null)');
    const first = keeperWith();
    const [step] = (await first.steps(oneBackground, 'install', {before: null})) as [GuardStep];
    const building = first.perform(oneBackground, 'install', step, {before: null});
    await vi.waitFor(async () => {
      const {rows} = await client.query("select from pg_locks where locktype = 'advisory' and granted");
      expect(rows).toHaveLength(1);
    }, 10_000);
    await expect(keeperWith(quick).hold([oneBackground])).rejects.toMatchObject(underWay);
    await blocker.query('rollback');
    expect(await building).toBe('done');
    await blocker.end();
  });

  test('when what holds the table is lost, no step is begun', async () => {
    const keeper = keeperWith();
    const held = await keeper.hold([oneBackground]);
    const [step] = (await keeper.steps(oneBackground, 'install', {before: null})) as [GuardStep];
    await client.query("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
    await expect(keeper.perform(oneBackground, 'install', step, {before: null})).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('was lost'),
    });
    await held.release();
    expect(await catalogueDump(client)).toBe(before);
  });

  const check = 'registry/duplicates';
  const engineWith = async (open: OpenConnector = openConnector): Promise<FullEngine> => {
    const {config} = configFromObject({environment: 'test', ...registryConfiguration(server.url)});
    const engine = openEngine(config, {stateDirectory: await temporaryDirectory(), open});
    opened.push(engine);
    return engine;
  };
  const install = async (engine: FullEngine) => engine.runGuards(await engine.planGuards(check, 'install'));

  /** A connector that does something before each step of an install. */
  const beforeSteps =
    (step: (item: GuardStep) => Promise<void>): OpenConnector =>
    async (...given) => {
      const connector = await openConnector(...given);
      const keeper = connector.guards;
      const guards = new Proxy(keeper, {
        get: (target, name) =>
          name === 'perform'
            ? async (...[rule, direction, item, options]: Parameters<GuardKeeper['perform']>) => {
                if (direction === 'install') await step(item);
                return keeper.perform(rule, direction, item, options);
              }
            : Reflect.get(target, name),
      });
      return new Proxy(connector, {
        get: (target, name) => {
          if (name === 'guards') return guards;
          const member = Reflect.get(target, name, target);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      }) as Connector;
    };

  test('one that comes between the steps of another writes nothing, and takes nothing of it out', async () => {
    const second = await engineWith(
      beforeSteps(async () => {
        throw new Error('no room');
      }),
    );
    let refused: Promise<string> | undefined;
    let steps = 0;
    const first = await engineWith(
      beforeSteps(async () => {
        if (++steps === 2)
          refused = install(second).then(
            ({error}) => `ran: ${error?.message}`,
            ({code, message}) => `${code}: ${message}`,
          );
        await refused;
      }),
    );
    const result = await install(first);
    expect(await refused).toBe('usage: Another install is under way on app_session_keys.');
    expect(result.error).toBeUndefined();
    expect(result.guards.map(({state}) => state)).toEqual(['installed', 'installed']);
    expect(await second.history()).toEqual([]);
  });

  test('one that waited until another was done finds its work done, and does not take it out', async () => {
    const first = await engineWith();
    const second = await engineWith(
      beforeSteps(async () => {
        throw new Error('no room');
      }),
    );
    const plan = await second.planGuards(check, 'install');
    expect((await install(first)).error).toBeUndefined();
    expect(await second.runGuards(plan)).toMatchObject({run: null, steps: []});
    expect((await first.guards([check])).map(({state}) => state)).toEqual(['installed', 'installed']);
  });
});
