/** The ride service in PostgreSQL, with the waiting sessions and requests that nobody ever closed. */
import type pg from 'pg';
import {Random} from './random.js';
import {createAndFill, type TableRow} from './seed-load-postgres.js';
import {person} from './seed-people.js';
import {day, hour, minute, type SeedPlan, scatter, second} from './seed-plan.js';
import {type RideChange, rideRequest, rideSession} from './seed-rides-rows.js';

export const ridesTables = `
create table customers (id text primary key, name text not null, email text not null);
create table sessions (
  id uuid primary key default gen_random_uuid(),
  customer_id text not null,
  mechanic_id text,
  status text not null,
  plan text not null,
  price_cents integer not null,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
create table session_requests (
  id uuid primary key default gen_random_uuid(),
  customer_id text not null,
  session_id uuid,
  status text not null,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
create index customers_email on customers (email);
create index sessions_status on sessions (status, created_at);
create index sessions_customer on sessions (customer_id);
create index session_requests_status on session_requests (status, created_at);
create index session_requests_customer on session_requests (customer_id);
create index session_requests_session on session_requests (session_id);
`;

/** The customers who are blocked by exactly one thing each, and by what. */
export const blockedCustomers = {
  'customer-7': 'a very stale waiting session that no request belongs to',
  'customer-8': 'a fresh waiting session',
  'customer-9': 'a fresh pending request',
  'customer-10': 'an expired pending request',
  'customer-11': 'a live session',
  'customer-12': 'a session in progress',
  'customer-13': 'a waiting session of unknown age',
} as const;

type Blocked = keyof typeof blockedCustomers;
type Case =
  | 'completed'
  | 'cancelled'
  | 'live'
  | 'in-progress'
  | 'fresh-waiting'
  | 'stale-accepted'
  | 'stale-pending'
  | 'stale-by-update'
  | 'stale-twice'
  | 'very-stale'
  | 'orphaned'
  | 'very-stale-orphaned'
  | 'request-alone'
  | 'request-of-live'
  | 'age-null'
  | 'age-infinite'
  | 'age-future'
  | 'request-age-null';

const faults: Partial<Record<Case, number>> = {
  'stale-accepted': 8,
  'stale-pending': 4,
  'stale-by-update': 1,
  'stale-twice': 2,
  'very-stale': 6,
  orphaned: 5,
  'very-stale-orphaned': 4,
  'request-alone': 5,
  'request-of-live': 2,
  'age-null': 2,
  'age-infinite': 2,
  'age-future': 2,
  'request-age-null': 1,
};

