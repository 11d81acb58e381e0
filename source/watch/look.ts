/** One look at one check: its counts, and of a stale-sessions check its sessions and whom they block. */
import type {Checker} from '../engine/checker.js';
import {statusCounts} from '../engine/health.js';
import {asSesstuiError} from '../errors.js';
import type {Look} from './round.js';

type Options = {signal?: AbortSignal; allowScan?: boolean; date: () => Date};

type Sessions = Pick<Look, 'sessions' | 'blockedCustomers'>;

/** The counts by status are left out where they would read more than `limits.scan` rows at each look. */
const sessionsOf = (checker: Checker, signal?: AbortSignal, allowScan?: boolean): Promise<Sessions> =>
  checker.ask(
    async opened => {
      const {tallies, blocked} = checker.check;
      const tally = tallies?.(checker.config).sessions;
      const isWanted = tally && (allowScan || (await checker.scanOf(opened, tally, signal)) === null);
      const counts = isWanted && (await statusCounts(opened, tally, signal));
      const page = {now: opened.now, signal, offset: 0, limit: 0};
      const groups = blocked && (await opened.connector.survey(blocked(checker.config), page));
      return {sessions: counts ? counts.byStatus : null, blockedCustomers: groups?.total ?? null};
    },
    {signal, insist: true},
  );

/**
 * Never throws for a store's fault: the look's status is then `error`. A store that is down is asked all the same:
 * the interval is its pause.
 */
export const lookAt = async (checker: Checker, {signal, allowScan, date}: Options): Promise<Look> => {
  const started = performance.now();
  const result = await checker.run({limit: 0, insist: true, signal, allowScan});
  const {check, store, kind, status, total, byReason, error} = result;
  const look = {store, check, kind, status, total, byReason, ...(error ? {error} : {})};
  let sessions: Sessions = {sessions: null, blockedCustomers: null};
  if (status !== 'error') {
    try {
      sessions = await sessionsOf(checker, signal, allowScan);
    } catch (fault) {
      const told = {status: 'error' as const, total: 0, byReason: {}, error: asSesstuiError(fault).toJSON()};
      Object.assign(look, told);
    }
  }
  return {...look, ...sessions, at: date().toISOString(), tookMs: performance.now() - started};
};
