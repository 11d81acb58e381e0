/** Cancels what is stale and blocks one customer, and says what was done and what to type next. */
import type {CustomerReport} from '../engine/customer/report.js';
import type {FullEngine} from '../engine/engine.js';
import {sanitise, shorten} from '../sanitise.js';
import {shellWord} from '../shell-word.js';
import type {Plan, RunResult} from '../types.js';
import {toText} from '../values.js';
import type {Context} from './context.js';
import {onlyPlans, requireConfirmed, runPlan} from './running.js';
import {resumeLine, suggested, undoLine} from './suggest.js';

/** The plans are made anew for each call; none is carried out when one of them lacks its confirmation. */
export const cleanFor = async (
  context: Context,
  engine: FullEngine,
  report: CustomerReport,
): Promise<RunResult[]> => {
  const plans = await engine.planUnblock(report, {signal: context.signal});
  if (!onlyPlans(context)) requireConfirmed(context, plans);
  const results: RunResult[] = [];
  for (const plan of plans) {
    if (context.signal.aborted) break;
    results.push(await runPlan(context, engine, plan));
  }
  return results;
};

const confirmationsOf = (plans: Plan[]): string[] => [
  ...new Set(plans.flatMap(({confirmations}) => confirmations.map(({expected}) => expected))),
];

/** The command that cancels what is stale, whole: in production with what its plans ask for. null: there is nothing. */
const cleaning = async (
  context: Context,
  engine: FullEngine,
  report: CustomerReport,
): Promise<string | null> => {
  const plans = await engine.planUnblock(report, {signal: context.signal});
  if (plans.length === 0) return null;
  const id = report.customer;
  const confirm = confirmationsOf(plans);
  // An id that begins with a dash would be taken for a flag, wherever it stands before the dashes that end these.
  return id.startsWith('-')
    ? `${suggested(context, ['customer', '--clean', '--yes'], confirm)} -- ${shellWord(id)}`
    : suggested(context, ['customer', id, '--clean', '--yes'], confirm);
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
    const command = await cleaning(context, engine, report);
    if (command !== null) lines.push('', `Unblock with: ${command}`);
  }
  if (asked && results.length === 0)
    lines.push('', 'Nothing that blocks this customer is stale: there is nothing to cancel.');
  for (const result of results) {
    lines.push('');
    if (result.interrupted) lines.push(`Interrupted. ${await resumeLine(context, engine, result)}`);
    if (result.run !== null)
      lines.push(`Run ${result.run}: ${result.check}: ${result.applied} of ${result.planned} cancelled.`);
    if (result.run !== null) lines.push(await undoLine(context, engine, result));
    if (result.dryRun) lines.push(cancelling(result));
    lines.push(...(result.faults ?? []).map(fault => `Attention: ${sanitise(fault)}`));
  }
  if (results.some(({dryRun}) => dryRun)) {
    const command = await cleaning(context, engine, report);
    if (command !== null) lines.push(`Carry it out with: ${command}`);
  }
  return lines;
};
