/**
 * Guards: rules inside the database that keep a finding from coming back (contract: Guards). A check says which rules
 * it wants in store-neutral terms; a connector compiles them to its store's language, sees whether they are there, and
 * puts them in step by step; the engine mends the rows that are in the way between the steps.
 */
import type {NewValue} from './connector.js';
import type {Expr, Form, Pred} from './forms.js';
import type {Json} from './values.js';

export type GuardRule =
  /** Arrays in these columns are stored sorted, as `{set: …}` sorts them. */
  | {rule: 'sorted'; table: string; columns: string[]}
  /** No two rows are equal in `columns`; those in `unordered` are kept sorted by a `sorted` rule. */
  | {rule: 'unique'; table: string; columns: string[]; unordered: string[]}
  /** Of the rows that match `where`, one for each `key`. `name`: what the object is called in the store. */
  | {rule: 'one'; name: string; table: string; key: Expr[]; where: Pred}
  /** Rows that match `where` are not deleted, unless the transaction says `set local sesstui.allow = 'on'`. */
  | {rule: 'undeletable'; table: string; columns: DeviceColumns}
  /** A signed-in user deals with the device sessions of its own email only. */
  | {rule: 'own-rows'; table: string; columns: DeviceColumns}
  /**
   * Before a row is inserted, the rows of its customer that match `stale` are set to `set`. `active`: statuses that are
   * never touched, for `guards test` to try.
   */
  | {
      rule: 'cancel-first';
      table: string;
      customer: string;
      stale: Pred;
      set: Record<string, NewValue>;
      active?: string[];
    }
  /** No two documents have the same id. */
  | {rule: 'unique-id'; table: string; id: string}
  /** Every document has an id that is text and not empty. (A format that is merely unusual is no fault: `info`.) */
  | {rule: 'valid-id'; table: string; id: string}
  /** Rows are found by these attributes without a scan. */
  | {rule: 'index'; table: string; columns: string[] /** Read with them. */; project?: string[]}
  /** Writers go through one write path, since the store has no constraint that would make them. */
  | {
      rule: 'write-path';
      table: string;
      groupBy: string[];
      canonicalId: string | null;
      idAttribute: string | null;
      /** What the moments are called, and what refers to the row; for the script. */
      createdAt?: string;
      updatedAt?: string;
      referencedBy?: {table: string; key: string; attribute: string};
    };

/** The columns of a table of device and background sessions. */
export type DeviceColumns = {
  id: string;
  email: string;
  type: string;
  protected: string;
  fingerprint: string;
  expiresAt: string;
  updatedAt: string;
  createdAt: string;
};

/** A guard of a check: what it prevents, its rule, and what has to be mended before it can hold. */
export type Guard = {
  name: string;
  /** What it keeps from happening, in a sentence. */
  prevents: string;
  rule: GuardRule;
  /** Installed only when it is named. */
  optIn?: boolean;
  /** What comes closest where the store has no constraint: of no use in another store. */
  instead?: boolean;
  /** The guard that it needs: that one is installed before it, and taken away after it. */
  needs?: string;
  /** Findings of these reasons are in its way; `action` mends them. */
  findings: {reasons: string[]; action: string} | null;
  /** Findings of these reasons are not in its way, and are let be (`GuardSeen.left`) until somebody mends them. */
  lets?: {reasons: string[]; action: string};
  /** Rows or groups that are in its way though no finding tells of them: a person has to mend those. */
  violations: Form | null;
  /**
   * Its violations are other rows than its findings, so they are looked at before anything is mended; `action` mends
   * them when one of these reasons is named, and cleaning for the guard never does.
   */
  byHand?: {reasons: string[]; action: string};
  /** Changes that put rows into the form that it wants, made by a run of its own, backed up (arrays that are sorted). */
  arrange: {form: Form; action: 'sort-arrays'; columns: string[]} | null;
};

/** `sessions` of `rides.sessions`: what an object that goes with a table is called by. */
export const nameInSchema = (table: string): string => table.slice(table.lastIndexOf('.') + 1);

export type GuardState = 'installed' | 'missing' | 'drifted' | 'unavailable';

export type GuardSeen = {
  state: GuardState;
  /** What differs, or why the store can't have it; null where there is nothing to say. */
  why: string | null;
  /**
   * Of one that is installed, and lets rows be that were there before and violate it: how many; null where nobody
   * knows. 0 where another install would find none any more, and finish it.
   */
  left?: number | null;
};

/**
 * When a step of an install comes: all `prepare` steps of the guards, then all `refuse` (from here on faulty writes are
 * refused), then the engine mends rows, then `enforce`, then `tidy`. An uninstall goes in the order of its list.
 */
export const guardPhases = ['prepare', 'refuse', 'enforce', 'tidy'] as const;
export type GuardPhase = (typeof guardPhases)[number];

