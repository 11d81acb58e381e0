/** The commands of browsing: marks, filter, order, refresh, views. Each takes the state and returns what follows. */

import {keyText, nameOf} from './filter.js';
import {tableHeight} from './layout.js';
import type {List} from './lists.js';
import {between, invert, markAll, markCounts, markNone, toggle} from './marks.js';
import {checksOf, type ViewId, viewOfKind} from './places.js';
import {atCheckAfter, currentCheck, currentList, viewAfter} from './places-of-state.js';
import {findingOf, shown, underCursor} from './shown.js';
import {nextSort} from './sort.js';
import {type State, withList} from './state.js';
import {inTurn, type Step, say, step} from './step.js';
import {askHistory, lookAgain, moved} from './update-data.js';
import {atWanting, copyGuard, openGuard, readGuards} from './update-guards.js';
import {moveTo, prune, settle} from './window.js';

type Command = (state: State) => Step;

/** A command on the list of the view; nothing where the view has none. */
const onList =
  (change: (list: List, state: State) => Step): Command =>
  state => {
    const list = currentList(state);
    return list ? change(list, state) : step(state);
  };

/** A change of the marks. */
const marking = (change: (list: List) => List): Command =>
  onList((list, state) => step(withList(state, prune(change(list), tableHeight(state)))));

const ruleMarks =
  'All are marked as one, so single rows can’t be taken out. A takes the marks away; a filter narrows.';

const mark = onList((list, state) => {
  const row = underCursor(list);
  if (!row) return step(state);
  if (list.marks.all) return step(say(state, ruleMarks));
  if (row.gone && !list.marks.ids.has(row.finding.id)) return step(say(state, 'This row is gone.'));
  return step(withList(state, prune(toggle(list, [row.finding]), tableHeight(state))));
});

const range = onList((list, state) => {
  if (list.marks.all) return step(say(state, ruleMarks));
  if (list.anchor === null) {
    const begun = withList(state, {...list, anchor: list.cursor.id});
    return step(
      list.cursor.id === null ? state : say(begun, 'Range begun: move, then v marks it. Esc gives it up.'),
    );
  }
  const from = shown(list).indexOf(list.anchor);
  const found = from < 0 ? [] : between(list, from, list.cursor.index);
  const wanted = found.filter(finding => !isIn(list, finding.id));
  return step(withList(state, {...toggle(list, wanted), anchor: null}));
});

const isIn = (list: List, id: string): boolean => !list.marks.all && list.marks.ids.has(id);

const everything = onList((list, state) => {
  const next = markAll(list);
  const {marked} = markCounts(next);
  if (marked === 0)
    return step(say(state, 'Nothing here can be marked all at once; Space marks a row by hand.'));
  const left = shown(list).count - marked;
  const held = withList(state, next);
  return step(
    left > 0 && !next.marks.all
      ? say(held, `${marked} marked; ${left} have no action, are loaded later, or are to be chosen by hand.`)
      : held,
  );
});

const clear = onList((list, state) => {
  if (list.anchor !== null) return step(withList(state, {...list, anchor: null}));
  if (list.filter !== '') return moved(state, settle({...list, filter: ''}, tableHeight(state)));
  return step(state);
});

const reorder = (change: (list: List) => List): Command =>
  onList((list, state) => moved(state, settle(change(list), tableHeight(state))));

const goTo = (state: State, view: ViewId): Step => {
  const next: State = {...state, view, mode: {name: 'browse'}};
  if (view === 'runs') return askHistory(next);
  if (view === 'guards') return readGuards(next);
  const list = currentList(next);
  return list ? moved(next, moveTo(list, list.cursor.index, tableHeight(next))) : step(next);
};

const toView =
  (view: ViewId): Command =>
  state =>
    goTo(state, view);

const toCheck =
  (by: 1 | -1): Command =>
  state => {
    const next = atCheckAfter(state, by);
    return goTo(next, next.view);
  };

