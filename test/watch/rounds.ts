/** Rounds of a watch, as short as a test can say them. */
import type {RunResult} from '../../source/types.js';
import type {Look, Round} from '../../source/watch/round.js';

export const start = Date.UTC(2026, 10, 21, 10);
export const minute = 60_000;
export const iso = (atMs: number): string => new Date(atMs).toISOString();

export type Short = {
  /** Minutes after the start. */
  at?: number;
  check?: string;
  kind?: Look['kind'];
  found?: Record<string, number>;
  error?: 'unreachable' | 'timeout' | 'refused';
  message?: string;
  /** Whose sessions a run cancelled, by run. */
  cancelled?: Record<string, string[]>;
  interrupted?: boolean;
};

export const runOf = (run: string, check: string, applied: number, interrupted = false): RunResult => ({
  run,
  dryRun: false,
  check,
  action: 'cancel',
  planned: applied,
  applied,
  skipped: 0,
  failed: 0,
  unknown: 0,
  remaining: 0,
  changes: [],
  notes: [],
  interrupted,
});

export const round = (short: Short): Round => {
  const {at = 0, check = 'rides/stale-sessions', found = {}, cancelled = {}, error, interrupted} = short;
  const store = check.split('/')[0]!;
  const total = Object.values(found).reduce((sum, count) => sum + count, 0);
  return {
    environment: 'staging',
    look: {
      store,
      check,
      kind: short.kind ?? 'stale-sessions',
      at: iso(start + at * minute),
      tookMs: 1,
      status: error ? 'error' : total > 0 ? 'fail' : 'pass',
      total,
      byReason: found,
      sessions: null,
      blockedCustomers: null,
      ...(error && {error: {code: error, message: short.message ?? 'connect ECONNREFUSED', hint: ''}}),
    },
    stores: [
      {store, kind: 'postgres', state: error === 'unreachable' ? 'down' : 'up', text: '', standIn: null},
    ],
    runs: Object.entries(cancelled).map(([run, customers]) =>
      runOf(run, check, customers.length, interrupted),
    ),
    customers: cancelled,
    refused: [],
  };
};
