/** What can happen (messages), and what the state machine asks for (effects). Effects are data; source/ui.ts runs them. */
import type {FaultyWrites} from '../faulty-writes.js';
import type {GuardInfo, GuardPlan, GuardProgress, GuardResult} from '../guards.js';
import type {Trend} from '../trend.js';
import type {
  CheckError,
  Finding,
  Plan,
  Progress,
  ReadOnlyBy,
  RunResult,
  RunSummary,
  Selection,
  StoreStatus,
} from '../types.js';
import type {CustomerReport} from '../ui/customer.js';
import type {GuardRequest} from './guards.js';
import type {Summary} from './lists.js';

export type Message =
  /** One key press by its name (see keys.ts); `together`: it came in one piece with others, as no finger types. */
  | {type: 'key'; key: string; together?: boolean}
  | {type: 'paste'; text: string}
  | {type: 'tick'; now: number}
  | {type: 'resize'; columns: number; rows: number}
  /** The program was suspended and goes on. */
  | {type: 'resumed'}
  /** What the engine says of writing; `until`: when production's lift ends, null where it isn't lifted. */
  | {type: 'writing'; readOnlyBy: ReadOnlyBy | null; until: number | null}
  | {type: 'unlocked'; until: number}
  | {type: 'unlock-failed'; error: CheckError}
  | {type: 'status'; stores: StoreStatus[]}
  | {
      type: 'loaded';
      check: string;
      page: number;
      items: Finding[];
      total: number;
      summary: Summary;
      now: number;
    }
  | {type: 'load-failed'; check: string; page: number; error: CheckError; now: number}
  /** Of the findings asked after, these are still there. */
  | {type: 'verified'; check: string; asked: string[]; there: string[]}
  | {type: 'planned'; ticket: number; plan: Plan}
  | {type: 'plan-failed'; ticket: number; error: CheckError}
  | {type: 'plan-progress'; ticket: number; progress: Progress}
  | {type: 'progress'; progress: Progress}
  | {type: 'ran'; result: RunResult}
  | {type: 'run-failed'; error: CheckError}
  | {type: 'history'; runs: RunSummary[]; now: number}
  | {type: 'history-failed'; error: CheckError; now: number}
  | {type: 'guards'; question: number; guards: GuardInfo[]; now: number}
  | {type: 'guards-failed'; question: number; error: CheckError; now: number}
  | {type: 'guards-planned'; ticket: number; plan: GuardPlan}
  | {type: 'guard-progress'; progress: GuardProgress}
  | {type: 'guards-ran'; result: GuardResult}
  | {type: 'guards-run-failed'; error: CheckError}
  /** `whole`: all stores have answered, or will not. */
  | {type: 'customer'; question: number; report: CustomerReport; whole: boolean; now: number}
  | {type: 'customer-failed'; question: number; error: CheckError; now: number}
  | {type: 'unblock-planned'; ticket: number; plans: Plan[]}
  /** The dialog has been on the screen long enough to take input. */
  | {type: 'armed'}
  /** What became of the demo's faulty writes, by store. */
  | {type: 'traffic'; writes: Readonly<Record<string, FaultyWrites>>}
  | {type: 'trends'; trends: Readonly<Record<string, Trend>>}
  | {type: 'said'; text: string; tone: 'info' | 'good' | 'bad'}
  /** A signal asked the program to end. */
  | {type: 'terminate'; code: number};

export type Effect =
  | {effect: 'load'; check: string; pages: number[]}
  | {effect: 'verify'; check: string; ids: string[]}
  | {effect: 'history'}
  | {effect: 'plan'; ticket: number; check: string; action: string; selection: Selection}
  | {effect: 'plan-undo'; ticket: number; run: string}
  | {effect: 'plan-resume'; ticket: number; run: string}
  | {effect: 'cancel-plan'}
  /** The plan is not wanted any more. */
  | {effect: 'release'; plan: Plan}
  | {effect: 'run'; plan: Plan; confirmed: string[]; note?: string}
  /** Reads every guard's state; gives up the question before it. */
  | {effect: 'guards'; question: number}
  | {effect: 'plan-guards'; ticket: number; request: GuardRequest}
  | {effect: 'run-guards'; plan: GuardPlan; confirmed: string[]; note?: string}
  | {effect: 'unlock'; typed: string}
  /** Ends the lift of production's read-only. */
  | {effect: 'lock'}
  /** Stops the run after the chunk, or the step, that it is at. */
  | {effect: 'stop'}
  /** Says `armed` once the dialog has been painted and a moment has passed. */
  | {
      effect: 'arm' /** The moment is longer than a key that is held down takes to repeat. */;
      released?: boolean;
    }
  /** Input came before it was armed: the moment begins again. */
  | {effect: 'hold'}
  /** `what`: names a text of several lines, which are kept as they are. */
  | {effect: 'copy'; text: string; what?: string}
  | {effect: 'export'; check: string; format: 'csv' | 'json'; filter: string}
  /** Gives up the question before it. */
  | {effect: 'customer'; question: number; id: string}
  | {effect: 'leave-customer'}
  | {effect: 'plan-unblock'; ticket: number; report: CustomerReport}
  | {effect: 'suspend'}
  | {effect: 'quit'; code: number};
