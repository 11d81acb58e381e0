/** The demo's three servers, and what each of the five systems does with its own: fill it, then write to it. */
import {MongoClient} from 'mongodb';
import type {DemoAddresses} from './config.js';
import {Random} from './random.js';
import {seedChat} from './seed-chat.js';
import {seedGym} from './seed-gym.js';
import {demoDynamodbClient, seedKite} from './seed-load-dynamodb.js';
import {connectToStarting, postgresNow} from './seed-load-postgres.js';
import type {SeedPlan} from './seed-plan.js';
import {seedRegistry} from './seed-registry.js';
import {ridesCustomers, seedRides} from './seed-rides.js';
import {chatTraffic} from './traffic-chat.js';
import {gymTraffic} from './traffic-gym.js';
import {kiteTraffic} from './traffic-kite.js';
import {type Running, startLoop} from './traffic-loop.js';
import {registryTraffic} from './traffic-registry.js';
import {ridesTraffic} from './traffic-rides.js';

export type ServerName = keyof DemoAddresses;
type Wanted = Omit<SeedPlan, 'now'>;

export type DemoSystem = {
  store: string;
  server: ServerName;
  /** Creates the system's tables on its server and fills them, every timestamp relative to the server's now. */
  fill(url: string, wanted: Wanted, signal: AbortSignal): Promise<void>;
  /** Starts what the application used to write. */
  startTraffic(url: string, wanted: Wanted, speed?: number): Running;
};

type PostgresSeed = typeof seedGym;
const fillPostgres =
  (seedTables: PostgresSeed): DemoSystem['fill'] =>
  async (url, wanted, signal) => {
    const client = await connectToStarting(url, signal);
    try {
      await seedTables(client, {...wanted, now: await postgresNow(client)}, signal);
    } finally {
      await client.end();
    }
  };

const trafficRandom = (store: string, {seed}: Wanted): Random => new Random(seed, 'traffic', store);

/** In the order in which those that share a server are filled. */
export const demoSystems: DemoSystem[] = [
  {
    store: 'rides',
    server: 'postgres',
    fill: fillPostgres(seedRides),
    startTraffic: (url, wanted, speed) =>
      startLoop(
        ridesTraffic(url, wanted.seed, ridesCustomers(wanted)),
        trafficRandom('rides', wanted),
        speed,
      ),
  },
  {
    store: 'gym',
    server: 'postgres',
    fill: fillPostgres(seedGym),
    startTraffic: (url, wanted, speed) =>
      startLoop(
        gymTraffic(url, wanted.seed, Math.ceil(wanted.rows / 2.5)),
        trafficRandom('gym', wanted),
        speed,
      ),
  },
  {
    store: 'registry',
    server: 'postgres',
    fill: fillPostgres(seedRegistry),
    startTraffic: (url, wanted, speed) =>
      startLoop(registryTraffic(url), trafficRandom('registry', wanted), speed),
  },
  {
    store: 'chat',
    server: 'mongodb',
    fill: async (url, wanted, signal) => {
      const client = await new MongoClient(url, {serverSelectionTimeoutMS: 15_000}).connect();
      try {
        const {localTime} = await client.db('admin').command({hello: 1});
        await seedChat(client, {...wanted, now: (localTime as Date).getTime()}, signal);
      } finally {
        await client.close();
      }
    },
    startTraffic: (url, wanted, speed) =>
      startLoop(chatTraffic(url, wanted.seed, wanted.rows), trafficRandom('chat', wanted), speed),
  },
  {
    store: 'kite',
    server: 'dynamodb',
    fill: async (url, wanted, signal) => {
      const client = demoDynamodbClient(url);
      try {
        // The server runs in this process, so its clock is this one.
        await seedKite(client, {...wanted, now: Date.now()}, signal);
      } finally {
        client.destroy();
      }
    },
    startTraffic: (url, wanted, speed) =>
      startLoop(kiteTraffic(url, wanted.seed, wanted.rows), trafficRandom('kite', wanted), speed),
  },
];
