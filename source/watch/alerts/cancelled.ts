/** Whose sessions were cancelled: told for each run, and again when the same customer comes up in three within a day. */
import {createHash} from 'node:crypto';
import {clip} from '../../sanitise.js';
import {blockedText, cancelledText, resolvedText} from './text.js';
import type {Alert, CancellingRun, CustomerRuns, Decided} from './types.js';

/** Runs of one customer count together for so long. */
export const dayMs = 86_400_000;
/** As many runs within a day are too many. */
const runsTooMany = 3;
/** Customers that are kept of one check; those of the newest runs stay. */
export const keptCustomers = 5000;
/** Runs that are remembered as told. */
export const keptRuns = 1000;
const customersPerMessage = 1000;
const charactersPerMessage = 200_000;
const keptNameLength = 200;

const none: CustomerRuns = {customers: [], told: [], overflown: false};

/** What a customer is kept under: an id of any length in bounded space. */
const keptName = (customer: string): string =>
  customer.length <= keptNameLength
    ? customer
    : `${clip(customer, 100)} ${createHash('sha256').update(customer).digest('hex')}`;

/** The whole list in lists that fit into a message; one, if it is empty. */
const messagesOf = (customers: string[]): string[][] => {
  const lists: string[][] = [[]];
  let length = 0;
  for (const customer of customers) {
    const last = lists.at(-1)!;
    const isFull =
      last.length >= customersPerMessage ||
      (last.length > 0 && length + customer.length > charactersPerMessage);
    if (isFull) lists.push([]);
    length = (isFull ? 0 : length) + customer.length;
    lists.at(-1)!.push(customer);
  }
  return lists;
};

const cancelledAlerts = (run: CancellingRun, environment: string): Alert[] => {
  const lists = messagesOf(run.customers);
  return lists.map((customers, index) => ({
    alert: 'sessions-cancelled',
    environment,
    store: run.store,
    check: run.check,
    count: run.applied,
    since: run.at,
    text: cancelledText(environment, run, index + 1, lists.length),
    run: run.run,
    customers,
    part: index + 1,
    parts: lists.length,
  }));
};

/** The customers' runs of the last day with those of one more run. */
const withRun = (before: CustomerRuns, run: CancellingRun, nowMs: number): CustomerRuns => {
  const atMs = Math.min(Date.parse(run.at), nowMs);
  const all = new Map(before.customers);
  for (const customer of new Set(run.customers.map(keptName))) {
    const runs = (all.get(customer) ?? []).filter(([name]) => name !== run.run);
    // To the end of the map: the order is that of their last run.
    all.delete(customer);
    all.set(customer, [...runs, [run.run, atMs] as [string, number]].slice(-runsTooMany));
  }
  return {...before, customers: [...all]};
};

const withinDay = (runs: CustomerRuns, nowMs: number): CustomerRuns => ({
  ...runs,
  customers: runs.customers
    .map(([customer, own]): [string, [string, number][]] => [
      customer,
      own.filter(([, atMs]) => nowMs - atMs < dayMs),
    ])
    .filter(([, own]) => own.length > 0),
});

/** Those that were not told as blocked repeatedly and are, and those that were told and are not any more. */
const settleBlocked = (
  key: {store: string; check: string; environment: string},
  runs: CustomerRuns,
  at: string,
): {runs: CustomerRuns; alerts: Alert[]} => {
  const blocked = runs.customers.filter(([, own]) => own.length >= runsTooMany);
  const names = new Set(blocked.map(([customer]) => customer));
  const told = new Map(runs.told);
  const begun = blocked.filter(([customer]) => !told.has(customer));
  const ended = runs.told.filter(([customer]) => !names.has(customer));
  const {store, check, environment} = key;
  const alerts: Alert[] = [];
  if (begun.length > 0) {
    const customers = begun.map(([customer]) => customer);
    const text = blockedText(environment, check, customers);
    const count = customers.length;
    alerts.push({alert: 'blocked-repeatedly', environment, store, check, count, since: at, text, customers});
  }
  if (ended.length > 0) {
    const customers = ended.map(([customer]) => customer);
    const since = ended.map(([, moment]) => moment).sort()[0]!;
    const text = resolvedText(environment, check, 'blocked-repeatedly', since, customers);
    const of = 'blocked-repeatedly';
    alerts.push({alert: 'resolved', environment, store, check, count: 0, since, text, of, customers});
  }
  const still = runs.told.filter(([customer]) => names.has(customer));
  return {
    runs: {...runs, told: [...still, ...begun.map(([customer]): [string, string] => [customer, at])]},
    alerts,
  };
};

/** Those of the newest runs, as many as are kept. */
const newestKept = (runs: CustomerRuns, check: string): {runs: CustomerRuns; notes: string[]} => {
  if (runs.customers.length <= keptCustomers) return {runs, notes: []};
  const customers = runs.customers.slice(-keptCustomers);
  const notes = runs.overflown
    ? []
    : [
        `${check}: sessions of more than ${keptCustomers} customers were cancelled within a day; only those of the newest runs are looked at for blocked-repeatedly`,
      ];
  return {runs: {...runs, customers, overflown: true}, notes};
};

export type Folded = {decided: Decided; alerts: Alert[]; notes: string[]};

/**
 * Takes runs of one check in: a run is told once, and once more if it has made more changes since (it was interrupted
 * and then finished). Without a run only the passing of time is looked at.
 */
export const foldRuns = (
  before: Decided,
  key: {store: string; check: string; environment: string},
  runs: CancellingRun[],
  nowMs: number,
): Folded => {
  const name = `${key.environment}/${key.check}`;
  const told = new Map(before.runs);
  const fresh = runs.filter(({run, applied}) => applied > 0 && told.get(run) !== applied);
  const kept = before.cancelled[name];
  if (fresh.length === 0 && !kept) return {decided: before, alerts: [], notes: []};
  for (const {run, applied} of fresh) {
    told.delete(run);
    told.set(run, applied);
  }
  const all = fresh.reduce((sum, run) => withRun(sum, run, nowMs), kept ?? none);
  const {runs: fit, notes} = newestKept(withinDay(all, nowMs), key.check);
  const settled = settleBlocked(key, fit, new Date(nowMs).toISOString());
  const {[name]: _, ...others} = before.cancelled;
  const isEmpty = settled.runs.customers.length === 0 && settled.runs.told.length === 0;
  return {
    decided: {
      ...before,
      cancelled: isEmpty ? others : {...others, [name]: settled.runs},
      runs: [...told].slice(-keptRuns),
    },
    alerts: [...fresh.flatMap(run => cancelledAlerts(run, key.environment)), ...settled.alerts],
    notes,
  };
};
