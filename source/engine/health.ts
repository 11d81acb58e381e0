/** The health report: the shape that the rides team already reads, with every check beside it (contract: JSON). */
import {checkOf} from '../checks/index.js';
import {asSesstuiError} from '../errors.js';
import type {Tally} from '../forms.js';
import {type TrendSummary, trendSummary} from '../trend.js';
import type {CheckError, CheckResult, Severity} from '../types.js';
import {toText} from '../values.js';
import type {Checker, CheckOptions, Opened} from './checker.js';
import type {Trends} from './disk/trends.js';

export type StatusCounts = {total: number; byStatus: Record<string, number>};

/** Without a prototype: a status may be called `constructor`. */
const counter = (): Record<string, number> => Object.create(null) as Record<string, number>;

export type HealthReport = {
  health: 'healthy' | 'warning' | 'critical' | 'unknown';
  environment: string;
  at: string;
  sessions: StatusCounts & {waiting: {total: number; stale: number; veryStale: number}};
  requests: StatusCounts;
  checks: {
    check: string;
    status: CheckResult['status'];
    total: number;
    byReason: Record<string, number>;
    trend: TrendSummary | null;
    error?: CheckError;
  }[];
  problems: {check: string; severity: Severity; count: number; text: string}[];
  recommendations: string[];
};

type Tallied = {sessions: StatusCounts; requests: StatusCounts; waiting: number};

/** Rows by status; `none` stands for those without one. */
export const statusCounts = async (
  {connector, now}: Pick<Opened, 'connector' | 'now'>,
  tally: Tally,
  signal?: AbortSignal,
): Promise<StatusCounts> => {
  const counted = await connector.tally(tally, {now, signal});
  return {
    total: counted.reduce((sum, {count}) => sum + count, 0),
    byStatus: Object.fromEntries(counted.map(({value, count}) => [toText(value) || 'none', count])),
  };
};

const tallied = async (checker: Checker, allowScan: boolean | undefined): Promise<Tallied> => {
  const tallies = checker.check.tallies!(checker.config);
  return checker.ask(async opened => {
    await checker.refuseScan(opened, {allowScan, forms: Object.values(tallies)});
    const sessions = await statusCounts(opened, tallies.sessions);
    const waiting = checker.config.check === 'stale-sessions' ? checker.config.statuses.waiting : [];
    return {
      sessions,
      requests: await statusCounts(opened, tallies.requests),
      waiting: waiting.reduce((sum, status) => sum + (sessions.byStatus[status] ?? 0), 0),
    };
  });
};

const add = (into: StatusCounts, counts: StatusCounts): void => {
  into.total += counts.total;
  for (const [status, count] of Object.entries(counts.byStatus))
    into.byStatus[status] = (into.byStatus[status] ?? 0) + count;
};

const problemsOf = (checker: Checker, result: CheckResult): HealthReport['problems'] =>
  result.status === 'error'
    ? [
        {
          check: checker.id,
          severity: 'warning',
          count: 1,
          text: `could not be answered: ${result.error!.message}`,
        },
      ]
    : checker.check.reasons
        .filter(({name, severity}) => severity !== 'info' && (result.byReason[name] ?? 0) > 0)
        .map(({name, severity, text}) => ({
          check: checker.id,
          severity,
          count: result.byReason[name]!,
          text: `${name}: ${text}`,
        }));

const recommendationsOf = (checker: Checker, result: CheckResult, confirm: string): string[] => {
  if (result.status === 'error') return [`${checker.id}: ${result.error!.hint || result.error!.message}`];
  const actions = new Set<string>();
  for (const {name, severity, actions: offered, onlyWhenNamed} of checker.check.reasons) {
    const first = offered.find(action =>
      checker.info.actions.some(({name, drastic}) => name === action && !drastic),
    );
    if (severity !== 'info' && !onlyWhenNamed && first && (result.byReason[name] ?? 0) > 0)
      actions.add(first);
  }
  return [...actions].map(
    action =>
      `Look at the plan: sesstui clean ${checker.id} --action ${action}; then add --yes${confirm} to carry it out`,
  );
};

const healthOf = (checkers: Checker[], results: CheckResult[]): HealthReport['health'] => {
  const found = (severity: Severity): boolean =>
    results.some((result, index) =>
      checkers[index]!.check.reasons.some(
        reason => reason.severity === severity && (result.byReason[reason.name] ?? 0) > 0,
      ),
    );
  if (found('critical')) return 'critical';
  if (results.some(({status}) => status === 'error')) return 'unknown';
  return found('warning') ? 'warning' : 'healthy';
};

export type Reporting = {
  environment: string;
  production: boolean;
  allowScan?: boolean;
  look: (checker: Checker, options: CheckOptions) => Promise<CheckResult>;
  trends: Trends;
};

/** Every check with its counts, and the sessions and requests of the stale-sessions checks added up. */
export const healthReport = async (
  checkers: Checker[],
  {environment, production, allowScan, look, trends}: Reporting,
): Promise<HealthReport> => {
  const confirm = production ? ` --confirm ${environment}` : '';
  const results = await Promise.all(
    checkers.map(checker => look(checker, {limit: 0, insist: true, allowScan})),
  );
  const sessions: HealthReport['sessions'] = {
    total: 0,
    byStatus: counter(),
    waiting: {total: 0, stale: 0, veryStale: 0},
  };
  const requests: StatusCounts = {total: 0, byStatus: counter()};
  for (const [index, checker] of checkers.entries()) {
    const result = results[index]!;
    if (!checkOf(checker.check.kind).tallies || result.status === 'error') continue;
    try {
      const counts = await tallied(checker, allowScan);
      add(sessions, counts.sessions);
      add(requests, counts.requests);
      sessions.waiting.total += counts.waiting;
      const veryStale = result.byReason['very-stale-waiting'] ?? 0;
      sessions.waiting.stale += (result.byReason['stale-waiting'] ?? 0) + veryStale;
      sessions.waiting.veryStale += veryStale;
    } catch (error) {
      results[index] = {...result, status: 'error', error: asSesstuiError(error).toJSON()};
    }
  }
  await trends.settled();
  const recommendations = checkers.flatMap((checker, index) =>
    recommendationsOf(checker, results[index]!, confirm),
  );
  return {
    health: healthOf(checkers, results),
    environment,
    at: new Date().toISOString(),
    sessions,
    requests,
    checks: results.map(({check, status, total, byReason, error}) => ({
      check,
      status,
      total,
      byReason,
      trend: trendSummary(trends.of(check), Date.now()),
      ...(error ? {error} : {}),
    })),
    problems: checkers.flatMap((checker, index) => problemsOf(checker, results[index]!)),
    recommendations: recommendations.length > 0 ? recommendations : ['All systems healthy'],
  };
};
