/** What `openSesstui` gives: its options, and each function with what it promises. */
import type {z} from 'zod';
import type {configSchema} from '../config/schema.js';
import type {HealthReport} from '../engine/health.js';
import type {Conversation} from './chat.js';
import type {Logger, Which} from './context.js';
import type {GymColumns, GymSession, Login} from './gym.js';
import type {Expired, LoggedOut} from './gym-clean.js';
import type {UpsertedSession} from './kite.js';
import type {SessionKeys} from './registry.js';
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
  /**
   * Makes the session of an account under its canonical id, or updates the one that is there. The key is never among
   * the updates, `createdAt` is kept, `updatedAt` is the database's now, and the account refers to the session
   * afterwards, in the same transaction where the store has them. Twice, or many at once, is one row. `unsupported`
   * where the store can't keep the row single.
   */
  upsertSession(
    input: {accountId: string | number} & Record<string, unknown>,
    which?: Which,
  ): Promise<UpsertedSession>;
  /** A new conversation, never without a session id: a new one of the check's `idFormat` unless one is given. */
  startConversation(input?: Record<string, unknown>, which?: Which): Promise<Conversation>;
  /**
   * The conversation with this id, made where it is not there, and given a session id where it has none. What is given
   * besides is for a new one only. Many callers at once are told the same document and the same session id.
   */
  ensureConversation(
    input: {conversationId: unknown} & Record<string, unknown>,
    which?: Which,
  ): Promise<Conversation>;
  /**
   * What happens when somebody logs in: the email's background session is made or updated, and a device session is
   * made. Any number of logins, at once too, leaves one background session. `fingerprint`, `expiresAt` and `id` are
   * the device's; `background` and `device` hold columns of one of the two only. `config` without a salt.
   */
  login(input: Login, which?: Which): Promise<{background: GymSession; device: GymSession}>;
  /**
   * Makes an email's background session, or updates the one that is there: protected, with the email's own
   * fingerprint, `createdAt` kept, `updatedAt` the database's now. Twice, or many at once, is one row.
   */
  upsertBackgroundSession(input: {email: string} & GymColumns, which?: Which): Promise<GymSession>;
  /** An email's background session, the latest where there are several; null where there is none. Writes nothing. */
  getBackgroundSession(email: string, which?: Which): Promise<GymSession | null>;
  /** A new device session, never protected; its row, with its `fingerprint` (random unless one is given). */
  createDeviceSession(
    input: {email: string; fingerprint?: string} & GymColumns,
    which?: Which,
  ): Promise<GymSession>;
  /**
   * Deletes the device sessions with this fingerprint: never a background one, nor one that is not known to be
   * unprotected. A fingerprint that nothing has is no error. A run, for `sesstui undo`.
   */
  logoutDevice(fingerprint: string, which?: Which): Promise<LoggedOut>;
  /**
   * Deletes every expired, unprotected device session, by the database's clock. `confirm` as for
   * `cleanupExpiredRequests`.
   */
  deleteExpiredDeviceSessions(which?: Confirming): Promise<Expired>;
  /**
   * Publishes the keys of an application's sessions: `published`, or `already-exists`, which is no error and is logged
   * at debug level only. Callers at once publish once, with the unique constraint or without it.
   */
  publishSessionKeys(keys: SessionKeys, which?: Which): Promise<'published' | 'already-exists'>;
  /** Waits for calls under way (a periodic cleanup ends after its chunk), then closes every connection. Repeatable. */
  close(): Promise<void>;
};
