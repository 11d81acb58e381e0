/** Everything that the screen shows. Only `update` makes a new one; views read it. */
import type {FaultyWrites} from '../faulty-writes.js';
import type {Trend} from '../trend.js';
import type {CheckError, CheckInfo, Engine, ReadOnlyBy, RunSummary, StoreStatus} from '../types.js';
import type {Customer} from './customer.js';
import {type Guards, noGuardsRead} from './guards.js';
import {emptyList, type List} from './lists.js';
import type {Mode} from './modes.js';
import type {ViewId} from './places.js';

export type Toast = {text: string; tone: 'info' | 'good' | 'bad'; until: number};

export type Runs = {
  items: readonly RunSummary[] | null;
  /** The run under the cursor: by its name, so that a new one above doesn't move it. */
  run: string | null;
  /** That run was just made: the list may not have it yet, and the cursor waits for it. */
  awaited: boolean;
  top: number;
  loading: boolean;
  askedAt: number | null;
  answeredAt: number | null;
  error: CheckError | null;
};

export type State = {
  environment: string;
  production: boolean;
  /** Why nothing may be written; null when it may. */
  readOnlyBy: ReadOnlyBy | null;
  /** When production's lift ends, on this machine's clock; null where it isn't lifted. */
  writableUntil: number | null;
  /** The user ended the lift early: nothing is written until the next one, whatever the engine would do. */
  endedEarly: boolean;
  color: boolean;
  /** Sentences about parts that stand in for the real ones; null outside the demo. */
  standIns: readonly string[] | null;
  canCustomer: boolean;
  checks: readonly CheckInfo[];
  stores: readonly StoreStatus[];
  /** Milliseconds since 1970 on this machine's clock, as of the last tick. */
  now: number;
  size: {columns: number; rows: number};
  view: ViewId;
  /** The check that each view shows. */
  current: Partial<Record<ViewId, string>>;
  lists: Readonly<Record<string, List>>;
  overview: number;
  runs: Runs;
  guards: Guards;
  mode: Mode;
  /** The customer that is open, also under its dialogs; null while one browses. */
  customer: Customer | null;
  paused: boolean;
  refreshMs: number;
  /** What each check found over time. */
  trends: Readonly<Record<string, Trend>>;
  /** What became of the faulty writes of the demo's applications, by store; null outside a demo with traffic. */
  refusals: Readonly<Record<string, FaultyWrites>> | null;
  /** Numbers the plans and customers that were asked for, so that an answer that nobody waits for any more is thrown away. */
  ticket: number;
  toast: Toast | null;
};

export type StartOptions = {
  color: boolean;
  standIns: readonly string[] | null;
  canCustomer: boolean;
  now: number;
  size: State['size'];
};

/** The state before any store has answered: enough for a first frame. */
export const initialState = (
  engine: Pick<Engine, 'environment' | 'production' | 'readOnlyBy' | 'refreshMs' | 'checks'>,
  stores: readonly StoreStatus[],
  options: StartOptions,
): State => ({
  environment: engine.environment,
  production: engine.production,
  readOnlyBy: engine.readOnlyBy,
  writableUntil: null,
  endedEarly: false,
  color: options.color,
  standIns: options.standIns,
  canCustomer: options.canCustomer,
  checks: engine.checks,
  stores,
  now: options.now,
  size: options.size,
  view: 'overview',
  current: {},
  lists: Object.fromEntries(
    engine.checks.map(check => [
      check.id,
      emptyList(check.id, check.kind === 'device-sessions' ? 'sessions' : 'findings'),
    ]),
  ),
  overview: 0,
  runs: {
    items: null,
    run: null,
    awaited: false,
    top: 0,
    loading: false,
    askedAt: null,
    answeredAt: null,
    error: null,
  },
  guards: noGuardsRead,
  mode: {name: 'browse'},
  customer: null,
  paused: false,
  refreshMs: engine.refreshMs,
  trends: {},
  refusals: null,
  ticket: 0,
  toast: null,
});

export const checkInfo = (state: State, id: string): CheckInfo =>
  state.checks.find(check => check.id === id)!;

export const withList = (state: State, list: List): State => ({
  ...state,
  lists: {...state.lists, [list.check]: list},
});
