/** The two lines below the body: what is marked or was said, and the keys that are of use here. */
import type {ReactElement} from 'react';
import {guardIndex} from '../source/state/guards.js';
import {footerBindings, keyLabel} from '../source/state/keymap.js';
import {markCounts} from '../source/state/marks.js';
import {currentList} from '../source/state/places-of-state.js';
import {shown} from '../source/state/shown.js';
import type {State, Toast} from '../source/state/state.js';
import {count} from './format.js';
import {Lines} from './lines.js';
import {type Line, lineWidth, type Style, span, spread} from './paint.js';

const toneStyle: Record<Toast['tone'], Style> = {info: 'accent', good: 'good', bad: 'bad'};

const marksText = (state: State): string => {
  const list = currentList(state);
  if (!list) return '';
  const {marked, hidden} = markCounts(list);
  if (marked === 0) return list.anchor === null ? '' : 'range begun: v marks it';
  const gone = list.ghosts.filter(
    ghost => ghost.gone && !list.marks.all && list.marks.ids.has(ghost.finding.id),
  ).length;
  const word = list.marks.all ? `all ${count(marked)} marked` : `${count(marked)} marked`;
  return [word, hidden > 0 ? `${count(hidden)} hidden` : '', gone > 0 ? `${count(gone)} gone` : '']
    .filter(Boolean)
    .join(', ');
};

const placeText = (state: State): string => {
  if (state.view === 'guards' && state.mode.name === 'browse') {
    const guards = state.guards.items?.length ?? 0;
    return guards === 0 ? '' : `guard ${count(guardIndex(state) + 1)} of ${count(guards)}`;
  }
  const list = currentList(state);
  if (!list || state.mode.name !== 'browse') return '';
  const total = shown(list).count;
  return total === 0 ? '' : `row ${count(list.cursor.index + 1)} of ${count(total)}`;
};

/** The line with both its ends; null where there is no room for all of it. */
const spreadable = (left: Line, right: Line, width: number): Line | null =>
  lineWidth(left) + lineWidth(right) + 1 <= width ? spread(left, right, width) : null;

const saidLine = (state: State, width: number): Line => {
  const {mode, toast} = state;
  if (mode.name === 'filter') {
    return [span('/', 'accent'), state.lists[mode.check]?.filter ?? '', span('_', 'accent')];
  }
  const text = marksText(state);
  const marks: Line = text === '' ? [] : [span(text, 'accent'), toast ? '  ' : ''];
  const place: Line = [span(placeText(state), 'dim')];
  if (!toast) return spread(marks, place, width);
  // What was said is there for a moment, and comes before what can be seen afterwards.
  const said = span(toast.text, toneStyle[toast.tone]);
  const lines: Line[] = [
    spreadable([...marks, said], place, width),
    spreadable([said], place, width),
    [said],
  ].filter(line => line !== null);
  return lines[0]!;
};

/** As many keys as fit whole. */
const keysLine = (state: State, width: number): Line => {
  const line: Line[number][] = [];
  for (const binding of footerBindings(state)) {
    const item: Line = [span(keyLabel(binding.keys[0]!), 'bold'), ` ${binding.footer!.word}  `];
    if (lineWidth([...line, ...item]) > width + 2) break;
    line.push(...item);
  }
  return line;
};

export const Foot = ({state, width}: {state: State; width: number}): ReactElement => (
  <Lines lines={[saidLine(state, width), keysLine(state, width)]} width={width} color={state.color} />
);