const open: Command = state => {
  if (state.view === 'overview') {
    const check = state.checks[state.overview];
    if (!check) return step(state);
    const view = viewOfKind(check.kind);
    return goTo({...state, current: {...state.current, [view]: check.id}}, view);
  }
  if (state.view === 'runs') {
    const run = state.runs.items?.find(item => item.run === state.runs.run);
    return step(run ? {...state, mode: {name: 'run-details', run}} : state);
  }
  if (state.view === 'guards') return openGuard(state);
  const list = currentList(state);
  const row = list && underCursor(list);
  if (!row) return step(state);
  return step({...state, mode: {name: 'details', check: list.check, id: row.finding.id, row: 0, top: 0}});
};

const intervals = [1, 2, 5, 10, 15, 30, 60, 300].map(seconds => seconds * 1000);

const slower: Command = state => {
  const refreshMs = intervals.find(ms => ms > state.refreshMs) ?? state.refreshMs;
  return step(say({...state, refreshMs}, `Looks again every ${refreshMs / 1000} s.`));
};
const faster: Command = state => {
  const refreshMs = intervals.findLast(ms => ms < state.refreshMs) ?? state.refreshMs;
  return step(say({...state, refreshMs}, `Looks again every ${refreshMs / 1000} s.`));
};

const refresh: Command = state => {
  if (state.view === 'runs') return askHistory(state);
  if (state.view === 'guards') return readGuards(state);
  const checks = state.view === 'overview' ? state.checks : checksOf(state.view, state.checks);
  return checks.reduce((made, check) => inTurn(made, next => lookAgain(next, check.id)), step(state));
};

/** What `y` copies: the group of the finding, the key of the row in its details, the name of the run. */
const copied = (state: State): string | undefined => {
  const {mode} = state;
  if (mode.name === 'run-details') return mode.run.run;
  if (mode.name === 'details') {
    const row = findingOf(state.lists[mode.check]!, mode.id)?.rows[mode.row];
    return row && keyText(row.key);
  }
  if (state.view === 'runs') return state.runs.run ?? undefined;
  if (state.view === 'overview') return state.checks[state.overview]?.id;
  const list = currentList(state);
  const row = list && underCursor(list);
  return row && nameOf(row.finding);
};

const copy: Command = state => {
  if (state.view === 'guards') return copyGuard(state);
  const text = copied(state);
  return text === undefined ? step(state) : step(state, {effect: 'copy', text});
};

const withCheck =
  (mode: (check: string) => State['mode']): Command =>
  state => {
    const check = currentCheck(state);
    return step(check ? {...state, mode: mode(check.id)} : state);
  };

const leave: Command = state => {
  const marked = Object.values(state.lists).reduce((sum, list) => sum + markCounts(list).marked, 0);
  if (marked === 0) return step(state, {effect: 'quit', code: 0});
  return step({...state, mode: {name: 'quit', marked, focus: 'cancel'}});
};

export const browseCommands: Readonly<Record<string, Command>> = {
  mark,
  range,
  'mark-all': everything,
  'mark-none': marking(markNone),
  invert: marking(invert),
  open,
  clear,
  filter: withCheck(check => ({name: 'filter', check})),
  sort: reorder(list => ({...list, sort: nextSort(list.sort)})),
  reverse: reorder(list => ({...list, sort: list.sort ?? 'severity', reversed: !list.reversed})),
  pause: state => step({...state, paused: !state.paused}),
  refresh,
  slower,
  faster,
  copy,
  export: withCheck(check => ({name: 'export', check, index: 0})),
  'view-overview': toView('overview'),
  'view-duplicates': toView('duplicates'),
  'view-null-ids': toView('null-ids'),
  'view-stale': toView('stale'),
  'view-devices': toView('devices'),
  'view-guards': state => goTo(atWanting(state), 'guards'),
  'view-runs': toView('runs'),
  'next-view': state => goTo(state, viewAfter(state, 1)),
  'previous-view': state => goTo(state, viewAfter(state, -1)),
  'next-check': toCheck(1),
  'previous-check': toCheck(-1),
  palette: state => step({...state, mode: {name: 'palette', text: '', index: 0}}),
  help: state => step({...state, mode: {name: 'help', top: 0}}),
  leave,
};
