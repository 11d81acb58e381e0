/** One call's worth of cancelling: its thresholds, its plan and run, and what it did, counted by customer. */
import {parseDuration} from '../config/duration.js';
import type {StaleSessionsConfig} from '../config/schema.js';
import type {Change} from '../connector.js';
import {Checker} from '../engine/checker.js';
import {missingConfirmations} from '../engine/confirmations.js';
import type {HeldPlan} from '../engine/plan/held-plan.js';
import {SesstuiError} from '../errors.js';
import {valueAt} from '../evaluate.js';
import type {Plan, RunResult, Selection} from '../types.js';
import {toText} from '../values.js';
import type {LibraryContext, Logger} from './context.js';

export type RidesChecker = Checker & {readonly config: StaleSessionsConfig};

/** What a function cancels; its name is in the note of its runs. */
export type Kind = {
  name: string;
  reasons?: string[];
  /** The configuration with another age; null for a function that takes the configured ones. */
  aged: ((config: StaleSessionsConfig, age: string) => StaleSessionsConfig) | null;
};

/** `totalCleaned` is the sum of the next two; counts are of rows. */
export type CleanupStatistics = {
  totalCleaned: number;
  sessionsCancelled: number;
  requestsCancelled: number;
  /** Rows that were no longer what the plan saw: taken, accepted or cancelled by somebody else meanwhile. */
  skipped: number;
  failed: number;
  /** The store did not say whether they were changed; `sesstui history` and `resume` find out. */
  unknown: number;
  /** The runs that this call made, for `sesstui undo`; none when there was nothing to do. */
  runs: string[];
  /** Whose sessions were cancelled, each once. */
  customers: string[];
};

export const noStatistics = (): CleanupStatistics => ({
  totalCleaned: 0,
  sessionsCancelled: 0,
  requestsCancelled: 0,
  skipped: 0,
  failed: 0,
  unknown: 0,
  runs: [],
  customers: [],
});

const ages = ['waitingAfter', 'requestAfter', 'orphanedAfter', 'veryStaleAfter'] as const;

/** A century: no store's arithmetic overflows. */
const mostMinutes = 100 * 366 * 1440;

/** Minutes as a duration of the configuration; throws `usage` for what is no time. */
export const durationOfMinutes = (minutes: number): string => {
  const ms = Math.round(minutes * 60_000);
  if (typeof minutes === 'number' && ms > 0 && minutes <= mostMinutes)
    return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms}ms`;
  throw new SesstuiError(
    'usage',
    `maxAgeMinutes is ${String(minutes)}`,
    'Give a finite number of minutes above 0.',
  );
};

/** The check with a kind's own age; the check itself where that is the configured one. */
export const agedChecker = (checker: RidesChecker, {aged}: Kind, minutes: number | null): RidesChecker => {
  if (aged === null || minutes === null) return checker;
  const {config, store, scanLimit} = checker;
  const wanted = aged(config, durationOfMinutes(minutes));
  const isSame = ages.every(name => parseDuration(wanted[name]) === parseDuration(config[name]));
  return isSame ? checker : (new Checker(store, wanted, scanLimit) as RidesChecker);
};

type Seen = {customer: string; isSession: boolean};

/** Whose row each change of a plan is about, in the order of its changes. */
const seenIn = async ({held}: HeldPlan, {config, store}: RidesChecker): Promise<Seen[]> => {
  const {sessions, requests, statuses} = config;
  const seen: Seen[] = [];
  await store.ask(async connector => {
    const look = (change: Change): Seen => {
      const values =
        'image' in change && change.image !== undefined ? connector.valuesOf(change.table, change.image) : {};
      // Both may be in one table, where only the status tells them apart.
      const isSession =
        change.table === sessions.table &&
        (sessions.table !== requests.table ||
          statuses.waiting.includes(toText(valueAt(values, sessions.status))));
      return {customer: toText(valueAt(values, (isSession ? sessions : requests).customer)), isSession};
    };
    for await (const {changes} of held.units) seen.push(...changes.map(look));
  });
  return seen;
};

const add = (into: CleanupStatistics, {isSession, customer}: Seen): void => {
  into.totalCleaned++;
  if (!isSession) into.requestsCancelled++;
  else {
    into.sessionsCancelled++;
    into.customers.push(customer);
  }
};

const countRun = (result: RunResult, seen: Seen[], of: StatisticsOf): void => {
  const touched = new Set<CleanupStatistics>();
  for (const [index, change] of result.changes.entries()) {
    const into = of(seen[index]!.customer);
    if (!into || change.result === 'planned') continue;
    if (change.result === 'applied') add(into, seen[index]!);
    else into[change.result]++;
    touched.add(into);
  }
  for (const into of touched) {
    into.customers = [...new Set(into.customers)];
    if (result.run !== null) into.runs.push(result.run);
  }
};

/** What a row of this customer is counted into. */
export type StatisticsOf = (customer: string) => CleanupStatistics | undefined;

export type Job = {
  kind: Kind;
  checker: RidesChecker;
  selection: Selection;
  /** Given for a periodic run in production that is larger than the limits. */
  confirmed: string[];
  /** Calls about customers by name consent to their own count. */
  byName: boolean;
  signal?: AbortSignal;
};

/** Throws `confirmation` in the words of the library. */
const requireConfirmed = ({check, confirmations}: Plan, given: string[]): void => {
  const [missing] = missingConfirmations(confirmations, given);
  if (!missing) return;
  const {expected, why} = missing;
  throw new SesstuiError(
    'confirmation',
    `${why}: it needs {confirm: ['${expected}']}`,
    `Nothing was changed. Look at the plan first: sesstui clean ${check} --action cancel.`,
  );
};

/** Plans, and carries out where there is something to do. Throws what the engine throws. */
export const cancelStale = async (
  {engine, logger}: LibraryContext,
  {kind, checker, selection, confirmed, byName, signal}: Job,
  of: StatisticsOf,
): Promise<void> => {
  const reasons = kind.reasons ? {reasons: kind.reasons} : {};
  const plan = await engine.planOf(checker, 'cancel', {...selection, ...reasons}, {signal});
  try {
    if (plan.planned === 0) return;
    const seen = await seenIn(plan as HeldPlan, checker);
    const consent = byName ? plan.confirmations.map(({expected}) => expected) : [engine.environment];
    const given = [...consent, ...confirmed];
    requireConfirmed(plan, given);
    const result = await engine.run(plan, {
      note: `library: ${kind.name}`,
      confirmed: given,
      lookAgain: false,
      signal,
    });
    countRun(result, seen, of);
    tell(logger, kind, result);
  } finally {
    await engine.release(plan);
  }
};

const tell = (logger: Logger, {name}: Kind, result: RunResult): void => {
  const {check, run, applied, skipped, failed, unknown, faults = []} = result;
  const fields = {check, run, applied, skipped, failed, unknown};
  const error = result.changes.find(change => change.error)?.error;
  if (failed + unknown === 0 && faults.length === 0 && !result.interrupted)
    logger.info(`${name}: stale sessions were cancelled`, fields);
  else
    logger.warn(`${name}: a run did not do all that it was to do`, {
      ...fields,
      ...(error === undefined ? {} : {error}),
      ...(faults.length > 0 ? {faults} : {}),
    });
};
