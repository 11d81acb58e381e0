/** The application registry's session keys in PostgreSQL: a table without a key, written again at each restart. */
import type pg from 'pg';
import {Random} from './random.js';
import {createAndFill, type TableRow} from './seed-load-postgres.js';
import {hour, minute, type SeedPlan, scatter} from './seed-plan.js';

export const registryTables = `
create table app_session_keys (
  device_key varchar not null,
  stream_id varchar not null,
  session_ids varchar[] not null,
  message_envelope bytea not null,
  created_at timestamptz not null default now()
);
create index app_session_keys_device on app_session_keys (device_key, stream_id);
`;

type Case =
  | 'healthy'
  | 'reordered'
  | 'exact-copy'
  | 'envelopes-differ'
  | 'multisets'
  | 'multiset-repeated'
  | 'overlapping'
  | 'elsewhere';

const faults: Partial<Record<Case, number>> = {
  reordered: 14,
  'exact-copy': 2,
  'envelopes-differ': 4,
  multisets: 3,
  'multiset-repeated': 1,
  overlapping: 4,
  elsewhere: 3,
};

export type SessionKeys = {
  device_key: string;
  stream_id: string;
  session_ids: string[];
  message_envelope: string;
};

/** Keys as a device publishes them; the envelope is bytea's text. */
export const sessionKeys = (random: Random, setSize = random.int(1, 6)): SessionKeys => ({
  device_key: random.token(43),
  stream_id: `20${random.hex(38)}`,
  session_ids: Array.from({length: setSize}, () => random.token(22)),
  message_envelope: envelope(random),
});

const envelope = (random: Random): string => `\\x${random.hex(2 * random.int(48, 160))}`;

/** The same elements in an order that differs from this one, where there is one. */
export const reordered = (random: Random, ids: readonly string[]): string[] => {
  for (let tries = 0; tries < 20; tries++) {
    const other = random.shuffle(ids);
    if (other.some((id, place) => id !== ids[place])) return other;
  }
  return [...ids];
};

/** What the rows of a case hold: one entry a row. */
const keysOf = (kind: Case, random: Random): SessionKeys[] => {
  const keys = sessionKeys(random, kind === 'healthy' ? undefined : random.int(3, 6));
  const [a, b, c] = keys.session_ids as [string, string, string];
  const withIds = (...session_ids: string[]): SessionKeys => ({...keys, session_ids});
  const copies = (count: number) =>
    Array.from({length: count}, () => withIds(...reordered(random, keys.session_ids)));
  switch (kind) {
    case 'healthy':
      return [keys];
    case 'reordered':
      return [keys, ...copies(random.int(1, 4))];
    case 'exact-copy':
      return [keys, {...keys}];
    case 'envelopes-differ':
      return [keys, ...copies(random.int(1, 2)).map(copy => ({...copy, message_envelope: envelope(random)}))];
    case 'multisets':
      // Alike as sets, different as sorted arrays: none is a copy of another.
      return [withIds(a, b), withIds(a, a, b), withIds(b, a, b)];
    case 'multiset-repeated':
      return [withIds(a, a, b), withIds(b, a, a), withIds(a, b)];
    case 'overlapping':
      return [withIds(a, b), withIds(b, c), withIds(a, b, c)];
    case 'elsewhere':
      return [keys, {...keys, stream_id: `20${random.hex(38)}`}, {...keys, device_key: random.token(43)}];
  }
};

/** Every row of the registry, in the order in which it is written; the same for the same plan. */
export const registryRows = function* ({seed, rows, now}: SeedPlan): Generator<TableRow> {
  const random = new Random(seed, 'registry');
  for (const kind of scatter<Case>(random, rows, 'healthy', rows, faults)) {
    let age = random.int(24, 60 * 24) * hour;
    for (const keys of keysOf(kind, random)) {
      yield {table: 'app_session_keys', row: {...keys, created_at: new Date(now - age).toISOString()}};
      // Later copies are younger; an exact copy has the same moment too, from a restore that ran twice.
      if (kind !== 'exact-copy') age -= random.int(1, 200) * minute;
    }
  }
};

/** Creates the registry's table and fills it. Rejects with the signal's reason when aborted. */
export const seedRegistry = (client: pg.Client, plan: SeedPlan, signal?: AbortSignal): Promise<void> =>
  createAndFill(client, registryTables, registryRows(plan), signal);
