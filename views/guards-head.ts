/** The two lines above the guards: how many are there, and what is to be done or is being kept out. */
import {faultyWritesText} from '../source/faulty-writes.js';
import {guardHere, isWanting} from '../source/state/guards.js';
import type {State} from '../source/state/state.js';
import {ago, plural, tally} from './format.js';
import {type Line, lineWidth, span, spread} from './paint.js';
import {symbols} from './symbols.js';

/** How many there are of each state, and when they were read. */
export const guardsLine = ({guards, now}: State, width: number): Line => {
  const items = guards.items ?? [];
  const counts: Record<string, number> = {};
  for (const {state} of items) counts[state] = (counts[state] ?? 0) + 1;
  const looked = guards.answeredAt === null ? '' : `read ${ago(guards.answeredAt, now)}`;
  return spread([span('Guards', 'bold'), `  ${tally(counts)}`], [span(` ${looked}`, 'dim')], width);
};

/** Whether what they are there for is kept out; an error of the last reading comes before that. */
const noticeOf = ({guards}: State): Line => {
  const items = guards.items ?? [];
  if (items.length === 0) return [];
  if (guards.error) return [span(`${symbols.bad} ${guards.error.message}`, 'bad')];
  const unread = items.filter(item => item.error);
  if (unread.length > 0) {
    const checks = [...new Set(unread.map(item => item.check))].join(', ');
    const some = plural(unread.length, 'guard is', 'guards are');
    return [span(`${symbols.bad} ${some} not known, of ${checks}: the row says why`, 'bad')];
  }
  const wanting = items.filter(isWanting).length;
  return wanting > 0
    ? [span(`${symbols.warning} ${plural(wanting, 'guard')} to install: x one, X its check’s`, 'warn')]
    : [span(`${symbols.good} What can be kept out is kept out: the stores refuse it themselves.`, 'good')];
};

/** Under the demo's traffic: what became of the faulty writes to the store of the guard that the user is at. */
const writesOf = (state: State): Line => {
  const check = guardHere(state)?.check;
  const store = state.checks.find(({id}) => id === check)?.store;
  const writes = store === undefined ? undefined : state.refusals?.[store];
  return writes ? [span(faultyWritesText(writes), writes.refused > 0 ? 'good' : 'accent')] : [];
};

/** Both where there is room; what one watches comes before what there is to do, and an error before that. */
export const guardsNotice = (state: State, width: number): Line => {
  const notice = noticeOf(state);
  const writes = writesOf(state);
  if (lineWidth(writes) === 0) return notice;
  if (lineWidth(notice) + lineWidth(writes) < width) return spread(notice, writes, width);
  return state.guards.error ? notice : writes;
};
