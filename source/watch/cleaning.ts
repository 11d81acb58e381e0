/** The safe default actions of one check: the same plan, backup, audit and limits as `clean --all`. */

import type {Checker} from '../engine/checker.js';
import {missingConfirmations} from '../engine/confirmations.js';
import type {FullEngine} from '../engine/engine.js';
import {actionsForFound} from '../engine/plan/default-actions.js';
import {customersCancelled} from '../engine/run/cancelled.js';
import {asSesstuiError, type ErrorCode} from '../errors.js';
import type {Plan, RunResult} from '../types.js';
import {counted} from '../words.js';
import type {Backoff} from './backoff.js';
import type {Round} from './round.js';

export type CleanOptions = {
  stateDirectory: string;
  note: string;
  /** What was typed at the start; a plan that asks for more is not carried out. */
  confirmed: string[];
  ratePerSecond?: number;
};

export type Cleaned = Pick<Round, 'runs' | 'customers' | 'refused'>;

export const nothingCleaned = (): Cleaned => ({runs: [], customers: {}, refused: []});

type Cleaning = {
  engine: FullEngine;
  checker: Checker;
  options: CleanOptions;
  backoff: Backoff;
  signal: AbortSignal;
  /** Called before a run is begun. */
  begin: () => Promise<void>;
  /** Called whenever a plan or a run has got on. */
  onProgress: () => void;
};

/** Why a plan is not carried out; null when it is. */
const refusalOf = ({confirmations, changes, resumes}: Plan, confirmed: string[]): string | null => {
  const missing = missingConfirmations(confirmations, confirmed);
  if (missing.length > 0)
    return missing.map(({why, expected}) => `${why}: it needs --confirm ${expected}`).join('; ');
  const skipped = changes.filter(({result}) => result !== 'planned');
  // What is resumed is closed all the same.
  if (resumes || skipped.length < changes.length) return null;
  const whys = [...new Set(skipped.map(({why}) => why))].join(', ');
  return `${counted(skipped.length, 'change')} would all be skipped: ${whys}`;
};

/** The customers as the plan shows them, where the run's files can't tell. */
const shownCustomers = ({checker}: Cleaning, {changes}: RunResult): string[] => {
  const {check, config} = checker;
  const table = check.table(config);
  return [
    ...new Set(
      changes
        .filter(change => change.result === 'applied' && change.table === table && change.before)
        .map(({before, key}) => {
          const row = {table, identity: {by: 'key' as const, at: key}, values: before!, tags: []};
          return String(check.customerOf(config, row));
        }),
    ),
  ];
};

/** Adds a run to what was done, with whose sessions it cancelled. */
export const addRun = async (cleaning: Cleaning, cleaned: Cleaned, result: RunResult): Promise<void> => {
  cleaned.runs.push(result);
  if (result.run === null || cleaning.checker.check.kind !== 'stale-sessions') return;
  const {checker, options} = cleaning;
  const customers = await customersCancelled(checker, options.stateDirectory, result.run).catch(() =>
    shownCustomers(cleaning, result),
  );
  if (customers.length > 0) cleaned.customers[result.run] = customers;
};

/** `later`: it may go better with the next look. `cut`: stopped after a chunk, or the store takes no more. */
export type Carried = 'done' | 'nothing' | 'refused' | 'later' | 'cut';

const passing: ErrorCode[] = ['unreachable', 'refused', 'timeout', 'throttled', 'state'];

/**
 * Carries a plan out, if nothing speaks against it. A run of which nothing could be made is tried again after growing
 * pauses: each leaves its files.
 */
export const carryOut = async (
  cleaning: Cleaning,
  cleaned: Cleaned,
  action: string,
  makePlan: () => Promise<Plan>,
): Promise<Carried> => {
  const {engine, checker, options, backoff, signal, onProgress} = cleaning;
  const name = `${checker.id} ${action}`;
  const refuse = <T extends Carried>(text: string, carried: T): T => {
    cleaned.refused.push({action, text});
    return carried;
  };
  const waits = backoff.waits(name);
  if (waits) return refuse(waits, 'later');
  let plan: Plan | undefined;
  try {
    plan = await makePlan();
    onProgress();
    if (plan.planned === 0 && !plan.resumes) return 'nothing';
    const refusal = refusalOf(plan, options.confirmed);
    if (refusal !== null) {
      backoff.ended(name, refusal);
      return refuse(refusal, 'refused');
    }
    const {note, confirmed, ratePerSecond} = options;
    await cleaning.begin();
    const result = await engine.run(plan, {note, confirmed, ratePerSecond, signal, onProgress});
    await addRun(cleaning, cleaned, result);
    const troubled = result.failed + result.unknown > 0 || (result.faults?.length ?? 0) > 0;
    backoff.ended(name, result.applied === 0 && troubled ? 'nothing of it could be done' : null);
    return result.interrupted ? 'cut' : 'done';
  } catch (error) {
    if (signal.aborted) return 'cut';
    const {code, message} = asSesstuiError(error);
    return refuse(message, passing.includes(code) ? 'later' : 'refused');
  } finally {
    if (plan) await engine.release(plan).catch(() => undefined);
  }
};

/** Adds to `cleaned` what is done for what a look has found. */
export const cleanFound = async (
  cleaning: Cleaning,
  byReason: Record<string, number>,
  cleaned: Cleaned,
): Promise<void> => {
  const {engine, checker, signal} = cleaning;
  for (const action of actionsForFound(checker.info, byReason)) {
    const plan = () => engine.plan(checker.id, action, {}, {signal});
    if ((await carryOut(cleaning, cleaned, action, plan)) === 'cut') return;
  }
};

export type {Cleaning};
