/** The gym's login as it used to write: another background session each time, under the email as typed. */
import type pg from 'pg';
import type {Random} from './random.js';
import {gymSession, oldFingerprint, typedEmails} from './seed-gym.js';
import {insertRows} from './seed-load-postgres.js';
import {person} from './seed-people.js';
import type {Traffic} from './traffic-loop.js';
import {connectPostgres, disconnectPostgres, isPostgresRefusal} from './traffic-postgres.js';

const sessionMinutes = 60 * 24 * 14;
/** The email's first background session is no fault: only another one is. */
const backgroundOf = `select from auth_sessions
  where session_type = 'background' and lower(btrim(email, E' \\t\\u00a0')) = lower($1::text) limit 1`;

export const gymTraffic = (url: string, seed: number, people: number): Traffic<pg.Client> => ({
  connect: connectPostgres(url),
  disconnect: disconnectPostgres,
  isRefusal: isPostgresRefusal,
  step: async (client, random, count, faulty) => {
    const {email} = person(seed, random.int(0, people - 1));
    const now = Date.now();
    // A device signs in (at the turnstile for a minute only), and with half of them the whole login runs.
    const minutes = random.chance(0.2) ? 1 : sessionMinutes;
    await insert(client, random, email, 'device', now, new Date(now + minutes * 60_000));
    count();
    if (random.chance(0.5)) return;
    const inBackground = () =>
      insert(client, random, random.pick(typedEmails(email)), 'background', now, null);
    const {rowCount} = await client.query(backgroundOf, [email]);
    if (rowCount) await faulty(inBackground);
    else await inBackground().then(count);
  },
});

const insert = (
  client: pg.Client,
  random: Random,
  email: string,
  type: 'background' | 'device',
  now: number,
  expiresAt: Date | null,
): Promise<void> =>
  insertRows(client, [
    {
      table: 'auth_sessions',
      row: {
        ...gymSession(random, email, now),
        session_type: type,
        protected: type === 'background' && random.chance(0.7),
        fingerprint: type === 'background' ? oldFingerprint(email) : `dev-${random.hex(32)}`,
        expires_at: expiresAt?.toISOString() ?? null,
        created_at: new Date(now).toISOString(),
      },
    },
  ]);
