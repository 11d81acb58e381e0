/** One customer on the screen: what the stores have told so far, how the verdict went, and what was done here. */
import {verdictOf} from '../engine/customer/verdict.js';
import type {CheckError, RunResult} from '../types.js';
import type {Blocking, CustomerReport, CustomerSession, Hindrance} from '../ui/customer.js';
import {keyText} from './filter.js';

/** The verdict as it was from then on (milliseconds on this machine's clock). */
export type Told = {at: number; text: string; blocked: boolean};

export type Customer = {
  id: string;
  /** The number of the last question; answers to earlier ones are thrown away. */
  question: number;
  looking: boolean;
  askedAt: number;
  /** When all stores had answered last; null before that. */
  answeredAt: number | null;
  /** What is shown: of a store that is still asked, what it told last. */
  report: CustomerReport | null;
  /** What was known before the first run from here; null until one is planned. */
  before: CustomerReport | null;
  /** Stores that have not answered the last question yet. */
  waiting: readonly string[];
  error: CheckError | null;
  /** Looks again at each refresh. */
  following: boolean;
  /** How the verdict changed, oldest first. */
  told: readonly Told[];
  /** What the last of them says, without its ages. */
  said: string | null;
  /** The runs that were carried out from here, oldest first. */
  done: readonly RunResult[];
  /** The session under the cursor: by its name, so that one that comes above doesn't move it. */
  cursor: {index: number; name: string | null};
};

const MOST_TOLD = 100;

/** A customer before any store has answered. */
export const newCustomer = (id: string, question: number, now: number): Customer => ({
  id,
  question,
  looking: true,
  askedAt: now,
  answeredAt: null,
  report: null,
  before: null,
  waiting: [],
  error: null,
  following: false,
  told: [],
  said: null,
  done: [],
  cursor: {index: 0, name: null},
});

export const sessionName = ({store, table, key}: CustomerSession): string =>
  `${store} ${table} ${keyText(key)}`;

export const storeOf = (check: string): string => check.split('/')[0]!;

const byMoment = (a: CustomerSession, b: CustomerSession): number => {
  if (a.at === b.at) return 0;
  if (a.at === null) return 1;
  return b.at === null || a.at > b.at ? -1 : 1;
};

/** What a verdict says, without its ages: two reports with the same one have the same verdict. */
const signature = ({blockedBy, hindrances, errors, sessions}: CustomerReport): string =>
  JSON.stringify([
    blockedBy.map(({store, id, status, stale}) => [store, id, status, stale]),
    hindrances.map(({check, reason, text}) => [check, reason, text]),
    errors.map(({check}) => check).sort(),
    sessions.length === 0,
  ]);

const storeIn = ({store}: {store: string}): string => store;
const storeOfCheck = ({check}: {check: string}): string => storeOf(check);
const blockingName = ({check, table, id}: Blocking): string => JSON.stringify([check, table, id]);
const hindranceName = ({check, reason, command}: Hindrance): string =>
  JSON.stringify([check, reason, command]);

/**
 * The report with what the stores that are still asked told last time, so that no row leaves the screen and comes
 * back, and the verdict on that. A store is asked several times and by several checks: what it has told already of
 * this time wins.
 */
const together = (before: CustomerReport, part: CustomerReport): CustomerReport => {
  const awaited = new Set(part.waiting);
  const both = <Item>(
    items: readonly Item[],
    old: readonly Item[],
    store: (item: Item) => string,
    name: (item: Item) => string,
  ): Item[] => {
    const told = new Set(items.map(name));
    return [...items, ...old.filter(item => awaited.has(store(item)) && !told.has(name(item)))];
  };
  const sessions = both(part.sessions, before.sessions, storeIn, sessionName);
  // Whether a row that was told anew blocks, it says itself.
  const anew = ({check, table, id}: Blocking): boolean =>
    part.sessions.some(
      session =>
        session.check === check && session.table === table && Object.values(session.key).includes(id),
    );
  const oldBlocking = before.blockedBy.filter(item => !anew(item));
  const blockedBy = both(part.blockedBy, oldBlocking, storeIn, blockingName);
  const report: CustomerReport = {
    ...part,
    known: [...new Set([...part.known, ...before.known])],
    blocked: blockedBy.length > 0,
    blockedBy,
    hindrances: both(part.hindrances, before.hindrances, storeIn, hindranceName),
    sessions: sessions.sort(byMoment),
    findings: both(part.findings, before.findings, storeOfCheck, ({check, id}) => `${check} ${id}`),
    errors: both(part.errors, before.errors, storeOfCheck, ({check}) => check),
  };
  return {...report, verdict: verdictOf({...report, waiting: []})};
};

/** The report with what was cancelled from here: whom nothing blocks after that is told to be free. */
const withDone = (report: CustomerReport, done: readonly RunResult[]): CustomerReport => {
  const cleaned = done.reduce((sum, {applied}) => sum + applied, 0);
  if (cleaned === 0) return report;
  return {...report, cleaned, verdict: verdictOf({...report, cleaned})};
};

const withVerdict = (customer: Customer, report: CustomerReport, now: number): Customer => {
  const said = signature(report);
  if (said === customer.said) return customer;
  const {verdict: text, blocked} = report;
  return {...customer, said, told: [...customer.told, {at: now, text, blocked}].slice(-MOST_TOLD)};
};

/** The customer with the cursor at a session; from then on it is tied to that one. */
export const atSession = (customer: Customer, index: number): Customer => {
  const sessions = customer.report?.sessions ?? [];
  const place = Math.max(0, Math.min(index, sessions.length - 1));
  const session = sessions[place];
  return {...customer, cursor: {index: place, name: session ? sessionName(session) : null}};
};

/** The cursor on its session, wherever that is now; where it is gone, at the same place. */
const withReport = (customer: Customer, report: CustomerReport): Customer => {
  const {index, name} = customer.cursor;
  const next = {...customer, report, error: null};
  if (name === null) return next;
  const found = report.sessions.findIndex(session => sessionName(session) === name);
  return atSession(next, found < 0 ? index : found);
};

/** The customer after some of the stores have answered. */
export const afterPart = (customer: Customer, part: CustomerReport): Customer => {
  const {report: before, answeredAt, done} = customer;
  const next = {...customer, waiting: part.waiting};
  const isFirst = before === null || answeredAt === null;
  return withReport(next, isFirst ? part : withDone(together(before, part), done));
};

/** The customer after all stores have answered, or will not. */
export const afterAnswer = (customer: Customer, answer: CustomerReport, now: number): Customer => {
  const report = withDone(answer, customer.done);
  const next = {...withVerdict(customer, report, now), looking: false, waiting: [], answeredAt: now};
  return withReport(next, report);
};
