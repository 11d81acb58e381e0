/** Moving: the cursor of a list, of the overview, of the runs, and the scroll of a screen of text. */

import {atSession} from './customer.js';
import {atGuard, guardIndex, guardRows} from './guards.js';
import {tableHeight} from './layout.js';
import {currentList} from './places-of-state.js';
import {runIndex, withRunInView} from './runs-window.js';
import {findingOf, shown} from './shown.js';
import type {State} from './state.js';
import {type Step, step} from './step.js';
import {moved} from './update-data.js';
import {moveTo} from './window.js';

/** Where a key takes a cursor that is at `index` among `count` rows, `height` of them on the screen. */
const placeAfter = (command: string, index: number, count: number, height: number): number => {
  const last = Math.max(0, count - 1);
  const wanted = {
    up: index - 1,
    down: index + 1,
    'page-up': index - height,
    'page-down': index + height,
    first: 0,
    last,
  }[command];
  return Math.max(0, Math.min(last, wanted ?? index));
};

const moveRuns = (state: State, command: string): Step => {
  const {runs} = state;
  const items = runs.items ?? [];
  const index = placeAfter(command, runIndex(state), items.length, tableHeight(state));
  const run = items[index]?.run ?? null;
  return step(withRunInView({...state, runs: {...runs, run, awaited: false}}));
};

const moveBrowsing = (state: State, command: string): Step => {
  const height = tableHeight(state);
  if (state.view === 'overview') {
    return step({...state, overview: placeAfter(command, state.overview, state.checks.length, height)});
  }
  if (state.view === 'runs') return moveRuns(state, command);
  if (state.view === 'guards') {
    const count = state.guards.items?.length ?? 0;
    return step(atGuard(state, placeAfter(command, guardIndex(state), count, guardRows(state))));
  }
  const list = currentList(state);
  if (!list) return step(state);
  const index = placeAfter(command, list.cursor.index, shown(list).count, height);
  return moved(state, moveTo(list, index, height));
};

const moveRow = (state: State, command: string): Step => {
  const {mode} = state;
  if (mode.name !== 'details') return step(state);
  const rows = findingOf(state.lists[mode.check]!, mode.id)?.rows.length ?? 0;
  const row = placeAfter(command, mode.row, rows, tableHeight(state));
  return step({...state, mode: {...mode, row}});
};

/** The cursor of a plan. */
const moveChange = (state: State, command: string): Step => {
  const {mode} = state;
  if (mode.name !== 'plan') return step(state);
  const row = placeAfter(command, mode.row, mode.plan.changes.length, tableHeight(state));
  return step({...state, mode: {...mode, row}});
};

const moveCustomer = (state: State, command: string): Step => {
  const {customer} = state;
  if (customer === null) return step(state);
  const count = customer.report?.sessions.length ?? 0;
  const index = placeAfter(command, customer.cursor.index, count, Math.max(1, tableHeight(state) - 6));
  return step({...state, customer: atSession(customer, index)});
};

/** Texts scroll without a cursor; the view knows how many lines there are and stops at the last. */
const scroll = (state: State, command: string): Step => {
  const {mode} = state;
  if (!('top' in mode)) return step(state);
  const top =
    command === 'last'
      ? Number.MAX_SAFE_INTEGER
      : placeAfter(command, mode.top, Number.MAX_SAFE_INTEGER, tableHeight(state));
  return step({...state, mode: {...mode, top}});
};

/** Runs one of the commands of the category Move. */
export const move = (state: State, command: string): Step => {
  if (state.mode.name === 'browse') return moveBrowsing(state, command);
  if (state.mode.name === 'customer') return moveCustomer(state, command);
  if (state.mode.name === 'plan') return moveChange(state, command);
  return state.mode.name === 'details' ? moveRow(state, command) : scroll(state, command);
};

/** After the screen got another size: cursors stay on it. */
export const refit = (state: State): State => {
  const height = tableHeight(state);
  const lists = Object.fromEntries(
    state.checks.map(({id}) => [id, moveTo(state.lists[id]!, state.lists[id]!.cursor.index, height)]),
  );
  return withRunInView(atGuard({...state, lists}, guardIndex(state)));
};
