/** The HTTP server on a real engine and PostgreSQL (PGlite), with rounds that a test feeds it. */
import pg from 'pg';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type EngineOptions, type FullEngine, openEngine} from '../../source/engine/engine.js';
import {type OpenedServer, openServer, type ServerOptions} from '../../source/watch/http/server.js';
import type {Look, Round, RoundListener} from '../../source/watch/round.js';
import {temporaryDirectory} from '../support/cli.js';
import {type PostgresServer, startPglite} from '../support/postgres.js';

export const token = 'a-token-of-a-good-length';
export const bearer = {Authorization: `Bearer ${token}`};
export const id = 'rides/stale-sessions';

export const tables = `drop table if exists sessions, session_requests;
  create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
  create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
  insert into sessions select 's' || i, 'c' || i, 'waiting', now() - i * interval '20 minutes', now() from generate_series(0, 3) i;
  insert into sessions values ('live', 'c9', 'live', now() - interval '1 day', now());
  insert into sessions select 'done' || i, 'd' || i, 'completed', now() - interval '1 day', now() from generate_series(1, 20) i`;

/** A watcher that tells what it is told to. */
export const fedWatcher = () => {
  const listeners: RoundListener[] = [];
  const followers: ((check: string) => void)[] = [];
  const latest = new Map<string, Round>();
  return {
    listen: (listener: RoundListener) => void listeners.push(listener),
    follow: (follower: (check: string) => void) => void followers.push(follower),
    getOn: (check: string) => {
      for (const follower of followers) follower(check);
    },
    rounds: () => [...latest.values()],
    tell: async (round: Round) => {
      latest.set(round.look.check, round);
      for (const listener of listeners) await listener(round);
    },
  };
};

export const roundOf = (look: Partial<Look> = {}, round: Partial<Round> = {}): Round => ({
  environment: 'test',
  look: {
    store: 'rides',
    check: id,
    kind: 'stale-sessions',
    at: '2026-11-21T01:42:10.000Z',
    tookMs: 20,
    status: 'fail',
    total: 3,
    byReason: {'very-stale-waiting': 2, 'stale-waiting': 1, orphaned: 2},
    sessions: {waiting: 4, live: 1, completed: 20},
    blockedCustomers: 3,
    ...look,
  },
  stores: [],
  runs: [],
  customers: {},
  refused: [],
  ...round,
});

export type Harness = {
  client: pg.Client;
  url: string;
  engine(settings?: object, options?: Partial<EngineOptions>): Promise<FullEngine>;
  serve(options?: Partial<ServerOptions>): Promise<OpenedServer & {watcher: ReturnType<typeof fedWatcher>}>;
  stop(): Promise<void>;
};

export const openHarness = async (): Promise<Harness> => {
  const database: PostgresServer = await startPglite();
  const client = new pg.Client({connectionString: database.url});
  await client.connect();
  const closers: (() => Promise<unknown>)[] = [];
  const harness: Harness = {
    client,
    url: database.url,
    engine: async (settings = {}, options = {}) => {
      const {config} = configFromObject({
        environment: 'test',
        stores: {rides: {kind: 'postgres', url: database.url, checks: [{check: 'stale-sessions'}]}},
        ...settings,
      });
      const engine = openEngine(config, {
        stateDirectory: await temporaryDirectory(),
        open: openConnector,
        ...options,
      });
      closers.push(() => engine.close());
      return engine;
    },
    serve: async (options = {}) => {
      const watcher = fedWatcher();
      const server = await openServer({
        watcher,
        address: {host: '127.0.0.1', port: 0},
        token,
        canWrite: {ok: true, confirmed: []},
        redact: text => text,
        environment: 'test',
        signal: new AbortController().signal,
        ...options,
        engine: options.engine ?? (await harness.engine()),
      });
      closers.unshift(() => server.close());
      return {...server, watcher};
    },
    stop: async () => {
      for (const close of closers) await close();
      await client.end();
      await database.stop();
    },
  };
  return harness;
};

/** The engine whose runs begin, and go on once they are let. */
export const gated = (engine: FullEngine): {engine: FullEngine; begun: Promise<void>; letGo: () => void} => {
  let begin = (): void => undefined;
  let letGo = (): void => undefined;
  const begun = new Promise<void>(done => {
    begin = done;
  });
  const gate = new Promise<void>(done => {
    letGo = done;
  });
  const run: FullEngine['run'] = async (...given) => {
    begin();
    await gate;
    return engine.run(...given);
  };
  return {engine: Object.create(engine, {run: {value: run}}), begun, letGo};
};

export type ErrorJson = {error: {code: string; message: string; hint: string}};

export const errorOf = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as ErrorJson).error.code,
];
