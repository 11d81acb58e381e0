/** The lines above the body: the program and its stores, the views, the check that is shown, and its notice. */
import type {ReactElement} from 'react';
import {isWanting} from '../source/state/guards.js';
import {HEAD_LINES} from '../source/state/layout.js';
import type {List} from '../source/state/lists.js';
import {checksOf, type ViewInfo, views} from '../source/state/places.js';
import {currentCheck, currentList} from '../source/state/places-of-state.js';
import {canResume} from '../source/state/resumable.js';
import {shown} from '../source/state/shown.js';
import type {State} from '../source/state/state.js';
import type {CheckInfo} from '../source/types.js';
import {answersLine, customerLine} from './customer-head.js';
import {ago, count, duration, plural, tally} from './format.js';
import {guardsLine, guardsNotice} from './guards-head.js';
import {Lines} from './lines.js';
import {type Line, lineWidth, type Span, span, spread} from './paint.js';
import {symbols} from './symbols.js';

const storeText = (state: State): Line => {
  const down = state.stores.filter(store => store.state === 'down');
  const up = state.stores.filter(store => store.state === 'up').length;
  if (down.length > 0) {
    return [
      span(`${symbols.bad} ${down.map(store => store.store).join(', ')} down`, 'bad'),
      `, ${up} of ${state.stores.length} up`,
    ];
  }
  return [
    up === state.stores.length
      ? `${plural(up, 'store')} up`
      : `${up} of ${plural(state.stores.length, 'store')} up`,
  ];
};

/** The environment; while production's read-only is lifted, for how long it still is. */
const environmentSpan = (state: State): Span => {
  const {environment, production, writableUntil, now} = state;
  if (writableUntil === null || writableUntil <= now)
    return span(environment, production ? 'badge' : 'accent');
  const seconds = (writableUntil - now) / 1000;
  const left = seconds < 60 ? seconds : Math.ceil(seconds / 60) * 60;
  return span(`${environment}: writing for ${duration(left)}`, 'alarm');
};

const titleLine = (state: State, width: number): Line => {
  const ways = ['stand-ins, not real servers  ', 'stand-ins  '].map(text => titleWith(state, text));
  const {left, right} = ways.find(way => lineWidth(way.left) + lineWidth(way.right) < width) ?? ways[1]!;
  return spread(left, right, width);
};

/** The two ends of the title; where there is little room, the views say what `standIns` is about. */
const titleWith = (state: State, standIns: string): {left: Line; right: Line} => ({
  left: [span('sesstui', 'bold'), '  ', environmentSpan(state), '  ', ...storeText(state)],
  right: [
    state.standIns ? span(standIns, 'warn') : '',
    state.readOnlyBy !== null ? span('read-only  ', 'warn') : '',
    state.paused ? span('PAUSED', 'badge') : `every ${duration(state.refreshMs / 1000)}`,
  ],
});

/** Findings of a view's checks: what is healthy among the devices is none; of the guards, those that are wanting. */
const found = (state: State, view: ViewInfo): number | null => {
  if (view.id === 'guards') return state.guards.items?.filter(isWanting).length ?? null;
  const checks = checksOf(view.id, state.checks);
  const totals = checks.map(check => state.lists[check.id]?.summary?.total);
  return checks.length === 0 || totals.some(total => total === undefined)
    ? null
    : totals.reduce((sum: number, total) => sum + (total ?? 0), 0);
};

/** The views, with what they hold where there is room for it (this one alone, or none); on a narrow screen the others are their keys. */
const viewsLine = (state: State, width: number): Line => {
  const ways = [
    viewSpans(state, 'all', true),
    viewSpans(state, 'here', true),
    viewSpans(state, 'none', true),
    viewSpans(state, 'none', false),
  ];
  return ways.find(line => lineWidth(line) <= width) ?? ways.at(-1)!;
};

const viewSpans = (state: State, counts: 'all' | 'here' | 'none', titles: boolean): Line =>
  views.map(view => {
    const isCounted = counts === 'all' || (counts === 'here' && view.id === state.view);
    const total = isCounted ? found(state, view) : null;
    const label = `${view.key} ${view.title}${total === null || total === 0 ? '' : ` ${count(total)}`}`;
    return view.id === state.view ? span(`[${label}]`, 'cursor') : ` ${titles ? label : view.key} `;
  });

const lookedText = (state: State, list: List): string => {
  if (list.answeredAt === null) return list.error ? 'never read' : 'looking…';
  return `looked ${ago(list.answeredAt, state.now)}`;
};

