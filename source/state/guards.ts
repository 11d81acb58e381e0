/** The guards as the screen holds them: what was read of them, and which one the cursor is on. Pure. */
import type {GuardDirection, GuardInfo, GuardPlan} from '../guards.js';
import type {CheckError} from '../types.js';
import {bodyHeight, TABLE_LINES} from './layout.js';
import type {State} from './state.js';

export type Guards = {
  items: readonly GuardInfo[] | null;
  /** The guard under the cursor: by its name, so that it stays on it; `index` is where it was. */
  name: string | null;
  index: number;
  top: number;
  /** The number of the question that is under way: answers to earlier ones tell of the time before it. */
  question: number;
  loading: boolean;
  askedAt: number | null;
  answeredAt: number | null;
  error: CheckError | null;
};

export const noGuardsRead: Guards = {
  items: null,
  name: null,
  index: 0,
  top: 0,
  question: 0,
  loading: false,
  askedAt: null,
  answeredAt: null,
  error: null,
};

/** What an install or uninstall is wanted for. `guards`: null for those of the check that are not opt-in. */
export type GuardRequest = {
  check: string;
  direction: GuardDirection;
  guards: readonly string[] | null;
  /** Findings in the way are cleaned in the same go. */
  clean: boolean;
  /** The run of guards that it takes back or goes on with. */
  of?: {run: string; what: 'undo' | 'resume'};
};

/** The name of a guard among all of them. */
export const guardName = ({check, guard}: Pick<GuardInfo, 'check' | 'guard'>): string => `${check} ${guard}`;

/** The place of the guard under the cursor; where that one is not there any more, the place that it had. */
export const guardIndex = ({guards: {items, name, index}}: State): number => {
  const found = (items ?? []).findIndex(item => guardName(item) === name);
  return found >= 0 ? found : Math.max(0, Math.min(index, (items?.length ?? 1) - 1));
};

/** The guard that the user is at: of the details that are open, else of the row under the cursor. */
export const guardHere = (state: State): GuardInfo | undefined => {
  const {mode, guards} = state;
  if (mode.name === 'guard-details') return guards.items?.find(item => guardName(item) === mode.guard);
  return guards.items?.[guardIndex(state)];
};

/** Lines below the table that tell of the guard under the cursor. */
const PANE_LINES = 5;

/** Rows of guards that are on the screen at a time. */
export const guardRows = (state: State): number =>
  Math.max(3, Math.min(state.guards.items?.length ?? 1, bodyHeight(state) - TABLE_LINES - PANE_LINES));

/** The state with the cursor at a place, scrolled as little as it takes for it to be on the screen. */
export const atGuard = (state: State, index: number): State => {
  const item = state.guards.items?.[index];
  const height = guardRows(state);
  const last = Math.max(0, (state.guards.items?.length ?? 0) - height);
  const top = Math.max(0, Math.min(Math.max(Math.min(state.guards.top, index), index - height + 1), last));
  return {...state, guards: {...state.guards, index, top, name: item ? guardName(item) : state.guards.name}};
};

/** One that keeps nothing out at the moment though it could, and is not left to the team's choice. */
export const isWanting = ({state, optIn}: GuardInfo): boolean =>
  (state === 'missing' && !optIn) || state === 'drifted';

/** Those of a check, as far as they are known. */
export const wantingOf = ({guards: {items}}: State, check: string): GuardInfo[] =>
  (items ?? []).filter(item => item.check === check && isWanting(item));

/** How many findings are in the way of a plan. */
export const countFindings = ({findings}: Pick<GuardPlan, 'findings'>): number =>
  Object.values(findings).reduce((sum, count) => sum + count, 0);
