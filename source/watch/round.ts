/** What the watch tells of one check each time it has looked: metrics, alerts and the HTTP server listen to it. */
import type {CheckError, CheckKind, CheckResult, RunResult, StoreStatus} from '../types.js';

/** What one look at one check told; counts are those after the cleaning, where there was one. */
export type Look = {
  store: string;
  check: string;
  kind: CheckKind;
  /** When it ended, ISO 8601 on this machine's clock. */
  at: string;
  tookMs: number;
  status: CheckResult['status'];
  total: number;
  byReason: Record<string, number>;
  /** Of a stale-sessions check: its sessions by status. null for other checks, and where it could not be answered. */
  sessions: Record<string, number> | null;
  /** Of a stale-sessions check: how many customers a stale waiting session keeps from buying. */
  blockedCustomers: number | null;
  error?: CheckError;
};

/** `refused`: actions that would have had something to do and were not carried out, and why. */
export type Round = {
  environment: string;
  look: Look;
  stores: StoreStatus[];
  runs: RunResult[];
  /** Whose sessions the runs cancelled, by run. */
  customers: Record<string, string[]>;
  refused: {action: string; text: string}[];
};

/** Awaited before the check is looked at again; never throws. */
export type RoundListener = (round: Round) => Promise<void> | void;