const checkLine = (state: State, check: CheckInfo, list: List, width: number): Line => {
  const {summary} = list;
  const sessions =
    summary && list.source === 'sessions' && list.total !== null
      ? `; ${plural(list.total - summary.total, 'session')}`
      : '';
  const reasons = tally(summary?.byReason ?? {});
  const findings = summary
    ? `${plural(summary.total, 'finding')}${reasons ? `: ${reasons}` : ''}${sessions}`
    : '';
  return spread(
    [span(check.id, 'bold'), `  ${findings}`],
    [span(` ${lookedText(state, list)}`, 'dim')],
    width,
  );
};

/** What is special about what is shown: an error, a filter, an order, a stand-in. */
const noticeLine = (state: State, check: CheckInfo, list: List): Line => {
  // A list that was never read says so in its own place.
  if (list.error && list.total === null) return [];
  if (list.error) {
    const held =
      list.answeredAt === null
        ? ''
        : `; this is from ${ago(list.answeredAt, state.now)}, nothing is planned on it`;
    return [span(`${symbols.bad} ${list.error.message}${held}`, 'bad')];
  }
  const parts: string[] = [];
  const rows = shown(list);
  const some = list.total !== null && rows.loaded < list.total;
  const over = some ? ` over loaded ${count(rows.loaded)} of ${count(list.total ?? 0)}` : '';
  if (list.filter !== '') parts.push(`filter “${list.filter}”${over}: ${plural(rows.count, 'row')}`);
  if (list.sort !== null) parts.push(`sorted by ${list.sort}${list.reversed ? ', reversed' : ''}${over}`);
  if (parts.length > 0) return [span(parts.join('; '), 'accent')];
  const checks = checksOf(state.view, state.checks);
  const place =
    checks.length > 1
      ? `check ${checks.indexOf(check) + 1} of ${checks.length}: [ and ] go to the others`
      : '';
  const standIn = state.stores.find(store => store.store === check.store)?.standIn;
  const notes = [place, standIn ? `stand-in: ${standIn.replace(/^stand-in: /, '')}` : '']
    .filter(Boolean)
    .join('; ');
  return notes === '' ? [] : [span(notes, 'dim')];
};

const historyLine = (state: State, width: number): Line => {
  const {runs} = state;
  const looked = runs.answeredAt === null ? '' : `read ${ago(runs.answeredAt, state.now)}`;
  const total = runs.items ? plural(runs.items.length, 'run') : '';
  return spread([span('Runs', 'bold'), `  ${total}, newest first`], [span(looked, 'dim')], width);
};

/** Runs that nobody has finished, and what to do about them. */
const unfinishedLine = ({runs}: State): Line => {
  const count = (runs.items ?? []).filter(canResume).length;
  if (count === 0) return [];
  const some = plural(count, 'run is not finished', 'runs are not finished');
  return [span(`${symbols.warning} ${some}: r finishes what is left, u takes it back`, 'bad')];
};

const overviewLine = (state: State): Line => {
  const summaries = state.checks
    .map(check => state.lists[check.id]?.summary)
    .filter(summary => summary !== undefined);
  const known = summaries.filter(summary => summary !== null);
  const total = known.reduce((sum, summary) => sum + summary.total, 0);
  const failing = state.checks.filter(check => state.lists[check.id]?.error).length;
  const answered = `${known.length} of ${plural(state.checks.length, 'check')} answered`;
  if (known.length < state.checks.length || failing > 0) {
    return [
      `${plural(total, 'finding')} so far; ${answered}`,
      failing > 0 ? span(`, ${failing} with an error`, 'bad') : '',
    ];
  }
  return total === 0
    ? [span(`${symbols.good} All systems healthy: ${plural(known.length, 'check')}, nothing found.`, 'good')]
    : [`${plural(total, 'finding')} in ${plural(known.length, 'check')}`];
};

export const Head = ({state, width}: {state: State; width: number}): ReactElement => {
  const check = currentCheck(state);
  const list = currentList(state);
  const third: Line =
    state.view === 'overview'
      ? overviewLine(state)
      : state.view === 'runs'
        ? historyLine(state, width)
        : state.view === 'guards'
          ? guardsLine(state, width)
          : check && list
            ? checkLine(state, check, list, width)
            : [];
  const fourth: Line =
    state.view === 'runs'
      ? unfinishedLine(state)
      : state.view === 'guards'
        ? guardsNotice(state, width)
        : check && list
          ? noticeLine(state, check, list)
          : [];
  const place =
    state.customer === null ? [third, fourth] : [customerLine(state, width), answersLine(state, width)];
  const lines: Line[] = [titleLine(state, width), viewsLine(state, width), ...place];
  return <Lines lines={lines.slice(0, HEAD_LINES)} width={width} color={state.color} />;
};
