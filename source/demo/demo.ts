/** Starts the demo: three embedded servers, the five systems' sample data in them, and their live traffic. */
import {createServer} from 'node:net';
import type {FaultyWrites} from '../faulty-writes.js';
import {type DemoAddresses, type DemoConfig, demoConfig, demoYaml} from './config.js';
import {defaultRows, defaultSeed} from './seed-plan.js';
import type {DemoSystem, ServerName} from './seed-stores.js';
import type {Running, TrafficStats} from './traffic-loop.js';

export {demoStandIns} from './config.js';
export type {TrafficStats} from './traffic-loop.js';

export type DemoOptions = {
  /** Whether the applications' old write paths keep running. */
  traffic: boolean;
  /** Healthy rows a system, about (default 400); faults come on top, in proportion. */
  rows?: number;
  /** Which data (default 1). */
  seed?: number;
  /** Called with each store's name (`kite`, `chat`, …) once its data is there. */
  onReady?(store: string): void;
  /** Called about once a second while there is traffic, when a count has changed, with every store's. */
  onTraffic?(writes: Record<string, FaultyWrites>): void;
};

export type Demo = {
  /** What a `sesstui.yaml` for these stores holds. */
  config: DemoConfig;
  /** The same as a commented file that says which parts are stand-ins. */
  yaml(): string;
  /** Resolves when every store has its data; rejects when one can't be started or filled, or is closed before. */
  ready: Promise<void>;
  /** What each store's live traffic has done so far, by store; empty without traffic. */
  trafficStats(): Record<string, TrafficStats>;
  /** Stops the traffic and the servers; the data is gone. */
  close(): Promise<void>;
};

type Server = {close(): Promise<void>};

/** Loaded only when started: a server is much more to load than the rest of the demo. */
const startServer: Record<ServerName, (port: number) => Promise<Server>> = {
  dynamodb: async port => (await import('./dynamodb-front.js')).startDynamodbFront({port}),
  mongodb: async port => (await import('./mongodb-stand-in.js')).startMongodbStandIn({port}),
  postgres: async port => (await import('./postgres-embedded.js')).startPostgresEmbedded({port}),
};

/** Ports that nothing listens on, all different. */
const freePorts = async (count: number): Promise<number[]> => {
  const servers = Array.from({length: count}, () => createServer());
  const ports = await Promise.all(
    servers.map(
      server =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve((server.address() as {port: number}).port));
        }),
    ),
  );
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
};

const tellMs = 1000;

const tellChanges = (
  running: ReadonlyMap<string, Running>,
  tell: (writes: Record<string, FaultyWrites>) => void,
): NodeJS.Timeout => {
  let last = '{}';
  return setInterval(() => {
    const writes = Object.fromEntries(
      [...running].map(([store, traffic]) => [store, traffic.stats().faulty]),
    );
    const text = JSON.stringify(writes);
    if (text !== last) tell(writes);
    last = text;
  }, tellMs);
};

/**
 * Starts the demo and returns as soon as it is known where the stores will be: `config` is valid at once, while
 * the servers start and are filled behind it. They listen on the loopback address only, and keep the process
 * alive until `close`.
 */
export const startDemo = async (options: DemoOptions): Promise<Demo> => {
  const wanted = {rows: options.rows ?? defaultRows, seed: options.seed ?? defaultSeed};
  const [dynamodb, mongodb, postgres] = (await freePorts(3)) as [number, number, number];
  const ports: Record<ServerName, number> = {dynamodb, mongodb, postgres};
  const addresses: DemoAddresses = {
    dynamodb: `http://127.0.0.1:${dynamodb}`,
    mongodb: `mongodb://127.0.0.1:${mongodb}/?directConnection=true`,
    postgres: `postgres://postgres@127.0.0.1:${postgres}/postgres`,
  };
  const config = demoConfig(addresses);

  const stopping = new AbortController();
  const {signal} = stopping;
  const servers: Server[] = [];
  const running = new Map<string, Running>();

  const serve = async (name: ServerName, systems: DemoSystem[]): Promise<void> => {
    servers.push(await startServer[name](ports[name]));
    for (const system of systems) {
      signal.throwIfAborted();
      await system.fill(addresses[name], wanted, signal);
      signal.throwIfAborted();
      options.onReady?.(system.store);
      if (options.traffic) running.set(system.store, system.startTraffic(addresses[name], wanted));
    }
  };
  const serveAll = async (): Promise<void> => {
    // The AWS SDK writes a warning about Node 20 to standard error as it loads, which would break a screen.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    const {demoSystems} = await import('./seed-stores.js');
    signal.throwIfAborted();
    const serving = (Object.keys(ports) as ServerName[]).map(name =>
      serve(
        name,
        demoSystems.filter(system => system.server === name),
      ),
    );
    // What a close has to wait for is all of them, not the first that fails.
    const failed = (await Promise.allSettled(serving)).find(result => result.status === 'rejected');
    if (failed) throw failed.reason;
  };
  const ready = serveAll();
  // Whoever doesn't wait for `ready` still has the stores to tell that they are down.
  ready.catch(() => {});

  const telling = options.onTraffic && tellChanges(running, options.onTraffic);

  const stop = async (): Promise<void> => {
    stopping.abort();
    clearInterval(telling);
    await Promise.all([...running.values()].map(traffic => traffic.stop()));
    await ready.catch(() => {});
    await Promise.all([...running.values()].map(traffic => traffic.stop()));
    await Promise.all(servers.map(server => server.close()));
  };
  let closed: Promise<void> | undefined;

  return {
    config,
    yaml: () => demoYaml(config),
    ready,
    trafficStats: () => Object.fromEntries([...running].map(([store, traffic]) => [store, traffic.stats()])),
    close: () => {
      closed ??= stop();
      return closed;
    },
  };
};
