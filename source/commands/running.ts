/** Carrying out a plan from the command line: what clean, undo and customer --clean share. */

import ms from 'ms';
import {missingConfirmations} from '../engine/confirmations.js';
import type {FullEngine} from '../engine/engine.js';
import {plannedResult} from '../engine/plan/planned.js';
import {SesstuiError} from '../errors.js';
import {shellWord} from '../shell-word.js';
import {countResults, type Plan, type Progress, type RunResult, type Selection} from '../types.js';
import type {Context} from './context.js';
import {planWritten} from './printing.js';
import {suggested} from './suggest.js';

/** Without --yes, or with --dry-run, only the plan is made. */
export const onlyPlans = ({flags}: Context): boolean => !flags.has('yes') || flags.has('dry-run');

const planned = (plan: Plan): RunResult => ({
  ...plannedResult(plan),
  notes: [...plan.notes, ...confirmationNote(plan)],
});

const confirmationNote = ({confirmations}: Plan): string[] =>
  confirmations.length === 0
    ? []
    : [
        `to carry it out add --yes${confirmFlags(confirmations)}: ${confirmations.map(({why}) => why).join('; ')}`,
      ];

export const confirmFlags = (confirmations: Plan['confirmations']): string =>
  confirmations.map(({expected}) => ` --confirm ${shellWord(expected)}`).join('');

/** What an interrupted run has done and left: changes that are no longer known to the plan are skipped. */
const resumed = (plan: Plan): RunResult => {
  const counts = countResults(plan.changes);
  return {...planned(plan), ...counts, skipped: counts.skipped + plan.planned - plan.changes.length};
};

/** A progress line on standard error, when it is a terminal. */
const progressLine = (): ((progress: Progress) => void) | undefined => {
  if (!process.stderr.isTTY) return undefined;
  const started = Date.now();
  let last = 0;
  return ({phase, done, total, text}) => {
    const now = Date.now();
    if (now - last < 100 && done !== total) return;
    last = now;
    const left =
      total && done > 0 ? `, about ${ms(Math.round(((now - started) / done) * (total - done)))} left` : '';
    process.stderr.write(
      `\r\x1b[K${phase}: ${text === undefined ? '' : `${text}; `}${done}${total === null ? '' : ` of ${total}`}${left}`,
    );
    if (done === total || phase === 'looking') process.stderr.write('\r\x1b[K');
  };
};

/** The note goes into files that are kept: a password that was pasted into it does not. */
export const noteOf = ({flags, redact}: Context): string | undefined => {
  const note = flags.text('note');
  return note === undefined ? undefined : redact(note);
};

/** Runs a plan that was made, or tells it. Throws what the engine throws (confirmation, read-only, …). */
export const runPlan = async (context: Context, engine: FullEngine, plan: Plan): Promise<RunResult> => {
  if (onlyPlans(context)) return plan.resumes ? resumed(plan) : planned(plan);
  return engine.run(plan, {
    note: noteOf(context),
    confirmed: context.flags.all('confirm') ?? [],
    ratePerSecond: context.flags.number('limit-rate'),
    signal: context.signal,
    onProgress: progressLine(),
  });
};

/**
 * Throws `confirmation` for the first plan that lacks one: before several plans are carried out, so that none of them
 * is when a later one would be refused.
 */
export const requireConfirmed = ({flags}: Context, plans: Plan[]): void => {
  const given = flags.all('confirm') ?? [];
  for (const {check, action, confirmations} of plans)
    for (const {expected, why} of missingConfirmations(confirmations, given))
      throw new SesstuiError(
        'confirmation',
        `${check} ${action}: ${why}: it needs --confirm ${expected}`,
        `Nothing was changed. Look at the plans first (without --yes), then repeat with --yes --confirm ${expected}.`,
      );
};

/** Plans an action, and carries it out, writes it to `--out`, or tells it. `more`: notes on the plan. */
export const carryOutPlan = async (
  context: Context,
  engine: FullEngine,
  check: string,
  action: string,
  selection: Selection,
  more?: (plan: Plan) => Promise<string[]>,
): Promise<RunResult> => {
  const plan = await engine.plan(check, action, selection, {
    signal: context.signal,
    onProgress: progressLine(),
  });
  const notes = (await more?.(plan)) ?? [];
  const out = context.flags.text('out');
  if (out === undefined) {
    const result = await runPlan(context, engine, plan);
    return {...result, notes: [...result.notes, ...notes]};
  }
  await engine.writePlan(plan, out, noteOf(context) ?? null);
  const apply = suggested(
    context,
    ['apply', out, '--yes'],
    plan.confirmations.map(({expected}) => expected),
  );
  return {...planned(plan), notes: [...plan.notes, ...notes, `${planWritten} ${out}: ${apply}`]};
};

/** 4 when changes failed or are unknown, 130 when it was interrupted. */
export const runExitCode = (results: RunResult[]): number => {
  if (results.some(result => result.failed + result.unknown > 0 || (result.faults?.length ?? 0) > 0))
    return 4;
  return results.some(result => result.interrupted) ? 130 : 0;
};
