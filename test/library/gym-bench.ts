/** The gym's table for the tests of its functions, with and without its guards. */
import {createHash} from 'node:crypto';
import type pg from 'pg';
import {jsWhitespace} from '../../connectors/postgres/sql.js';

export const salt = 'pepper';

export const rightFingerprint = (email: string): string =>
  `bg-${createHash('sha256').update(`${email.trim().toLowerCase()}-${salt}`).digest('hex')}`;

export const gymTable = `
create table auth_sessions (
  id uuid primary key default gen_random_uuid(),
  email text,
  session_type text,
  protected boolean default false,
  fingerprint text,
  access_token text,
  cookies jsonb,
  avatar bytea,
  logins bigint,
  kind text generated always as (session_type || '!') stored,
  number bigint generated always as identity,
  expires_at timestamptz,
  updated_at timestamptz,
  created_at timestamptz default now()
)`;

/** At most one background session an email, however it is spelt. */
export const oneBackground = `create unique index one_background on auth_sessions (lower(btrim(email, ${jsWhitespace})))
  where session_type = 'background'`;

export const gymConfiguration = (url: string, check: object = {}): object => ({
  stores: {
    gym: {
      kind: 'postgres',
      url,
      checks: [{check: 'device-sessions', table: 'auth_sessions', fingerprint: {salt}, ...check}],
    },
  },
});

export const freshGym = async (client: pg.Client, ...guards: string[]): Promise<void> => {
  await client.query(['drop table if exists auth_sessions cascade', gymTable, ...guards].join('; '));
};

/** Every session, the columns that tests speak of. */
export const sessionsIn = async (client: pg.Client) =>
  (
    await client.query(
      'select id::text, email, session_type, protected, fingerprint, access_token, expires_at, updated_at, created_at from auth_sessions order by number',
    )
  ).rows;
