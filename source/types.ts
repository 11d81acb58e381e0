/** The words of the contract as types: what checks find, what plans hold, what runs tell. */
import type {Identity, StoreKind} from './connector.js';
import type {ErrorCode} from './errors.js';
import type {GuardDirection, GuardInfo, GuardPlan, GuardProgress, GuardResult} from './guards.js';
import type {Trend} from './trend.js';
import type {Json} from './values.js';

export type CheckKind = 'duplicates' | 'null-ids' | 'stale-sessions' | 'device-sessions';
export type Severity = 'critical' | 'warning' | 'info';
export type Verdict = 'keep' | 'delete' | 'cancel' | 'assign' | 'update' | 'none';

/** One row of a finding. `values` are for people (secrets masked); `why` says what the rule saw in it. */
export type FindingRow = {
  table: string;
  identity: Identity;
  key: Record<string, Json>;
  values: Record<string, Json>;
  verdict: Verdict;
  why: string;
};

/** One thing that is wrong. `id` is stable while the group or row is; `ageSeconds` is null where it has no age. */
export type Finding = {
  id: string;
  reasons: string[];
  severity: Severity;
  group: Json;
  ageSeconds: number | null;
  rows: FindingRow[];
  /** Those that apply, the default first. Some apply only when the finding is chosen by hand (`byHand`). */
  actions: string[];
  /** No action takes it unless it is named with --group or marked by hand. */
  byHand: boolean;
};

export type CheckError = {code: ErrorCode; message: string; hint: string};

/** What a check answers: a page of findings, and how many there are in all and by reason. */
export type CheckResult = {
  check: string;
  kind: CheckKind;
  store: string;
  status: 'pass' | 'fail' | 'error';
  total: number;
  byReason: Record<string, number>;
  bySeverity: Record<Severity, number>;
  findings: Finding[];
  error?: CheckError;
  /** When the store answered, ISO 8601 on its own clock; null when it didn't. */
  at: string | null;
  /** How long the store took, milliseconds. */
  tookMs: number;
};

export type ShownResult = 'planned' | 'applied' | 'skipped' | 'failed' | 'unknown';

/** One change as it is told to people: keys and values in plain JSON, secrets masked. */
export type ShownChange = {
  op: 'delete' | 'update' | 'insert';
  table: string;
  key: Record<string, Json>;
  before: Record<string, Json> | null;
  after: Record<string, Json> | null;
  result: ShownResult;
  why?: string;
  error?: string;
};

export type Counts = {planned: number; applied: number; skipped: number; failed: number; unknown: number};

/** How many changes have which result; those that are still planned count nowhere. */
export const countResults = (changes: Iterable<Pick<ShownChange, 'result'>>): Omit<Counts, 'planned'> => {
  const counts = {applied: 0, skipped: 0, failed: 0, unknown: 0};
  for (const {result} of changes) if (result !== 'planned') counts[result]++;
  return counts;
};

export type RunResult = Counts & {
  run: string | null;
  dryRun: boolean;
  check: string;
  action: string;
  remaining: number | null;
  changes: ShownChange[];
  /** What the user should know besides: accounts left without a session, findings left for a human, … */
  notes: string[];
  /** What went wrong besides single changes: the journal could not be written, a trigger altered rows, … */
  faults?: string[];
  /** Stopped after a chunk: the rest of the changes are still `planned`. */
  interrupted?: boolean;
};

export type RunState = 'done' | 'interrupted' | 'undone' | 'failed';

/** A run as `history` lists it. */
export type RunSummary = Counts & {
  run: string;
  at: string;
  by: string;
  check: string;
  action: string;
  state: RunState;
  note: string | null;
  /** The run that this one took back, if it is an undo. */
  undoes: string | null;
  /** What stopped an install or uninstall of guards before it was done. */
  stopped?: string;
};

/** Narrows what a check or plan looks at (contract: clean's flags). All given conditions must hold. */
export type Selection = {
  /** Group values as text; several columns as a JSON array. */
  groups?: string[];
  /** Row keys as text, or finding ids. */
  ids?: string[];
  reasons?: string[];
  customer?: string;
  olderThanMs?: number;
  limit?: number;
  /** Marks of the screen: ids of findings. Counts as chosen by hand. */
  findings?: string[];
  /** The keeper that the user chose, by finding id. */
  keepers?: Record<string, Identity>;
};

export type StoreStatus = {
  store: string;
  kind: StoreKind;
  state: 'connecting' | 'up' | 'down';
  /** What the store said of itself, or of why it is down. */
  text: string;
  /** A stand-in for the demo, not the real server: says which. */
  standIn: string | null;
};

/** A page of every session that a check knows, healthy ones too (the Devices view). */
export type SessionPage = {
  total: number;
  rows: (FindingRow & {reasons: string[]; group: Json; ageSeconds: number | null})[];
};

/** What the registry of checks says of an action, for dialogs, help and the readme. */
export type ActionMeta = {
  name: string;
  /** What it does, in a sentence. */
  text: string;
  /** Asks for TABLE:COUNT everywhere. */
  drastic?: boolean;
  /** Takes only rows that are chosen with --id or by hand, healthy ones too (from `sessions`). */
  byId?: boolean;
};

export type ReasonMeta = {
  name: string;
  severity: Severity;
  /** What it means, in a sentence. */
  text: string;
  /** The actions that apply, the safe default first. */
  actions: string[];
  /** An action takes findings of this reason only when `--reason` names it. */
  onlyWhenNamed?: boolean;
};

