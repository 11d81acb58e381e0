/** What is told of one customer: the words of the contract's `customer --json`, and what the screen adds to them. */
import type {CheckError, Finding} from '../../types.js';
import type {Json} from '../../values.js';

export type CustomerSession = {
  store: string;
  check: string;
  table: string;
  key: Record<string, Json>;
  values: Record<string, Json>;
  /** The row's status, or its kind where its table has no status; null where it has neither. */
  status: string | null;
  /** When it began, ISO 8601 on the store's clock; null where no moment is known. */
  at: string | null;
  /** null where no moment is known, and for one that is in the future. */
  ageSeconds: number | null;
  /** The reasons of the findings on it, the most severe first. */
  wrong: string[];
  /** Does it keep the customer from buying? */
  blocks: boolean;
};

export type Blocking = {
  store: string;
  check: string;
  table: string;
  id: Json;
  /** `request`: a pending one. */
  what: 'session' | 'request';
  status: string;
  ageSeconds: number | null;
  /** The check would cancel it: it waits for too long, has no request, or nobody answered it. */
  stale: boolean;
  /** Reasons of the finding on it. */
  wrong: string[];
  /** The finding that an action would cancel it by; null where it isn't stale. */
  finding: string | null;
};

/** A fault that keeps the customer out without a session that blocks: a login that fails, a conversation that is lost. */
export type Hindrance = {
  store: string;
  check: string;
  reason: string;
  /** What the customer can't do, as the rest of a sentence: `can't log in`. */
  what: string;
  /** What is wrong, in a few words. */
  text: string;
  /** The words of the `sesstui` command that mends it; null where no action does. */
  command: string[] | null;
};

export type CustomerReport = {
  customer: string;
  environment: string;
  /** When it was told, ISO 8601 on this machine's clock. */
  at: string;
  /** In a sentence, without the customer's name: `blocked by session c354… in rides: waiting for 42 minutes, …`. */
  verdict: string;
  /** What the id that was asked for led to: the customer of a session id, the customer id of an email. */
  known: string[];
  blocked: boolean;
  blockedBy: Blocking[];
  hindrances: Hindrance[];
  /** The timeline over all stores: the newest first, those without a moment last. */
  sessions: CustomerSession[];
  findings: (Finding & {check: string})[];
  cleaned: number;
  /** Whose id it is can't be told while a store can't be asked: nothing is planned. */
  doubtful: boolean;
  /** Stores that have not answered yet; [] in the report that `customer` resolves with. */
  waiting: string[];
  /** Where was looked, as `store: table (columns)`. */
  searched: string[];
  /** What was left out and why: more rows than are shown, a value that several customers share. */
  notes: string[];
  /** A table's error under its check's id; that of an `identities` table under `store/table`. */
  errors: {check: string; error: CheckError}[];
};

export type CustomerOptions = {
  signal?: AbortSignal;
  /** Called with the report so far each time a store has answered. */
  onPart?: (report: CustomerReport) => void;
};
