/** Where the user is: the view's check and its list, and how to get to the next. */
import type {CheckInfo} from '../types.js';
import type {List} from './lists.js';
import type {Mode} from './modes.js';
import {checksOf, type ViewId, views} from './places.js';
import type {State} from './state.js';

/** The check that a view shows; undefined where it has none. */
export const currentCheck = (state: State, view: ViewId = state.view): CheckInfo | undefined => {
  const checks = checksOf(view, state.checks);
  return checks.find(check => check.id === state.current[view]) ?? checks[0];
};

export const currentList = (state: State): List | undefined => {
  const check = currentCheck(state);
  return check && state.lists[check.id];
};

/** The view this many places after the current one, around the end. */
export const viewAfter = (state: State, by: number): ViewId => {
  const index = views.findIndex(view => view.id === state.view);
  return views[(index + by + views.length) % views.length]!.id;
};

/** The state at the next or previous check of the view; at the next or previous view after the last of them. */
export const atCheckAfter = (state: State, by: 1 | -1): State => {
  const checks = checksOf(state.view, state.checks);
  const here = checks.findIndex(check => check.id === currentCheck(state)?.id);
  const next = checks[here + by];
  if (here >= 0 && next) return {...state, current: {...state.current, [state.view]: next.id}};
  const view = viewAfter(state, by);
  const there = checksOf(view, state.checks);
  const entry = by > 0 ? there[0] : there.at(-1);
  return {...state, view, current: entry ? {...state.current, [view]: entry.id} : state.current};
};

/** Where dialogs and overlays lead back to: the customer that is open, else what was browsed. */
export const home = ({customer}: State): Mode => (customer === null ? {name: 'browse'} : {name: 'customer'});