export type GuardDirection = 'install' | 'uninstall';

export type GuardStep = {
  /** Names it to the journal and to `perform`: `trigger`, `index`. */
  name: string;
  phase: GuardPhase;
  /** What it does, in a sentence. */
  text: string;
  /** The exact statements, as they are sent. */
  statements: string[];
};

export type GuardProgress = {
  guard: string;
  step: string;
  /** `waiting for a lock on sessions (try 3)`, `building the index: 41 %`. */
  text: string;
};

export type StepOptions = {
  /** What `capture` said before the install; null where nobody knows it any more. */
  before: Json | null;
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
};

/** What `guards test` found out about one sentence, on a scratch copy. */
export type Proof = {guard: string; text: string; passed: boolean; why: string | null};

/** A guard as its connector knows it. */
export type NamedRule = {guard: string; rule: GuardRule};

/**
 * A store's guards. Everything reads what is there first and is idempotent, so that an install or uninstall that was
 * killed is gone on with by the next one, whoever runs it.
 */
export interface GuardKeeper {
  /** Why this store can't have a rule of this kind, without asking it; null when it can. */
  refuses(rule: GuardRule): string | null;
  /** `unavailable` (never an error) where the tables at hand can't have it: a column that is not there, a view, … */
  state(rule: GuardRule, signal?: AbortSignal): Promise<GuardSeen>;
  /** What stands in its place now, for `uninstall` to put back; null when nothing does. Taken before the first step. */
  capture(rule: GuardRule, signal?: AbortSignal): Promise<Json>;
  /** What is left to be done, from what is there; [] when nothing is. Throws `unsupported` where it can't be. */
  steps(
    rule: GuardRule,
    direction: GuardDirection,
    options: Pick<StepOptions, 'before' | 'signal'>,
  ): Promise<GuardStep[]>;
  /**
   * Carries out one of `steps`. `again`: rows that are in its way have come meanwhile, and nothing of the step is left
   * behind; mend them and repeat it. Throws `timeout` when the store's locks were not to be had in a bounded time,
   * `usage` (and nothing else but `hold` does) while another install or uninstall is at the table.
   */
  perform(
    rule: GuardRule,
    direction: GuardDirection,
    step: GuardStep,
    options: StepOptions,
  ): Promise<'done' | 'again'>;
  /**
   * Keeps the rules' tables for one install or uninstall, from before its first look until `release`. Throws `usage`
   * while another has one of them. Absent, or nothing is held, where the store has no lock for it.
   */
  hold?(rules: GuardRule[], signal?: AbortSignal): Promise<{release(): Promise<void>}>;
  /** A script that runs without sesstui, any number of times: SQL, mongosh, AWS CLI. `whole`: all guards of the check. */
  script(
    rules: NamedRule[],
    direction: GuardDirection,
    options: {whole: boolean; signal?: AbortSignal},
  ): Promise<string>;
  /** Proves each rule on a scratch copy of its table in the same store, and drops it: faulty writes refused, good ones not. */
  prove(rules: NamedRule[], signal?: AbortSignal): AsyncIterable<Proof>;
}

/** A guard as it is told to people (contract: `guards --json` is the first six). */
export type GuardInfo = {
  check: string;
  guard: string;
  state: GuardState;
  why: string | null;
  /** The script that installs it, and the one that takes it away; '' where it is unavailable and has none. */
  up: string;
  down: string;
  prevents: string;
  optIn: boolean;
  /** Where the store could not be asked: `state` is `unavailable` then. */
  error?: {code: string; message: string; hint: string};
};

/** What an install or uninstall is going to do; made anew when it is carried out. */
export type GuardPlan = {
  check: string;
  direction: GuardDirection;
  guards: string[];
  /** The guards as they are now. */
  before: GuardInfo[];
  steps: (GuardStep & {guard: string})[];
  /** Findings that are in the way, by reason; a plan with some and without `clean` is refused when it is run. */
  findings: Record<string, number>;
  clean: boolean;
  /** The changes of rows that it begins with, a run of its own each. */
  mends: {action: string; changes: number}[];
  /** What is in the way and no action mends, a sentence for each guard. */
  violations: string[];
  notes: string[];
  /** The run that it takes back or goes on with. */
  of?: string;
  /** As of `Plan`. */
  confirmations: {expected: string; why: string; also?: string[]}[];
};

export type GuardResult = {
  run: string | null;
  dryRun: boolean;
  check: string;
  direction: GuardDirection;
  /** As they are afterwards. */
  guards: GuardInfo[];
  /** The steps that were done. */
  steps: {guard: string; name: string; text: string}[];
  /** The runs that mended rows for it: undoable each. */
  runs: string[];
  notes: string[];
  interrupted: boolean;
  /** What stopped it; what was done before stays, and the next install or uninstall goes on from there. */
  error?: {code: string; message: string; hint: string};
};
