/** What the user is in the middle of: one of these at a time. */
import type {GuardPlan, GuardProgress, GuardResult} from '../guards.js';
import type {CheckError, Plan, Progress, RunResult, RunSummary} from '../types.js';
import type {Asking} from './asking.js';
import type {GuardRequest} from './guards.js';

/** An action as the menu offers it: for how many of the chosen findings it is there. */
export type Choice = {action: string; text: string; drastic: boolean; applies: number; isDefault: boolean};

/** What a plan is for: an action of a check, taking back a run, or finishing one. */
export type Origin = {
  check: string;
  action: string;
  undoes: string | null;
  resumes: string | null;
  /** Keys of the rows that the user chose to keep. */
  keeps?: readonly string[];
  /** The customer that it unblocks: the plan is the first of several, and `rest` follows it. */
  unblocks?: {customer: string; rest: readonly Plan[]};
};

type GuardPlanMode = {name: 'guard-plan'; request: GuardRequest; plan: GuardPlan; at: number; top: number};

type PlanMode = {name: 'plan'; origin: Origin; plan: Plan; at: number; row: number};

export type Mode =
  | {name: 'browse'}
  | {name: 'details'; check: string; id: string; row: number; top: number}
  | {name: 'run-details'; run: RunSummary}
  | {name: 'filter'; check: string}
  | {name: 'palette'; text: string; index: number}
  /** `offered`: what Enter takes where nothing was typed; '' for nothing. */
  | {name: 'prompt'; text: string; offered: string}
  /** The state's `customer`. */
  | {name: 'customer'}
  | {name: 'export'; check: string; index: number}
  /** `only`: the finding whose details were open; null for the marks or the row under the cursor. */
  /** `index`: -1 while no choice is selected. */
  | {name: 'menu'; check: string; choices: Choice[]; index: number; withHidden: boolean; only: string | null}
  /** `reading`: the data was older than a refresh, so it is read again before the plan is made. */
  | {
      name: 'planning';
      ticket: number;
      origin: Origin;
      withHidden: boolean;
      only: string | null;
      reading: boolean;
      progress: Progress | null;
    }
  /** `at`: when it was made; `row`: the change under the cursor. */
  | PlanMode
  /** The change under the cursor of the plan, in full. */
  | {name: 'change'; from: PlanMode; top: number}
  | ({name: 'confirm'; origin: Origin; plan: Plan; at: number} & Asking)
  /** Asks whether production's read-only is to be lifted. */
  | ({name: 'unlock'} & Asking)
  | {
      name: 'running';
      origin: Origin;
      plan: Plan;
      /** When the plan was made. */
      at: number;
      progress: Progress | null;
      outcomes: Record<'applied' | 'skipped' | 'failed' | 'unknown', number>;
      since: number;
      stopping: boolean;
      /** The exit code to leave with once the run has come to its end; null to stay. */
      leaveWith: number | null;
    }
  /** `at`: when its plan was made. */
  | {name: 'results'; origin: Origin; result: RunResult; at: number; top: number}
  /** `guard`: its name among all of them. */
  | {name: 'guard-details'; guard: string; top: number}
  | {name: 'guard-planning'; ticket: number; request: GuardRequest}
  /** `at`: when it was made; `top`: how far it is scrolled. */
  | GuardPlanMode
  | ({name: 'guard-confirm'; from: GuardPlanMode} & Asking)
  | {
      name: 'guard-running';
      request: GuardRequest;
      plan: GuardPlan;
      progress: GuardProgress | null;
      /** The place of the step that it is at in the plan's list; -1 before the first. */
      step: number;
      since: number;
      stopping: boolean;
      /** The exit code to leave with once it has come to its end; null to stay. */
      leaveWith: number | null;
    }
  | {name: 'guard-results'; request: GuardRequest; result: GuardResult; top: number}
  | {name: 'failure'; title: string; error: CheckError}
  | {name: 'help'; top: number}
  | {name: 'quit'; marked: number; focus: 'cancel' | 'run'};

export type ModeName = Mode['name'];
export type ModeOf<Name extends ModeName> = Extract<Mode, {name: Name}>;

/** The dialogs that can write. */
export type AskingMode = ModeOf<'confirm' | 'unlock' | 'guard-confirm'>;
export const isAsking = (mode: Mode): mode is AskingMode =>
  mode.name === 'confirm' || mode.name === 'unlock' || mode.name === 'guard-confirm';

/** Where something is being written: it ends at a place of its own choosing. */
export const isRunning = (mode: Mode): mode is ModeOf<'running' | 'guard-running'> =>
  mode.name === 'running' || mode.name === 'guard-running';

/** Changes that a plan will make: not those that it skips, nor those that an interrupted run had made. */
export const willChange = ({changes}: Plan): number =>
  changes.filter(change => change.result === 'planned').length;
