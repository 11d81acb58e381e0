/** The ride service as it used to write: sessions of customers who close the page wait for ever. */
import type pg from 'pg';
import type {Random} from './random.js';
import {insertRows, type TableRow} from './seed-load-postgres.js';
import {person} from './seed-people.js';
import {minute, second} from './seed-plan.js';
import {mechanic, rideRequest, rideSession} from './seed-rides-rows.js';
import type {Faulty, Traffic} from './traffic-loop.js';
import {connectPostgres, disconnectPostgres, isPostgresRefusal} from './traffic-postgres.js';

type Ride = {session: string; customer: string};
type Step = {client: pg.Client; random: Random; now: number; count: () => void; faulty: Faulty};
const remembered = 20;
/** Another open session of the same customer: it would block the payment of this one. */
const isBlocked = `select from sessions where customer_id = $1 and id <> $2
  and status in ('waiting', 'live', 'in_progress') limit 1`;

/** `customers`: how many there are already; new ones are numbered from there. */
export const ridesTraffic = (url: string, seed: number, customers: number): Traffic<pg.Client> => {
  let next = customers;
  const waiting: Ride[] = [];
  const live: Ride[] = [];
  const abandoned: string[] = [];

  const newCustomer = async ({client, count}: Step): Promise<string> => {
    const {customerId, name, email} = person(seed, next++);
    await insertRows(client, [{table: 'customers', row: {id: customerId, name, email}}]);
    count();
    return customerId;
  };
  const insert = async ({client, count}: Step, rows: TableRow[]): Promise<void> => {
    await insertRows(client, rows);
    count();
  };
  const newOrder = ({random, now}: Step, customer: string) => {
    const session = rideSession(random, now, customer, 'waiting', 0);
    const rows = [session, rideRequest(random, now, customer, session, 'pending', 0)];
    return {rows, ride: {session: session.row.id as string, customer}};
  };
  const order = async (step: Step, customer: string): Promise<void> => {
    const {rows, ride} = newOrder(step, customer);
    await insert(step, rows);
    waiting.push(ride);
  };
  /** One who left tries again while the old session still waits: unless that one is cancelled, it is blocked. */
  const orderAgain = async (step: Step, customer: string): Promise<void> => {
    const {client, faulty} = step;
    const {rows, ride} = newOrder(step, customer);
    const isFree = async () => (await client.query(isBlocked, [customer, ride.session])).rowCount === 0;
    await faulty(() => insertRows(client, rows), isFree);
    waiting.push(ride);
  };
  /** About to become stale or very stale; some before a request was ever made. */
  const abandon = async (step: Step): Promise<void> => {
    const customer = await newCustomer(step);
    const ageMs = step.random.pick([
      14 * minute + 40 * second,
      18 * minute,
      23 * minute,
      29 * minute + 30 * second,
    ]);
    const session = rideSession(step.random, step.now, customer, 'waiting', ageMs);
    const request = rideRequest(step.random, step.now, customer, session, 'pending', ageMs);
    await insert(step, step.random.chance(0.6) ? [session, request] : [session]);
    abandoned.push(customer);
    if (abandoned.length > remembered) abandoned.shift();
  };
  const accept = async ({client, random, count}: Step, ride: Ride): Promise<void> => {
    const set = `update sessions set status = 'live', mechanic_id = $2, updated_at = now()
      where id = $1 and status = 'waiting'`;
    await client.query(set, [ride.session, mechanic(random)]);
    count();
    await client.query(
      `update session_requests set status = 'accepted', updated_at = now() where session_id = $1`,
      [ride.session],
    );
    count();
    live.push(ride);
  };
  const complete = async ({client, count}: Step, ride: Ride): Promise<void> => {
    const set = `update sessions set status = 'completed', updated_at = now() where id = $1 and status = 'live'`;
    await client.query(set, [ride.session]);
    count();
  };

  return {
    connect: connectPostgres(url),
    disconnect: disconnectPostgres,
    isRefusal: isPostgresRefusal,
    step: async (client, random, count, faulty) => {
      const step = {client, random, now: Date.now(), count, faulty};
      if (live.length > 3) return complete(step, live.shift()!);
      if (waiting.length > 3) return accept(step, waiting.shift()!);
      if (random.chance(0.35)) return abandon(step);
      if (abandoned.length > 3 && random.chance(0.2)) return orderAgain(step, abandoned.shift()!);
      return order(step, await newCustomer(step));
    },
  };
};
