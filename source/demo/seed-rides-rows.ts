/** Rows of the ride service: sessions with a mechanic, and the requests that ask for one. */
import type {Random} from './random.js';
import type {Cell, TableRow} from './seed-load-postgres.js';
import {minute} from './seed-plan.js';

const plans = [
  {plan: 'quick-check', price_cents: 1900},
  {plan: 'standard', price_cents: 4900},
  {plan: 'diagnostic', price_cents: 8900},
  {plan: 'full-service', price_cents: 14_900},
];

export const mechanic = (random: Random): string => `mechanic-${random.int(1, 24)}`;

const iso = (ms: number): string => new Date(ms).toISOString();

export type RideChange = Record<string, Cell>;

/** A session of this age; `change` sets single columns otherwise. */
export const rideSession = (
  random: Random,
  now: number,
  customer: string,
  status: string,
  ageMs: number,
  change: RideChange = {},
): TableRow => ({
  table: 'sessions',
  row: {
    id: random.uuid(),
    customer_id: customer,
    mechanic_id: status === 'waiting' ? null : mechanic(random),
    status,
    ...random.pick(plans),
    created_at: iso(now - ageMs),
    updated_at: iso(now - Math.floor(ageMs * (status === 'waiting' ? 1 : 0.9))),
    ...change,
  },
});

/** The request for a session (`null`: for none yet), made some seconds before it. */
export const rideRequest = (
  random: Random,
  now: number,
  customer: string,
  session: TableRow | null,
  status: string,
  ageMs: number,
  change: RideChange = {},
): TableRow => {
  const created = now - ageMs;
  return {
    table: 'session_requests',
    row: {
      id: random.uuid(),
      customer_id: customer,
      session_id: session ? session.row.id! : null,
      status,
      created_at: iso(created),
      updated_at: iso(status === 'pending' ? created : Math.min(now, created + random.int(1, 9) * minute)),
      ...change,
    },
  };
};
