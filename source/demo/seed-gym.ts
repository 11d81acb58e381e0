/** The gym's sign-in sessions in PostgreSQL: one background session an email, and a session a device. */
import {createHash} from 'node:crypto';
import type pg from 'pg';
import {gymSalt} from './config.js';
import {Random} from './random.js';
import {createAndFill, type TableRow} from './seed-load-postgres.js';
import {device, type Person, person} from './seed-people.js';
import {day, hour, minute, type SeedPlan, scatter} from './seed-plan.js';

export const gymTables = `
create table auth_sessions (
  id uuid primary key default gen_random_uuid(),
  email text,
  session_type text,
  protected boolean default false,
  fingerprint text,
  access_token text,
  refresh_token text,
  cookies jsonb,
  user_agent text,
  expires_at timestamptz,
  updated_at timestamptz,
  created_at timestamptz default now()
);
create index auth_sessions_email on auth_sessions (email);
create index auth_sessions_expires_at on auth_sessions (expires_at);
`;

type Case =
  | 'healthy'
  | 'expired-device'
  | 'duplicate-background'
  | 'unprotected'
  | 'wrong-fingerprint'
  | 'missing-background'
  | 'protected-device'
  | 'unknown-protection'
  | 'unknown-type'
  | 'expired-background';

const faults: Partial<Record<Case, number>> = {
  'expired-device': 14,
  'duplicate-background': 8,
  unprotected: 6,
  'wrong-fingerprint': 6,
  'missing-background': 6,
  'protected-device': 3,
  'unknown-protection': 2,
  'unknown-type': 3,
  'expired-background': 2,
};

const normalised = (email: string): string => email.trim().toLowerCase();

/** The background session's fingerprint as it should be (contract: fingerprint). */
export const gymFingerprint = (email: string): string =>
  `bg-${createHash('sha256')
    .update(`${normalised(email)}-${gymSalt}`)
    .digest('hex')}`;

/** What the old login made of an email: it hashed it as typed. */
export const oldFingerprint = (email: string, salt = gymSalt): string =>
  `bg-${createHash('sha256').update(`${email}-${salt}`).digest('hex')}`;

const capitalised = (email: string): string => email.replaceAll(/\b[a-z]/g, letter => letter.toUpperCase());

/** The ways in which people type the same email: `norm` of each is the same. */
export const typedEmails = (email: string): string[] => [
  email,
  capitalised(email),
  email.toUpperCase(),
  ` ${email}`,
  `${email} `,
  // A no-break space, as pasted from a web page: JavaScript trims it, SQL's trim doesn't.
  `${email}\u00a0`,
  `\t${capitalised(email)}`,
];

/** The columns that background and device sessions have alike. */
export const gymSession = (random: Random, email: string | null, at: number): TableRow['row'] => ({
  id: random.uuid(),
  email,
  access_token: `gat_${random.token(32)}`,
  refresh_token: `grt_${random.token(32)}`,
  cookies: [{name: 'GYMSESSID', value: random.hex(26), domain: '.gym.example.com'}],
  user_agent: device(random).agent,
  updated_at: new Date(at).toISOString(),
  created_at: new Date(at - random.int(1, 90 * 24) * hour).toISOString(),
});

const makers = (random: Random, now: number) => {
  const at = () => now - random.int(3, 20 * 24 * 60) * minute;
  const make = (row: TableRow['row']): TableRow => ({table: 'auth_sessions', row});
  const background = (email: string, change: TableRow['row'] = {}): TableRow =>
    make({
      ...gymSession(random, email, at()),
      session_type: 'background',
      protected: true,
      fingerprint: gymFingerprint(email),
      expires_at: random.chance(0.5) ? null : new Date(now + random.int(30, 300) * day).toISOString(),
      ...change,
    });
  const deviceRow = (email: string, change: TableRow['row'] = {}): TableRow =>
    make({
      ...gymSession(random, email, at()),
      session_type: 'device',
      protected: false,
      fingerprint: `dev-${random.hex(32)}`,
      expires_at: new Date(now + random.int(6, 20 * 24) * hour).toISOString(),
      ...change,
    });
  const expired = () => ({expires_at: new Date(now - random.int(5, 40 * 24 * 60) * minute).toISOString()});
  return {background, deviceRow, expired};
};

/** What a single background session has wrong with it. */
const backgroundFault = (
  kind: Case,
  email: string,
  random: Random,
  expired: () => TableRow['row'],
): TableRow['row'] => {
  if (kind === 'unprotected') return {protected: random.chance(0.7) ? false : null};
  if (kind === 'expired-background') return expired();
  if (kind !== 'wrong-fingerprint') return {};
  const wrong = [oldFingerprint(capitalised(email)), oldFingerprint(email, 'salt-2023'), null];
  return {fingerprint: random.pick(wrong)};
};

const rowsOf = function* (kind: Case, {email}: Person, random: Random, now: number): Generator<TableRow> {
  const {background, deviceRow, expired} = makers(random, now);
  const devices = (count: number) => Array.from({length: count}, () => deviceRow(email));
  if (kind !== 'missing-background' && kind !== 'duplicate-background') {
    const typed = random.chance(0.1) ? capitalised(email) : email;
    yield background(typed, backgroundFault(kind, email, random, expired));
    yield* devices(random.int(0, 3));
  }
  switch (kind) {
    case 'expired-device':
      for (let left = random.int(1, 3); left > 0; left--) yield deviceRow(email, expired());
      return;
    case 'duplicate-background': {
      const typed = random.shuffle(typedEmails(email)).slice(0, random.int(2, 4));
      for (const spelling of typed)
        yield background(spelling, {
          protected: random.chance(0.7),
          fingerprint: random.chance(0.6) ? gymFingerprint(spelling) : oldFingerprint(spelling),
        });
      yield* devices(random.int(1, 2));
      return;
    }
    case 'missing-background':
      yield* devices(random.int(1, 3));
      return;
    case 'protected-device':
      yield deviceRow(email, {...expired(), protected: true});
      return;
    case 'unknown-protection':
      yield deviceRow(email, {...expired(), protected: null});
      return;
    case 'unknown-type':
      yield deviceRow(email, {...expired(), session_type: random.pick(['kiosk', 'turnstile', null])});
  }
};

/** Every session of the gym, in the order in which it is written; the same for the same plan. */
export const gymRows = function* ({seed, rows, now}: SeedPlan): Generator<TableRow> {
  const random = new Random(seed, 'gym');
  // A healthy email has two and a half rows on average: one background session and up to three devices.
  const cases = scatter<Case>(random, rows, 'healthy', Math.ceil(rows / 2.5), faults);
  for (const [number, kind] of cases.entries()) yield* rowsOf(kind, person(seed, number), random, now);
  // Case folding beyond ASCII: one email to JavaScript, two to `lower()` under collation C.
  const {background} = makers(random, now);
  yield background('åsa.lind@exämple.example');
  yield background('ÅSA.LIND@EXÄMPLE.EXAMPLE');
};

/** Creates the gym's table and fills it. Rejects with the signal's reason when aborted. */
export const seedGym = (client: pg.Client, plan: SeedPlan, signal?: AbortSignal): Promise<void> =>
  createAndFill(client, gymTables, gymRows(plan), signal);
