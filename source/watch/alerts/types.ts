/** What alerts are, and what is kept of them between looks. */
import type {Owner} from '../../engine/run/run-lock.js';

/** What goes on for a while: it begins, and later it is resolved. */
export type OngoingName = 'problems' | 'very-stale' | 'blocked-repeatedly' | 'store-down';

/**
 * An alert as it is posted (contract: Metrics and alerts). `since`: when what it tells of began, ISO 8601. `count`:
 * findings, very stale sessions, customers, looks in a row that failed, or changes of the run; 0 when resolved.
 */
export type Alert = {
  alert: OngoingName | 'resolved' | 'sessions-cancelled';
  environment: string;
  store: string;
  /** null for `store-down`. */
  check: string | null;
  count: number;
  since: string;
  text: string;
  /** Of `resolved`: the alert that ended. */
  of?: OngoingName;
  /** Of `sessions-cancelled`. */
  run?: string;
  /** Of `sessions-cancelled` and `blocked-repeatedly`. */
  customers?: string[];
  /** A long list of customers comes in several messages: 1 of `parts`. */
  part?: number;
  parts?: number;
};

/** A run that cancelled something: `applied` changes, of sessions and requests of these customers. */
export type CancellingRun = {
  run: string;
  /** ISO 8601. */
  at: string;
  store: string;
  check: string;
  applied: number;
  customers: string[];
};

/** How often in a row something was seen, and not seen; `begun` once it was told. */
export type Condition = {
  alert: OngoingName;
  bad: number;
  good: number;
  /** When it was first seen of those times in a row. */
  seen: string | null;
  begun: string | null;
  /** Of `store-down`: the check whose looks are counted. */
  by?: string;
};

/** Of one check: when the sessions of which customers were cancelled (milliseconds), the newest runs only. */
export type CustomerRuns = {
  customers: [customer: string, runs: [run: string, atMs: number][]][];
  /** Customers who were told of as blocked repeatedly, and since when. */
  told: [customer: string, since: string][];
  /** More customers than are kept; told once. */
  overflown: boolean;
};

/** Names of records hold a `/`, so that none of them is one that objects have of their own. */
export type Decided = {
  conditions: Record<string, Condition>;
  cancelled: Record<string, CustomerRuns>;
  /** Runs that were told, with how many changes they had made by then; the oldest first. */
  runs: [run: string, applied: number][];
};

/** A message that waits to be posted. `lane`: messages of one lane are posted in order. */
export type Message = {id: string; lane: string; queuedAt: string; alert: Alert};

/** The process that posts now, and until when it has the say without a sign of life. */
export type Lease = {owner: Owner; untilMs: number};

/** All of it is one file, so that what was decided and what is to be posted are never apart. */
export type AlertsState = {
  version: 1;
  /** When these alerts began; runs before are not told. */
  started: string;
  decided: Decided;
  queue: Message[];
  sender: Lease | null;
};

export type Level = 'info' | 'warn' | 'error';
export type Log = (level: Level, text: string) => void;
