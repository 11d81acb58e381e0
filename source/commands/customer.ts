/** `customer ID`: is this customer blocked, by what, and what would unblock them; with --clean --yes it does. */

import type {CustomerReport} from '../engine/customer.js';
import type {FullEngine} from '../engine/engine.js';
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {renderTable} from '../output/table.js';
import {sanitise, shorten} from '../sanitise.js';
import type {Plan, RunResult} from '../types.js';
import {type Json, toText} from '../values.js';
import type {Context} from './context.js';
import {carryOutPlan, onlyPlans, requireConfirmed, runExitCode} from './running.js';
import {resumeLine, suggested, undoLine} from './suggest.js';

const minutes = (seconds: number | null): string =>
  seconds === null
    ? 'an unknown time'
    : seconds < 120
      ? `${seconds} seconds`
      : `${Math.floor(seconds / 60)} minutes`;

const columns = [
  {name: 'store', header: 'STORE'},
  {name: 'table', header: 'TABLE'},
  {name: 'key', header: 'KEY'},
  {name: 'status', header: 'STATUS'},
  {name: 'values', header: 'VALUES'},
];

const rowsOf = (report: CustomerReport): Record<string, string>[] =>
  report.sessions.map(({store, table, key, status, values}) => ({
    store,
    table,
    key: Object.values(key)
      .map(value => toText(value))
      .join(' '),
    status: status ?? '',
    values: Object.entries(values)
      .filter(([name, value]) => value !== null && !(name in key))
      .map(([name, value]) => `${name}=${toText(value)}`)
      .join(' '),
  }));

const wayOut = (ageSeconds: number | null, stale: boolean): string => {
  if (stale) return ', stale: cancelling it unblocks';
  return ageSeconds === null ? '; nothing here cancels it: set its creation time, or cancel it by hand' : '';
};

/** Ids and statuses in sentences: long enough to be told from each other, and no longer. */
const short = (value: Json): string => shorten(toText(value), 200);

/** The verdict in a sentence. */
const verdict = ({customer: id, blocked, blockedBy, sessions, findings}: CustomerReport): string => {
  const customer = short(id);
  if (blocked) {
    return `${customer} is blocked:\n${blockedBy.map(({store, id: row, status, ageSeconds, stale}) => `  by ${short(row)} in ${store}: ${short(status)} for ${minutes(ageSeconds)}${wayOut(ageSeconds, stale)}`).join('\n')}`;
  }
  if (sessions.length === 0 && findings.length === 0) return `Nothing is known of ${customer} in any store.`;
  return `${customer} is not blocked.`;
};

const reportText = (context: Context, report: CustomerReport, lines: string[]): string =>
  [
    verdict(report),
    ...(report.known.length > 0 ? [`Also known as: ${report.known.map(short).join(', ')}`] : []),
    ...(report.sessions.length > 0
      ? ['', renderTable(columns, rowsOf(report), {width: context.width, color: context.color}).trimEnd()]
      : []),
    ...(report.findings.length > 0
      ? [
          '',
          ...report.findings.map(
            finding =>
              `${finding.severity}: ${finding.check}: ${finding.reasons.join(', ')} (${short(finding.rows[0]?.why ?? '')})`,
          ),
        ]
      : []),
    ...report.errors.map(({check, error}) => `error: ${check}: ${sanitise(error.message)}`),
    ...(report.cleaned > 0 ? [`${report.cleaned} cancelled.`] : []),
    ...lines,
    '',
  ].join('\n');

/** Cancels what is stale for this customer and for nobody else. */
const cleanFor = async (
  context: Context,
  engine: FullEngine,
  report: CustomerReport,
): Promise<RunResult[]> => {
  // All are looked at before the first is carried out: none is when one of them lacks its confirmation.
  if (engine.production && !onlyPlans(context))
    requireConfirmed(context, await plansFor(context, engine, report));
  const results: RunResult[] = [];
  for (const [check, customer] of cancellable(report)) {
    const result = await carryOutPlan(context, engine, check, 'cancel', {customer});
    if (result.planned > 0) results.push(result);
  }
  return results;
};

/** The checks that may cancel something for this customer, by each id that it is known under. */
const cancellable = (report: CustomerReport): [check: string, customer: string][] => {
  const checks = new Set(report.blockedBy.filter(({stale}) => stale).map(({check}) => check));
  for (const {check, reasons} of report.findings)
    if (reasons.includes('expired-request') || reasons.includes('orphaned')) checks.add(check);
  return [...checks].flatMap(check =>
    [report.customer, ...report.known].map((customer): [string, string] => [check, customer]),
  );
};

const plansFor = async (context: Context, engine: FullEngine, report: CustomerReport): Promise<Plan[]> => {
  const plans: Plan[] = [];
  for (const [check, customer] of cancellable(report)) {
    const plan = await engine.plan(check, 'cancel', {customer}, {signal: context.signal});
    if (plan.planned > 0) plans.push(plan);
  }
  return plans;
};

/** The command that cancels what is stale, whole: in production with what its plans ask for. */
const cleaning = async (context: Context, engine: FullEngine, report: CustomerReport): Promise<string> => {
  const plans = engine.production ? await plansFor(context, engine, report) : [];
  const wanted = new Set(plans.flatMap(({confirmations}) => confirmations.map(({expected}) => expected)));
  return suggested(context, ['customer', short(report.customer), '--clean', '--yes'], [...wanted]);
};

/** What to type next. */
const nextLines = async (
  context: Context,
  engine: FullEngine,
  report: CustomerReport,
  results: RunResult[],
): Promise<string[]> => {
  const lines: string[] = [];
  if (report.blockedBy.some(({stale}) => stale) && !context.flags.has('clean'))
    lines.push('', `Unblock with: ${await cleaning(context, engine, report)}`);
  for (const result of results) {
    if (result.interrupted) lines.push(`Interrupted. ${await resumeLine(context, engine, result)}`);
    if (result.run !== null) lines.push(await undoLine(context, engine, result));
    if (result.dryRun)
      lines.push(
        `Would cancel: ${result.changes.map(change => `${sanitise(change.table)} ${Object.values(change.key).map(short).join(' ')}`).join(', ')}. Nothing was changed.`,
      );
  }
  if (results.some(({dryRun}) => dryRun))
    lines.push(`Carry it out with: ${await cleaning(context, engine, report)}`);
  return lines;
};

export const customer = async (context: Context): Promise<number> => {
  const engine = await context.engine();
  const id = context.words[0]!;
  let report = await engine.customer(id);
  let results: RunResult[] = [];
  if (context.flags.has('clean')) {
    results = await cleanFor(context, engine, report);
    if (!onlyPlans(context))
      report = {
        ...(await engine.customer(id)),
        cleaned: results.reduce((sum, {applied}) => sum + applied, 0),
      };
  }
  const {output, print} = context;
  if (output === 'json')
    await print(
      toJsonText({
        ...report,
        findings: report.findings.map(({rows, ...finding}) => ({
          ...finding,
          rows: rows.map(({identity: _, ...row}) => row),
        })),
        ...(results.length > 0 ? {runs: results} : {}),
      }),
    );
  else if (output === 'ndjson') await print(toNdjson(report.sessions as unknown as Json[]));
  else if (output === 'csv') await print(toCsv(columns, rowsOf(report)));
  else await print(reportText(context, report, await nextLines(context, engine, report, results)));
  const failed = runExitCode(results);
  if (failed !== 0) return failed;
  if (report.errors.length > 0) return 3;
  return report.blocked ? 1 : 0;
};
