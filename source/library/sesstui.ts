/** What `openSesstui` gives: its options, and each function with what it promises. */
import type {z} from 'zod';
import type {configSchema} from '../config/schema.js';
import type {HealthReport} from '../engine/health.js';
import type {Logger, Which} from './context.js';
import type {Confirming, CustomerStatus} from './rides.js';
import type {CleanupStatistics} from './rides-jobs.js';

/** What a configuration file may hold, as an object: keys with a default may be left out. */
export type SesstuiConfig = z.input<typeof configSchema>;

export type SesstuiOptions = {
  /**
   * A configuration file's path, in which `${NAME}` is taken from the environment; or the object that it would hold,
   * whose texts are taken as they are.
   */
  config: string | SesstuiConfig;
  /** What happens beside the results; nothing is logged without one. It is given no credential. */
  logger?: Logger;
  /** Where runs are backed up and audited; the command line's own by default, so that its `undo` finds them. */
  stateDirectory?: string;
  /** Every function that writes rejects with `read-only`, as where the configuration says so. */
  readOnly?: boolean;
  /** Time limit of a statement, milliseconds, instead of each store's `timeout`. */
  timeoutMs?: number;
  /** Checks may read more than `limits.scan` rows without an index. */
  allowScan?: boolean;
};

/**
 * The library. Nothing is connected before the first call. Every function rejects with a `SesstuiError` and nothing
 * else: `usage` for a wrong argument, a check that is not there, or several that would do and no `{check}`;
 * `read-only` for one that writes where nothing may; `unreachable`, `refused`, `timeout`, … as the store does.
 */
export type Sesstui = {
  /**
   * Cancels what is stale of one customer (their waiting sessions past `waitingAfter`, or past `orphanedAfter`
   * without a request; their pending requests past `requestAfter`, with the session that hangs on one), then looks
   * again: does a waiting or active session or a pending request still block them? Active sessions are never touched.
   * `cleaned` counts the sessions that this call cancelled; `ageSeconds` is on the store's clock. Without anything
   * stale it asks two questions and writes nothing. A row that another transaction holds, or that a trigger refuses,
   * is in `blockedBy` with `stale: true`. Rule: the configured `stale-sessions` check.
   */
  checkCustomerSessionStatus(customerId: string | number, which?: Which): Promise<CustomerStatus>;
  /**
   * Cancels one customer's sessions that have waited for more than `maxAgeMinutes` (default: the configured
   * `waitingAfter`, 15 minutes). A run like any other: backed up, audited, undoable.
   */
  cleanupCustomerWaitingSessions(
    customerId: string | number,
    maxAgeMinutes?: number,
    which?: Which,
  ): Promise<CleanupStatistics>;
  /**
   * Cancels every request that has been pending for more than `maxAgeMinutes` (default: the configured
   * `requestAfter`, 15 minutes), each with its waiting session. In production rejects with `confirmation` when the
   * plan is beyond `limits` and `confirm` does not hold the `ENVIRONMENT:COUNT` that the message names.
   */
  cleanupExpiredRequests(maxAgeMinutes?: number, which?: Confirming): Promise<CleanupStatistics>;
  /**
   * Cancels every session that has waited for more than `maxAgeMinutes` (default: the configured `orphanedAfter`, 20
   * minutes) without a pending or accepted request. `confirm` as for `cleanupExpiredRequests`.
   */
  cleanupOrphanedSessions(maxAgeMinutes?: number, which?: Confirming): Promise<CleanupStatistics>;
  /**
   * Cancels everything that the check finds stale, by the configured thresholds; what a periodic job calls. `confirm`
   * as for `cleanupExpiredRequests`.
   */
  runFullCleanup(which?: Confirming): Promise<CleanupStatistics>;
  /** The health report of every configured check (`sesstui health --json`). A store's fault is in it, not thrown. */
  healthReport(): Promise<HealthReport>;
  /** Waits for calls under way (a periodic cleanup ends after its chunk), then closes every connection. Repeatable. */
  close(): Promise<void>;
};
