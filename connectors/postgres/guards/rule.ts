/** What a rule's file has to tell of it; `index.ts` lists them, `perform.ts` carries out what they ask for. */
import type {GuardPhase, GuardRule, GuardSeen} from '../../../source/guards.js';
import type {Json} from '../../../source/values.js';
import type {Table} from '../catalogue.js';
import type {Cells} from '../rows.js';
import type {Run} from '../session.js';

/** Where a guard is put: the table at hand, or a scratch copy of it in a schema of its own. Functions go into its schema. */
export type Place = {
  table: Table;
  /** The server's collation clause of `{norm: …}`, as in `Scope.lower`. */
  lower: string;
  /** `server_version_num` */
  version: number;
};

/** A place that a script is written for: the table may lack columns, or not have been looked at at all. */
export type ScriptPlace = {
  /** As the configuration names it. */
  name: string;
  table: Table | null;
  lower: string;
};

/**
 * One step of an install or uninstall. `transaction`: all statements in one transaction, with the store's time limit
 * on each, a short lock timeout and retries. `index`: built by CREATE INDEX CONCURRENTLY outside a transaction, then looked at: an invalid one is dropped
 * and built again; a unique violation ends the step with `again`. `each`: one after another outside a transaction
 * (DROP INDEX CONCURRENTLY, VALIDATE CONSTRAINT), without a time limit, each with retries.
 */
export type Task = {
  name: string;
  phase: GuardPhase;
  text: string;
  statements: string[];
  how: 'transaction' | 'index' | 'each';
  /** The index that an `index` task builds, in the table's schema unless `schema` is given (a partition's). */
  index?: string;
  schema?: string;
};

/** A scratch copy for `guards test`. Statements run in a transaction each; errors come as the driver throws them. */
export type Scratch = {
  place: Place;
  /** The copy's quoted name. */
  sql: string;
  query: (text: string, values?: unknown[]) => Promise<Cells[]>;
  /** In one transaction on one connection. */
  transaction: (texts: string[]) => Promise<Cells[][]>;
  /** Each on a connection of its own, at the same time. */
  atOnce: (texts: {text: string; values?: unknown[]}[]) => Promise<PromiseSettledResult<Cells[]>[]>;
  /** The rule's own tasks; and what it needs (`sorted` before `unique`). `again` of a task rejects. */
  install: () => Promise<void>;
  uninstall: () => Promise<void>;
};

/** What was expected, and whether it was so: a thrown error is a proof that failed. */
export type RuleProof = {text: string; passed: boolean; why: string | null};

export type RuleKeeper<R extends GuardRule> = {
  /** Why the table at hand can't have it: columns that are not there, a view, a partitioned table without its key. */
  unavailable: (rule: R, place: Place) => string | null;
  state: (rule: R, place: Place, run: Run) => Promise<GuardSeen>;
  /** What is there now that an install would replace, for an uninstall to put back; null for nothing. */
  capture?: (rule: R, place: Place, run: Run) => Promise<Json>;
  /** What is left to be done, from what is there. */
  tasks: (
    rule: R,
    place: Place,
    direction: 'install' | 'uninstall',
    run: Run,
    before: Json | null,
  ) => Promise<Task[]>;
  /** Plain statements (each without its semicolon) for one transaction, idempotent; comments begin with `--`. */
  script: (rule: R, place: ScriptPlace, direction: 'install' | 'uninstall') => string[];
  /**
   * What the whole check's migration has besides its guards (missing columns, checks): before them on the way up, after
   * them on the way down.
   */
  besides?: (rule: R, place: ScriptPlace, direction: 'install' | 'uninstall') => string[];
  /** The name of the migration that the whole check's script is: `000009_add_unique_session_keys_constraint`. */
  migration?: (rule: R) => string | null;
  prove: (rule: R, scratch: Scratch) => AsyncIterable<RuleProof>;
};

export type RuleOf<Name extends GuardRule['rule']> = Extract<GuardRule, {rule: Name}>;
