/** `/healthz`: do the loops still run? A store that is down is not this process's fault, and only told. */
import type {StoreStatus} from '../../types.js';
import type {RoundListener} from '../round.js';

export type LivenessOptions = {
  /** Ids of the checks that are looked at. */
  checks: string[];
  stores: () => StoreStatus[];
  everyMs: number;
  /** The time limit of one statement. */
  timeoutMs: number;
  /** A clock that only grows, milliseconds. */
  now: () => number;
};

export type LivenessReport = {
  status: 'ok' | 'dead-loop';
  checks: {check: string; lookedSecondsAgo: number | null; late: boolean}[];
  stores: Pick<StoreStatus, 'store' | 'state'>[];
};

export type Liveness = {
  round: RoundListener;
  /** The loop of a check has got on, though no look has ended. */
  gotOn: (check: string) => void;
  report: () => LivenessReport;
};

/**
 * A loop is dead when it has not got on within three intervals and the time limit of a statement. A cleaning may take
 * longer than that: who restarts it for being late would cut every run short.
 */
export const openLiveness = ({checks, stores, everyMs, timeoutMs, now}: LivenessOptions): Liveness => {
  const startedAt = now();
  const endedAt = new Map<string, number>();
  const gotOnAt = new Map<string, number>();
  const longest = 3 * everyMs + timeoutMs;
  return {
    round: ({look}) => {
      endedAt.set(look.check, now());
      gotOnAt.set(look.check, now());
    },
    gotOn: check => void gotOnAt.set(check, now()),
    report: () => {
      const told = checks.map(check => {
        const last = endedAt.get(check);
        return {
          check,
          lookedSecondsAgo: last === undefined ? null : Math.floor((now() - last) / 1000),
          late: now() - (gotOnAt.get(check) ?? startedAt) > longest,
        };
      });
      return {
        status: told.some(({late}) => late) ? 'dead-loop' : 'ok',
        checks: told,
        stores: stores().map(({store, state}) => ({store, state})),
      };
    },
  };
};
