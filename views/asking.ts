/** The parts of a dialog that can write: its fields, its buttons, and how to go on from where the focus is. */
import {displayWidth, sanitise} from '../source/sanitise.js';
import {type Asking, type Field, missing} from '../source/state/asking.js';
import type {State} from '../source/state/state.js';
import {button} from './dialogs.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';

/** Lines that stay or go together: where there is no room for all, those with the lowest `need` go first. */
export type Part = {lines: Line[]; need: number};

const NEEDED = 9;
export const blank = (): Part => ({lines: [[]], need: 0});
export const needed = (line: Line): Part => ({lines: [line], need: NEEDED});
export const told = (need: number, text: string, width: number, style: Style): Part => ({
  lines: wrap(text, width - 4).map(part => [span(`  ${part}`, style)]),
  need,
});

/** The lines that fit: buttons and fields are never among those that go. */
export const fitting = (parts: Part[], height: number): Line[] => {
  let kept = parts;
  while (kept.reduce((sum, {lines}) => sum + lines.length, 0) > height) {
    const least = Math.min(...kept.map(({need}) => need));
    if (least === NEEDED) break;
    const last = kept.findLastIndex(({need}) => need === least);
    kept = kept.filter((_, index) => index !== last);
  }
  return kept.flatMap(({lines}) => lines);
};

/** The end of a text that is too long for its place: that is where it is typed. */
const tail = (text: string, width: number): string => {
  const characters = Array.from(sanitise(text));
  while (displayWidth(characters.join('')) > Math.max(1, width)) characters.shift();
  return characters.join('');
};

export const fieldLine = (mode: Asking, index: number, width: number): Line => {
  const field = mode.fields[index]!;
  const isMissing = missing(mode).includes(index);
  const takesText = typeof mode.focus === 'number' ? mode.focus === index : missing(mode)[0] === index;
  const label: Line =
    field.kind === 'exact'
      ? ['Type ', span(field.expected, 'bold'), ' : ']
      : ['Why (required, for the audit log) : '];
  const used = label.reduce((sum, item) => sum + (typeof item === 'string' ? item : item.text).length, 0);
  return [
    mode.focus === index ? span(`${symbols.cursor} `, 'accent') : '  ',
    ...label,
    span(`${tail(field.text, width - used - 6)}${takesText ? '_' : ''}`, isMissing ? 'accent' : 'good'),
    isMissing ? '' : span(` ${symbols.good}`, 'good'),
  ];
};

/** Why a text is asked for, in a sentence: the reason comes without a beginning and an end. */
const whyText = ({environment}: State, {expected, why}: {expected: string; why: string}): string =>
  expected === environment ? `${environment} asks for its name: ${why}.` : `Asked for because ${why}.`;

export const fieldLines = (state: State, mode: Asking, width: number): Part[] =>
  mode.fields.flatMap((field: Field, index) => [
    ...(field.kind === 'exact' ? [told(3, whyText(state, field), width, 'dim')] : []),
    needed(fieldLine(mode, index, width)),
  ]);

/** How to go on from where the focus is, in keys. */
const onwardText = (mode: Asking, label: string): string => {
  const open = missing(mode);
  const next = mode.fields[open[0]!];
  const last = `Enter goes on to ${label}, and Enter again presses it.`;
  if (typeof mode.focus === 'number') {
    if (open.length === 0) return last;
    if (!open.includes(mode.focus)) return 'Enter goes on to the next field.';
    return mode.fields[mode.focus]?.kind === 'note' ? 'Say why, then Enter.' : 'Type it exactly, then Enter.';
  }
  if (next)
    return next.kind === 'note'
      ? 'To go on, say why, then Enter.'
      : `To go on, type ${next.expected}, then Enter.`;
  if (mode.focus === 'cancel') return `To go on: Tab to ${label}, then Enter.`;
  return mode.settling ? 'One moment…' : `Enter presses ${label}.`;
};

const onwardLine = (mode: Asking, label: string): Line => {
  if (!mode.armed) return [];
  return mode.told
    ? [span(`  ${symbols.warning} ${mode.told}`, 'bad')]
    : [span(`  ${onwardText(mode, label)}`, 'accent')];
};

export const buttonLines = (mode: Asking, label: string, hint: string): Part[] => [
  blank(),
  needed(['  ', ...button('Cancel', mode.focus === 'cancel'), '   ', ...button(label, mode.focus === 'run')]),
  blank(),
  {lines: [onwardLine(mode, label)], need: mode.told ? NEEDED : 7},
  {lines: [[span(mode.armed ? `  ${hint}` : '  One moment…', 'dim')]], need: 1},
];
