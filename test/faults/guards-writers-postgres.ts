/** The writers of the registry, the gym and the rides: correct ones, faulty ones, and some that stay in a transaction. */
import {setTimeout as pause} from 'node:timers/promises';
import type pg from 'pg';
import type {Tally, Writer} from './guards-writers.js';

/** A new connection for a writer, in UTC. */
export type Connect = () => Promise<pg.Client>;

type Work = (client: pg.Client, at: string, count: number, tally: Tally) => Promise<void>;

const stayMs = 200;

const unique = '23505';
/** restrict_violation */
const kept = '23001';

/** A moment that no other row has: its microseconds say which writer and which step. */
const moment = (at: string, count: number): string =>
  new Date(Date.UTC(2026, 0, 1 + Number(at)) + Math.floor(count / 1000) * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$/, `.${String(1_000 + (count % 1000)).padStart(6, '0')}`);

const id = (at: string, count: number): string =>
  `00000000-000${at}-4000-9000-${String(count).padStart(12, '0')}`;

const keys = async (client: pg.Client, key: string, ids: string, at: string, count: number, tally: Tally) => {
  const token = moment(at, count);
  await client.query(
    `insert into app_session_keys (device_key, stream_id, session_ids, message_envelope, created_at)
     values ($1, 's', $2, '\\x07', $3::text::timestamptz)`,
    [key, ids, token],
  );
  tally.stored.add(token.replace(/0+$/, ''));
};

const signIn = async (client: pg.Client, email: string, type: string, row: string, tally: Tally) => {
  await client.query(
    `insert into auth_sessions (id, email, session_type, protected, expires_at)
     values ($1, $2, $3, $4, now() + interval '1 day')`,
    [row, email, type, type === 'background'],
  );
  tally.stored.add(row);
};

const ride = async (
  client: pg.Client,
  row: string,
  customer: string,
  status: string,
  age: string,
  tally: Tally,
) => {
  await client.query(
    `insert into sessions (id, customer_id, status, plan, price_cents, created_at, updated_at)
     values ($1, $2, $3, 'p', 1, now() - $4::text::interval, now() - $4::text::interval)`,
    [row, customer, status, age],
  );
  tally.stored.add(row);
};

/** Two tokens a step. */
const second = (count: number): number => count + 500_000;

type Works = {correct: Work[]; faulty: {refusals: string[]; work: Work}[]};

const works: Record<string, Works> = {
  'registry/duplicates': {
    correct: [
      async (client, at, count, tally) => {
        await keys(client, `w${at}-${count}`, '{c,a,b}', at, count, tally);
        await client.query(`update app_session_keys set message_envelope = '\\x08' where device_key = $1`, [
          `w${at}-${count}`,
        ]);
      },
    ],
    faulty: [
      {
        refusals: [unique],
        work: async (client, at, count, tally) => {
          await keys(client, `f${count % 50}`, count % 2 ? '{b,a}' : '{a,b}', at, count, tally);
        },
      },
    ],
  },
  'gym/device-sessions': {
    correct: [
      async (client, at, count, tally) => {
        const email = `w${at}-${count}@example.test`;
        await signIn(client, email, 'background', id(at, count), tally);
        await signIn(client, email, 'device', id(at, second(count)), tally);
        await client.query('update auth_sessions set updated_at = now() where email = $1', [email]);
        if (count % 3 > 0) return;
        const out = id(at, second(count));
        tally.stored.delete(out);
        await client.query('delete from auth_sessions where id = $1', [out]);
      },
    ],
    faulty: [
      {
        refusals: [unique],
        work: (client, at, count, tally) =>
          signIn(
            client,
            `${count % 2 ? ' F' : 'f'}${count % 50}@example.test`,
            'background',
            id(at, count),
            tally,
          ),
      },
      {
        refusals: [kept],
        work: async (client, at, count, tally) => {
          const row = id(at, count);
          await signIn(client, `d${at}-${count}@example.test`, 'background', row, tally);
          const {rowCount} = await client.query('delete from auth_sessions where id = $1', [row]);
          if (rowCount) tally.stored.delete(row);
        },
      },
    ],
  },
  'rides/stale-sessions': {
    correct: [
      async (client, at, count, tally) => {
        const [row, customer] = [id(at, count), `w${at}-${count}`];
        // One who left long ago comes back: the old session must not be in the way.
        if (count % 4 === 0)
          await ride(client, id(at, second(count)), customer, 'waiting', '40 minutes', tally);
        await ride(client, row, customer, 'waiting', '1 second', tally);
        await client.query(`update sessions set status = 'completed', updated_at = now() where id = $1`, [
          row,
        ]);
      },
    ],
    faulty: [
      {
        refusals: [unique],
        work: async (client, at, count, tally) => {
          const customer = `f${at}-${count}`;
          await ride(client, id(at, count), customer, 'live', '50 minutes', tally);
          await ride(client, id(at, second(count)), customer, 'waiting', '40 minutes', tally);
        },
      },
    ],
  },
};

/** Eight: three correct ones, two of the same that stay in a transaction while others write, and three faulty ones. */
export const postgresWriters = async (check: string, connect: Connect): Promise<Writer[]> => {
  const {correct, faulty} = works[check]!;
  const writer = async (at: number, refusals: string[], work: Work, stays = false): Promise<Writer> => {
    const client = await connect();
    const step = async (count: number, tally: Tally): Promise<void> => {
      if (!stays) return work(client, String(at), count, tally);
      const own: Tally = {...tally, stored: new Set()};
      await client.query('begin');
      try {
        await work(client, String(at), count, own);
        // It is busy with something else, as applications are.
        await pause(stayMs);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
      for (const token of own.stored) tally.stored.add(token);
    };
    return {refusals, step, close: () => client.end()};
  };
  return Promise.all(
    Array.from({length: 8}, (_, at) => {
      if (at < 5) return writer(at, [], correct[0]!, at > 2);
      const {refusals, work} = faulty[at % faulty.length]!;
      return writer(at, refusals, work);
    }),
  );
};