const rowsOf = (kind: Case | Blocked, customer: string, random: Random, now: number): TableRow[] => {
  const session = (status: string, ageMs: number, change?: RideChange) =>
    rideSession(random, now, customer, status, ageMs, change);
  const request = (of: TableRow | null, status: string, ageMs: number, change?: RideChange) =>
    rideRequest(random, now, customer, of, status, ageMs, change);
  const both = (status: string, ageMs: number, requestStatus: string, change?: RideChange): TableRow[] => {
    const row = session(status, ageMs, change);
    return [row, request(row, requestStatus, ageMs + 5 * second)];
  };
  const between = (from: number, to: number): number => random.int(from / second, to / second) * second;
  // Three minutes short of the next threshold, so that a row is still what it was made to be while one looks.
  const stale = () => between(16 * minute, 27 * minute);
  const veryStale = () => between(32 * minute, random.chance(0.7) ? 5 * hour : 9 * day);

  switch (kind) {
    case 'completed':
      return both('completed', between(2 * hour, 120 * day), 'accepted');
    case 'cancelled':
      return both('cancelled', between(hour, 120 * day), random.pick(['cancelled', 'expired']));
    case 'live':
    case 'customer-11':
      return both('live', between(5 * minute, 2 * hour), 'accepted');
    case 'in-progress':
    case 'customer-12':
      return both('in_progress', between(10 * minute, 2 * day), 'accepted');
    case 'fresh-waiting':
      return both('waiting', between(10 * second, 6 * minute), 'pending');
    case 'customer-8':
      // Accepted, so that the request doesn't block as well.
      return both('waiting', 90 * second, 'accepted');
    case 'stale-accepted':
      return both('waiting', stale(), 'accepted');
    case 'stale-pending':
      return both('waiting', stale(), 'pending');
    case 'stale-by-update':
      return both('waiting', stale(), 'accepted', {created_at: null});
    case 'stale-twice':
      return [...both('waiting', stale(), 'accepted'), ...both('waiting', stale(), 'accepted')];
    case 'very-stale':
      return both('waiting', veryStale(), random.pick(['accepted', 'pending']));
    case 'orphaned': {
      const ageMs = between(21 * minute, 27 * minute);
      return random.chance(0.5)
        ? [session('waiting', ageMs)]
        : both('waiting', ageMs, random.pick(['cancelled', 'expired']));
    }
    case 'very-stale-orphaned':
      return [session('waiting', veryStale())];
    case 'customer-7':
      return [session('waiting', 42 * minute, {id: `c354${random.uuid().slice(4)}`})];
    case 'request-alone':
    case 'customer-10':
      return [request(null, 'pending', between(17 * minute, 3 * day))];
    case 'customer-9':
      return [request(null, 'pending', 2 * minute)];
    case 'request-of-live':
      return both('live', between(20 * minute, hour), 'pending');
    case 'age-null':
    case 'customer-13':
      return both('waiting', stale(), 'accepted', {created_at: null, updated_at: null});
    case 'age-infinite':
      return both('waiting', stale(), 'accepted', {created_at: random.pick(['infinity', '-infinity'])});
    case 'age-future':
      return both('waiting', stale(), 'accepted', {created_at: new Date(now + 3 * day).toISOString()});
    case 'request-age-null':
      return [request(null, 'pending', hour, {created_at: null, updated_at: null})];
  }
};

/** Healthy customers by what their last session is, in hundredths. */
const healthyMix: [Case, number][] = [
  ['completed', 74],
  ['cancelled', 14],
  ['live', 5],
  ['in-progress', 3],
  ['fresh-waiting', 4],
];

const casesOf = (random: Random, rows: number): (Case | Blocked)[] => {
  const healthy = healthyMix.flatMap(([kind, hundredths]) =>
    new Array<Case>(Math.max(1, Math.round((rows * hundredths) / 100))).fill(kind),
  );
  const cases = random.shuffle([...healthy, ...scatter<Case>(random, rows, 'completed', 0, faults)]);
  // The customers who are known by number: 1 to 6 are healthy, 7 to 13 blocked.
  const first = new Array<Case>(6).fill('completed');
  return [...first, ...(Object.keys(blockedCustomers) as Blocked[]), ...cases];
};

/** How many customers `ridesRows` makes for this plan. */
export const ridesCustomers = ({seed, rows}: Pick<SeedPlan, 'seed' | 'rows'>): number =>
  casesOf(new Random(seed, 'rides'), rows).length;

/** Every row of the ride service, in the order in which it is written; the same for the same plan. */
export const ridesRows = function* ({seed, rows, now}: SeedPlan): Generator<TableRow> {
  const random = new Random(seed, 'rides');
  for (const [number, kind] of casesOf(random, rows).entries()) {
    const {customerId, name, email} = person(seed, number);
    yield {table: 'customers', row: {id: customerId, name, email}};
    // Most have been here before; what is over never blocks.
    if (random.chance(0.2))
      yield rideSession(random, now, customerId, 'completed', random.int(130, 300) * day);
    yield* rowsOf(kind, customerId, random, now);
  }
};

/** Creates the ride service's tables and fills them. Rejects with the signal's reason when aborted. */
export const seedRides = (client: pg.Client, plan: SeedPlan, signal?: AbortSignal): Promise<void> =>
  createAndFill(client, ridesTables, ridesRows(plan), signal);
