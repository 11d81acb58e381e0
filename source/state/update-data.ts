/** What answers from the stores and the passing of time do to the state. */
import {arrive, fail, verify} from './arrive.js';
import {tableHeight} from './layout.js';
import type {List} from './lists.js';
import type {Effect, Message} from './messages.js';
import {currentList} from './places-of-state.js';
import {withRunInView} from './runs-window.js';
import {type State, withList} from './state.js';
import {type Step, step} from './step.js';
import {pagesInView, pagesNeeded, prune} from './window.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

const LONGEST_PAUSE_MS = 60_000;

/** Asks for pages, and notes that they were asked for: a page is never asked for twice at a time. */
export const ask = (state: State, list: List, pages: readonly number[]): Step => {
  const wanted = pages.filter(page => !list.loading.includes(page));
  if (wanted.length === 0) return step(state);
  const next: List = {...list, loading: [...list.loading, ...wanted], askedAt: state.now};
  return step(withList(state, next), {effect: 'load', check: list.check, pages: wanted});
};

/** Looks at the rows on the screen again now, whatever the interval. */
export const lookAgain = (state: State, check: string): Step => {
  const list = state.lists[check]!;
  return ask(state, list, pagesFor(state, list));
};

const pagesFor = (state: State, list: List): number[] =>
  currentList(state)?.check === list.check ? pagesInView(list, tableHeight(state)) : [0];

/** The pause before a check is looked at again: longer after each error in a row. */
export const pauseMs = (state: State, list: List): number =>
  Math.min(Math.max(LONGEST_PAUSE_MS, state.refreshMs), state.refreshMs * 2 ** Math.min(list.failures, 8));

const isDue = (state: State, list: List): boolean =>
  list.loading.length === 0 && (list.askedAt === null || state.now - list.askedAt >= pauseMs(state, list));

/** Time went on: what is due is looked at again, unless the refresh is paused (what never came is asked for). */
export const tick = (state: State, now: number): Step => {
  let next: State = {...state, now, toast: state.toast && state.toast.until > now ? state.toast : null};
  const effects: Effect[] = [];
  for (const list of Object.values(next.lists)) {
    if ((next.paused && list.askedAt !== null) || !isDue(next, list)) continue;
    const asked = ask(next, list, pagesFor(next, list));
    next = asked.state;
    effects.push(...asked.effects);
  }
  const {runs} = next;
  const old = runs.askedAt === null || now - runs.askedAt >= next.refreshMs;
  if (next.view === 'runs' && !runs.loading && old && (!next.paused || runs.askedAt === null)) {
    const asked = askHistory(next);
    return step(asked.state, ...effects, ...asked.effects);
  }
  return step(next, ...effects);
};

export const askHistory = (state: State): Step =>
  state.runs.loading
    ? step(state)
    : step({...state, runs: {...state.runs, loading: true, askedAt: state.now}}, {effect: 'history'});

/** After a move: pages that came into view are asked for, ghosts that were left are forgotten. */
export const moved = (state: State, list: List): Step => {
  const height = tableHeight(state);
  const pruned = prune(list, height);
  return ask(withList(state, pruned), pruned, pagesNeeded(pruned, height, state.refreshMs));
};

export const loaded = (state: State, message: Of<'loaded'>): Step => {
  const list = state.lists[message.check];
  if (!list) return step(state);
  const height = tableHeight(state);
  const {list: next, unsure} = arrive(list, message, height);
  const now = Math.max(state.now, message.now);
  const held = withList({...state, now}, next);
  const more =
    currentList(state)?.check === list.check
      ? ask(held, next, pagesNeeded(next, height, state.refreshMs))
      : step(held);
  return unsure.length === 0
    ? more
    : step(more.state, ...more.effects, {effect: 'verify', check: list.check, ids: unsure});
};

export const loadFailed = (state: State, message: Of<'load-failed'>): Step => {
  const list = state.lists[message.check];
  return list ? step(withList(state, fail(list, message.page, message.error))) : step(state);
};

export const verified = (state: State, message: Of<'verified'>): Step => {
  const list = state.lists[message.check];
  return list ? step(withList(state, verify(list, message.asked, message.there))) : step(state);
};

export const history = (state: State, message: Of<'history'>): Step => {
  const {runs} = state;
  const items = message.runs;
  const isThere = items.some(item => item.run === runs.run);
  // An answer to a question from before the run does not have it: the next one will.
  const awaited = runs.awaited && !isThere;
  const run = isThere || awaited ? runs.run : (items[0]?.run ?? null);
  const askedAt = awaited ? null : runs.askedAt;
  const next = {...runs, items, run, awaited, askedAt, loading: false, answeredAt: message.now, error: null};
  return step(withRunInView({...state, runs: next}));
};

export const historyFailed = (state: State, message: Of<'history-failed'>): Step =>
  step({...state, runs: {...state.runs, loading: false, error: message.error}});
