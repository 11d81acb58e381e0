/** What Prometheus is told (contract: Metrics), from the latest look at each check. */
import {Counter, collectDefaultMetrics, Gauge, Histogram, Registry} from 'prom-client';
import {shorten} from '../../sanitise.js';
import type {CheckInfo, RunResult, StoreStatus} from '../../types.js';
import type {Look, Round} from '../round.js';

export type Metrics = {
  /** Of a round that ended. */
  round(round: Round): void;
  /** Of a run that no round tells of. */
  ran(result: RunResult): void;
  /** The text that Prometheus reads. */
  text(): Promise<string>;
  contentType: string;
  close(): void;
};

export type MetricsOptions = {checks: CheckInfo[]; stores: () => StoreStatus[]};

const results = ['applied', 'skipped', 'failed', 'unknown'] as const;
type Result = (typeof results)[number];
type Counts = Record<Result, number>;
/** A database may hold as many statuses as rows; each would be a series for ever. */
const mostStatuses = 50;
const longestStatus = 100;
/** Runs that may be told again because they were cut short; the latest are remembered. */
const mostCutShort = 1000;

/**
 * Statuses as labels: at most 50, the most frequent, safe to show, and the rest as `other`. Two that look the same
 * then are one.
 */
export const statusLabels = (byStatus: Record<string, number>): Map<string, number> => {
  const labels = new Map<string, number>();
  const ordered = Object.entries(byStatus).toSorted(
    ([a, some], [b, more]) => more - some || (a < b ? -1 : 1),
  );
  for (const [index, [status, count]] of ordered.entries()) {
    const label = index < mostStatuses ? shorten(status, longestStatus) : 'other';
    labels.set(label, (labels.get(label) ?? 0) + count);
  }
  return labels;
};

const openInstruments = (registry: Registry) => {
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({name, help, labelNames, registers});
  return {
    findings: gauge('sesstui_findings', 'Findings by reason; absent while a check has no answer.', [
      'store',
      'check',
      'reason',
    ]),
    sessions: gauge('sesstui_sessions', 'Sessions by status.', ['store', 'check', 'status']),
    storeUp: gauge('sesstui_store_up', 'Whether the store answered when it was last asked.', ['store']),
    blocked: gauge(
      'sesstui_blocked_customers',
      'Customers whom a stale waiting session keeps from a new one.',
      ['store', 'check'],
    ),
    lastSuccess: gauge(
      'sesstui_last_success_timestamp_seconds',
      'When the check last had an answer, seconds since 1970.',
      ['store', 'check'],
    ),
    duration: new Histogram({
      name: 'sesstui_check_duration_seconds',
      help: 'How long a look at the check took.',
      labelNames: ['store', 'check'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    changes: new Counter({
      name: 'sesstui_changes_total',
      help: 'Changes of runs by what came of them.',
      labelNames: ['store', 'check', 'action', 'result'],
      registers,
    }),
  };
};

/** The process's own metrics, without those of prom-client that call a gauge `_total`. */
const addProcessMetrics = async (registry: Registry): Promise<void> => {
  collectDefaultMetrics({register: registry});
  for (const {name, type} of await registry.getMetricsAsJSON())
    if (name.endsWith('_total') && (type as unknown as string) === 'gauge') registry.removeSingleMetric(name);
};

/**
 * Metrics in a registry of their own. The label `check` is the check's id, `<store>/<name>`, as everywhere else.
 * A number that is not known now has no series: neither the last one nor 0 would be true.
 */
export const openMetrics = async ({checks, stores}: MetricsOptions): Promise<Metrics> => {
  const registry = new Registry();
  await addProcessMetrics(registry);
  const instruments = openInstruments(registry);
  const {findings, sessions, storeUp, blocked, lastSuccess, duration, changes} = instruments;
  const infos = new Map(checks.map(info => [info.id, info]));
  const looks = new Map<string, Look>();
  const cutShort = new Map<string, Counts>();

  // A counter that begins at 0 shows its first increase.
  for (const {id, store, actions} of checks)
    for (const {name} of actions)
      for (const result of results) changes.inc({store, check: id, action: name, result}, 0);

  const tell = ({store, check, byReason, sessions: byStatus, blockedCustomers}: Look): void => {
    const reasons = infos.get(check)?.reasons.map(({name}) => name) ?? [];
    for (const reason of new Set([...reasons, ...Object.keys(byReason)]))
      findings.set({store, check, reason}, byReason[reason] ?? 0);
    for (const [status, count] of statusLabels(byStatus ?? {})) sessions.set({store, check, status}, count);
    if (blockedCustomers !== null) blocked.set({store, check}, blockedCustomers);
  };
  const refresh = (): void => {
    for (const instrument of [findings, sessions, blocked, storeUp]) instrument.reset();
    for (const look of looks.values()) if (look.status !== 'error') tell(look);
    const asked = new Set([...looks.values()].map(({store}) => store));
    for (const {store, state} of stores())
      if (state !== 'connecting' || asked.has(store)) storeUp.set({store}, state === 'up' ? 1 : 0);
  };
  /** A run that is finished tells of all its changes again. */
  const newOf = ({run, interrupted, applied, skipped, failed, unknown}: RunResult): Counts => {
    const counts = {applied, skipped, failed, unknown};
    if (run === null) return counts;
    const before = cutShort.get(run);
    cutShort.delete(run);
    if (interrupted) cutShort.set(run, counts);
    const [oldest] = cutShort.size > mostCutShort ? cutShort.keys() : [];
    if (oldest !== undefined) cutShort.delete(oldest);
    if (!before) return counts;
    const since = (name: Result): number => Math.max(0, counts[name] - before[name]);
    return {
      applied: since('applied'),
      skipped: since('skipped'),
      failed: since('failed'),
      unknown: since('unknown'),
    };
  };
  const ran = (result: RunResult): void => {
    const {check, action} = result;
    const counts = newOf(result);
    const store = infos.get(check)?.store;
    if (store === undefined) return;
    for (const name of results) changes.inc({store, check, action, result: name}, counts[name]);
  };

  return {
    round: ({look, runs}) => {
      const {store, check, at, status, tookMs} = look;
      looks.set(check, look);
      duration.observe({store, check}, tookMs / 1000);
      if (status !== 'error') lastSuccess.set({store, check}, Date.parse(at) / 1000);
      for (const run of runs) ran(run);
    },
    ran,
    text: () => {
      refresh();
      return registry.metrics();
    },
    contentType: registry.contentType,
    close: () => registry.clear(),
  };
};
