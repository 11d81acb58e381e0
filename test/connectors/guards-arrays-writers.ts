/** Writers that don't stop: each inserts new keys, updates its own rows, and sends again what is there in another order. */
import type pg from 'pg';
import {openClient, type PostgresServer} from '../support/postgres.js';
import {table} from './guards-arrays-bench.js';

export type Writers = {
  /** Keys that the database said it has stored: device, stream and sorted sessions. */
  accepted: Set<string>;
  /** What correct writes were answered with, when not with success. */
  errors: string[];
  /** The constraints that faulty writes were refused by, and how many by each. */
  refusals: Map<string, number>;
  /** Faulty writes that were stored. */
  stored: number;
  rounds: number[];
  stop(): Promise<void>;
};

export const keyText = (device: string, sessions: readonly string[]): string =>
  `${device} ${[...sessions].sort().join()}`;

const pool = Array.from({length: 40}, (_, n) => ({
  device: `shared-${n % 10}`,
  sessions: [`S${n}`, 'S1', 'S2', `T${n}`],
}));

export const startWriters = async (server: PostgresServer, count: number): Promise<Writers> => {
  const writers: Writers = {
    accepted: new Set(),
    errors: [],
    refusals: new Map(),
    stored: 0,
    rounds: Array.from({length: count}, () => 0),
    stop: async () => undefined,
  };
  let stopped = false;
  const insert = (client: pg.Client, device: string, sessions: string[]) =>
    client.query(
      `insert into ${table} (device_key, stream_id, session_ids, message_envelope) values ($1, 's', $2, '\\x00')`,
      [device, sessions],
    );
  const correctly = async (what: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      writers.errors.push(`${what}: ${(error as Error).message}`);
      return false;
    }
  };
  const round = async (client: pg.Client, writer: number, n: number): Promise<void> => {
    const own = `own-${writer}`;
    const fresh = [`N${n}`, `A${n}`, 'S1'];
    if (await correctly('insert', () => insert(client, own, fresh)))
      writers.accepted.add(keyText(own, fresh));
    await correctly('update', () =>
      client.query(
        `update ${table} set message_envelope = '\\x01' where device_key = $1 and $2 = any (session_ids)`,
        [own, `N${n}`],
      ),
    );
    const {device, sessions} = pool[(n * 7 + writer) % pool.length]!;
    const turned = [...sessions.slice(n % 4), ...sessions.slice(0, n % 4)];
    try {
      await insert(client, device, turned);
      writers.accepted.add(keyText(device, turned));
      writers.stored++;
    } catch (error) {
      const {code, constraint, message} = error as pg.DatabaseError;
      if (code !== '23505') writers.errors.push(`faulty: ${message}`);
      writers.refusals.set(String(constraint), (writers.refusals.get(String(constraint)) ?? 0) + 1);
    }
  };
  const work = async (writer: number): Promise<void> => {
    const client = await openClient(server);
    for (let n = 0; !stopped; n++) {
      await round(client, writer, n);
      writers.rounds[writer] = n + 1;
    }
    await client.end();
  };
  const working = Promise.all(writers.rounds.map((_, writer) => work(writer)));
  writers.stop = async () => {
    stopped = true;
    await working;
  };
  return writers;
};
