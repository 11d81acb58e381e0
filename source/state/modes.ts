/** What the user is in the middle of: one of these at a time. */
import type {CheckError, Plan, Progress, RunResult, RunSummary, ShownChange} from '../types.js';
import type {Json} from '../values.js';

/** An action as the menu offers it: for how many of the chosen findings it is there. */
export type Choice = {action: string; text: string; drastic: boolean; applies: number; isDefault: boolean};

/** What a plan is for: an action of a check, or taking back a run. */
export type Origin = {
  check: string;
  action: string;
  undoes: string | null;
  /** Keys of the rows that the user chose to keep. */
  keeps?: readonly string[];
};

export type Mode =
  | {name: 'browse'}
  | {name: 'details'; check: string; id: string; row: number; top: number}
  | {name: 'run-details'; run: RunSummary}
  | {name: 'filter'; check: string}
  | {name: 'palette'; text: string; index: number}
  | {name: 'prompt'; text: string}
  | {name: 'customer'; id: string; report: Json | null; error: CheckError | null; top: number}
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
  | {name: 'plan'; origin: Origin; plan: Plan; top: number}
  /** `armed` once it has been on the screen for a moment; until then all input is dropped. */
  | {name: 'confirm'; origin: Origin; plan: Plan; typed: string[]; focus: 'cancel' | 'run'; armed: boolean}
  | {
      name: 'running';
      origin: Origin;
      plan: Plan;
      progress: Progress | null;
      outcomes: Record<'applied' | 'skipped' | 'failed' | 'unknown', number>;
      since: number;
      stopping: boolean;
      /** The exit code to leave with once the run has come to its end; null to stay. */
      leaveWith: number | null;
    }
  | {name: 'results'; origin: Origin; result: RunResult; top: number}
  | {name: 'failure'; title: string; error: CheckError}
  | {name: 'help'; top: number}
  | {name: 'quit'; marked: number; focus: 'cancel' | 'run'};

export type ModeName = Mode['name'];
export type ModeOf<Name extends ModeName> = Extract<Mode, {name: Name}>;

/** The confirmations that are still to be typed; the dialog's button does nothing before there is none. */
export const missing = (mode: ModeOf<'confirm'>): number[] =>
  mode.plan.confirmations.flatMap((confirmation, index) =>
    mode.typed[index] === confirmation.expected ? [] : [index],
  );

/** Changes that would be made, apart from those that the plan already skips. */
export const willChange = (plan: Plan): number =>
  plan.planned - plan.changes.filter((change: ShownChange) => change.result === 'skipped').length;
