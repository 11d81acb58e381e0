/** Cancels what is stale and blocks one customer, and says what was done and what to type next. */
import type {CustomerReport} from '../engine/customer/report.js';
import type {FullEngine} from '../engine/engine.js';
import {asSesstuiError} from '../errors.js';
import {sanitise, shorten} from '../sanitise.js';
import {shellWord} from '../shell-word.js';
import type {Plan, RunResult} from '../types.js';
import {toText} from '../values.js';
import type {Context} from './context.js';
import {onlyPlans, requireConfirmed, runPlan} from './running.js';
import {resumeLine, suggested, undoLine} from './suggest.js';

/** `error`: of the first plan that could not be carried out after others were; the rest was left. */
export type Cleaned = {results: RunResult[]; error: CustomerReport['errors'][number] | null};

/** The plans are made anew for each call; none is carried out when one of them lacks its confirmation. */
export const cleanFor = async (
  context: Context,
  engine: FullEngine,
  report: CustomerReport,
): Promise<Cleaned> => {
  const plans = await engine.planUnblock(report, {signal: context.signal});
  if (!onlyPlans(context)) requireConfirmed(context, plans);
  const results: RunResult[] = [];
  for (const plan of plans) {
    if (context.signal.aborted) break;
    try {
      results.push(await runPlan(context, engine, plan));
    } catch (error) {
      // What the runs before it have written must be told: with the error alone nobody would know how to undo it.
      if (!results.some(({run}) => run !== null)) throw error;
      return {results, error: {check: plan.check, error: asSesstuiError(error).toJSON()}};
    }
  }
  return {results, error: null};
};

const confirmationsOf = (plans: Plan[]): string[] => [
  ...new Set(plans.flatMap(({confirmations}) => confirmations.map(({expected}) => expected))),
];

/**
 * The command that cancels what is stale, whole after `lead`: in production with what its plans ask for. null: there is
 * nothing. The report does not depend on it: a plan that can't be made is told beside it.
 */
const cleaning = async (
  context: Context,
  engine: FullEngine,
  {report, lead}: {report: CustomerReport; lead: string},
): Promise<string | null> => {
  let plans: Plan[];
  try {
    plans = await engine.planUnblock(report, {signal: context.signal});
  } catch (error) {
    const {message, hint} = asSesstuiError(error);
    return sanitise(context.redact(`What unblocks can't be planned now: ${message} ${hint}`.trim()));
  }
  if (plans.length === 0) return null;
  const id = report.customer;
  const confirm = confirmationsOf(plans);
  // An id that begins with a dash would be taken for a flag, wherever it stands before the dashes that end these.
  const command = id.startsWith('-')
    ? `${suggested(context, ['customer', '--clean', '--yes'], confirm)} -- ${shellWord(id)}`
    : suggested(context, ['customer', id, '--clean', '--yes'], confirm);
  return `${lead}: ${command}`;
};

const cancelling = ({changes}: RunResult): string => {
  const keys = changes.map(
    ({table, key}) =>
      `${sanitise(table)} ${Object.values(key)
        .map(value => shorten(toText(value), 200))
        .join(' ')}`,
  );
  return `Would cancel: ${keys.join(', ')}. Nothing was changed.`;
};

/** What to type next; `before`: the report that plans were made from. */
export const nextLines = async (
  context: Context,
  engine: FullEngine,
  {report, results}: {report: CustomerReport; results: RunResult[]},
): Promise<string[]> => {
  const lines: string[] = [];
  const stale = report.blockedBy.some(({stale}) => stale);
  const asked = context.flags.has('clean');
  if (stale && !asked && !context.signal.aborted) {
    const line = await cleaning(context, engine, {report, lead: 'Unblock with'});
    if (line !== null) lines.push('', line);
  }
  if (asked && results.length === 0)
    lines.push('', 'Nothing that blocks this customer is stale: there is nothing to cancel.');
  for (const result of results) {
    lines.push('');
    if (result.interrupted) lines.push(`Interrupted. ${await resumeLine(context, engine, result)}`);
    if (result.run !== null)
      lines.push(`Run ${result.run}: ${result.check}: ${result.applied} of ${result.planned} cancelled.`);
    if (result.run !== null && result.applied + result.unknown > 0)
      lines.push(await undoLine(context, engine, result));
    if (result.dryRun) lines.push(cancelling(result));
    lines.push(...(result.faults ?? []).map(fault => `Attention: ${sanitise(fault)}`));
  }
  if (results.some(({dryRun}) => dryRun)) {
    const line = await cleaning(context, engine, {report, lead: 'Carry it out with'});
    if (line !== null) lines.push(line);
  }
  return lines;
};