/** A configured check, as the screen and the headers of tables need it. */
export type CheckInfo = {
  id: string;
  store: string;
  storeKind: StoreKind;
  kind: CheckKind;
  name: string;
  /** The table that its findings are rows of. */
  table: string;
  /** Columns worth a place in a table on the screen, the most telling first. */
  columns: string[];
  /** What is good when it finds nothing, in a sentence. */
  healthy?: string;
  reasons: ReasonMeta[];
  actions: ActionMeta[];
};

/** A plan that was made and can be shown, run or thrown away. `close` frees what it holds on disk. */
export type Plan = {
  check: string;
  action: string;
  /** Changes in all, those that the plan already skips among them. */
  planned: number;
  /** The first of them (all, up to `shownLimit`); rows that the plan skips have a `why`. */
  changes: ShownChange[];
  /** One statement of each kind that will run, as text. */
  statements: string[];
  notes: string[];
  /**
   * What has to be typed before it may run: [] in safe places, the environment's name in production, TABLE:COUNT, …
   * `also`: what does as well.
   */
  confirmations: {expected: string; why: string; also?: string[]}[];
  /** Rows of the table as the store estimates them; null if it doesn't. */
  estimatedRows: number | null;
  /** The interrupted run that this plan finishes, under its id. */
  resumes?: string | null;
};

export type Progress = {
  /** `waiting`: the server is under strain (replication lag, lock waits, throttling). */
  phase: 'planning' | 'backup' | 'changes' | 'waiting' | 'looking';
  done: number;
  total: number | null;
  /** Why it waits. */
  text?: string;
  outcome?: ShownChange;
};

export type ReadOnlyBy = 'flag' | 'configuration' | 'production';

/** The engine as the screen, the command line and the library call it. */
export interface Engine {
  readonly environment: string;
  readonly production: boolean;
  /** Right now: `readOnlyBy` is not null. */
  readonly readOnly: boolean;
  /**
   * Why nothing may be written: nothing lifts `flag` and `configuration`; `unlock` lifts `production` for 15
   * minutes. null: it may be. Changes over time.
   */
  readonly readOnlyBy: ReadOnlyBy | null;
  readonly refreshMs: number;
  readonly checks: CheckInfo[];
  /**
   * Lifts production's default read-only for 15 minutes; throws `confirmation` when `typed` isn't the environment's
   * name, `read-only` where nothing lifts it. Returns the milliseconds that it is lifted for.
   */
  unlock(typed: string): number;
  /** Ends what `unlock` lifted. */
  lock(): void;
  /** Milliseconds that writing is still lifted for; 0 when it isn't. */
  writableForMs(): number;
  status(): StoreStatus[];
  /** Calls the listener at each change of a store's state; returns what stops it. */
  onStatus(listener: (stores: StoreStatus[]) => void): () => void;
  /** Never throws for a store's fault: the result's status is then `error`. */
  check(
    id: string,
    options?: {selection?: Selection; offset?: number; limit?: number; signal?: AbortSignal},
  ): Promise<CheckResult>;
  /** How many findings the check had over time, as far as it is known since the first look at it. */
  trend(id: string): Trend;
  /** Every session of a device-sessions check, healthy ones too. `filter` is matched against the email. */
  sessions(id: string, options: {offset: number; limit: number; signal?: AbortSignal}): Promise<SessionPage>;
  plan(
    id: string,
    action: string,
    selection: Selection,
    options?: {signal?: AbortSignal; onProgress?: (progress: Progress) => void},
  ): Promise<Plan>;
  run(
    plan: Plan,
    options?: {
      note?: string;
      confirmed?: string[];
      /** At most this many changes a second. */
      ratePerSecond?: number;
      /** false: `remaining` is not counted (null), for what looks for itself; the whole check is read for it. */
      lookAgain?: boolean;
      signal?: AbortSignal;
      onProgress?: (progress: Progress) => void;
    },
  ): Promise<RunResult>;
  planUndo(run: string, options?: {signal?: AbortSignal}): Promise<Plan>;
  /**
   * What an interrupted run has left: `run` carries it out under the same run id. Throws `usage` for a run that
   * isn't interrupted or is being carried out.
   */
  planResume(run: string, options?: {signal?: AbortSignal}): Promise<Plan>;
  history(): Promise<RunSummary[]>;
  /**
   * Every guard of these checks (of all unless named), in the order in which they are installed. Where a store can't be
   * asked its guards are `unavailable` with an `error`; throws `usage` for a check that there is not.
   */
  guards(checks?: string[], options?: {signal?: AbortSignal}): Promise<GuardInfo[]>;
  /**
   * What an install or uninstall would do now. Without `guards`: those that are not opt-in. Throws `usage` for a guard
   * that there is not, `unsupported` for one that is unavailable.
   */
  planGuards(
    check: string,
    direction: GuardDirection,
    options?: {guards?: string[]; clean?: boolean; signal?: AbortSignal},
  ): Promise<GuardPlan>;
  /** Carries it out. Throws before anything was written (`read-only`, `confirmation`, findings in the way: `usage`). */
  runGuards(
    plan: GuardPlan,
    options?: {
      note?: string;
      confirmed?: string[];
      signal?: AbortSignal;
      onProgress?: (progress: GuardProgress) => void;
    },
  ): Promise<GuardResult>;
  close(): Promise<void>;
}
