/** The dialogs that can write: carrying out a plan, and lifting production's read-only. */
import type {ReactElement} from 'react';
import {displayWidth, sanitise} from '../source/sanitise.js';
import {type Asking, type Field, missing} from '../source/state/asking.js';
import {type ModeOf, willChange} from '../source/state/modes.js';
import {readOnlyText} from '../source/state/read-only.js';
import type {State} from '../source/state/state.js';
import {tablesOf} from './changes.js';
import {button} from './dialogs.js';
import {ago, count, plural} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Span, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import type {ViewProps} from './view.js';

/** Lines that stay or go together: where there is no room for all, those with the lowest `need` go first. */
type Part = {lines: Line[]; need: number};

const NEEDED = 9;
const blank = (): Part => ({lines: [[]], need: 0});
const needed = (line: Line): Part => ({lines: [line], need: NEEDED});
const told = (need: number, text: string, width: number, style: Style): Part => ({
  lines: wrap(text, width - 4).map(part => [span(`  ${part}`, style)]),
  need,
});

/** The lines that fit: buttons and fields are never among those that go. */
const fitting = (parts: Part[], height: number): Line[] => {
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

const fieldLine = (mode: Asking, index: number, width: number): Line => {
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

const fieldLines = (state: State, mode: Asking, width: number): Part[] =>
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

const buttonLines = (mode: Asking, label: string, hint: string): Part[] => [
  blank(),
  needed(['  ', ...button('Cancel', mode.focus === 'cancel'), '   ', ...button(label, mode.focus === 'run')]),
  blank(),
  {lines: [onwardLine(mode, label)], need: mode.told ? NEEDED : 7},
  {lines: [[span(mode.armed ? `  ${hint}` : '  One moment…', 'dim')]], need: 1},
];

const whatText = ({origin}: ModeOf<'confirm'>): {title: string; what: string} => {
  if (origin.undoes) return {title: 'Take this run back?', what: `take back run ${origin.undoes}`};
  const what = `${origin.action} on ${origin.check}`;
  return origin.resumes
    ? {title: 'Finish this run?', what: `${what}, run ${origin.resumes}`}
    : {title: 'Carry out this plan?', what};
};

const runLabel = ({origin, plan}: ModeOf<'confirm'>): string => {
  if (origin.undoes) return `Undo ${plural(plan.planned, 'change')}`;
  if (!origin.resumes) return `Make ${plural(plan.planned, 'change')}`;
  const left = willChange(plan);
  return left === 0 ? 'Close the run' : `Make the ${plural(left, 'change')} left`;
};

/** A plan is of the data as it was: what has changed since is skipped. */
export const ageText = (state: State, at: number): string | null =>
  state.now - at > Math.max(state.refreshMs, 10_000)
    ? `Planned ${ago(at, state.now)}: rows that have changed since will be skipped.`
    : null;

const confirmLines = (state: State, mode: ModeOf<'confirm'>, width: number): Part[] => {
  const {plan, origin} = mode;
  const {title, what} = whatText(mode);
  const changes = origin.resumes
    ? `${count(willChange(plan))} of ${plural(plan.planned, 'change')} left`
    : plural(plan.planned, 'change');
  const where: Span = span(state.environment, state.production ? 'bad' : 'bold');
  const age = ageText(state, mode.at);
  return [
    needed([span(title, 'bold')]),
    blank(),
    {lines: [[`  ${what}`]], need: 8},
    needed([`  ${changes} to ${tablesOf(plan.changes) || origin.check}, in `, where]),
    told(2, 'Each row is backed up first; the run can be taken back under Runs.', width, 'plain'),
    ...(age === null ? [] : [told(4, age, width, 'warn')]),
    ...(state.readOnlyBy === null ? [] : [told(8, readOnlyText(state.readOnlyBy), width, 'bad')]),
    ...(mode.fields.length > 0 ? [blank()] : []),
    ...fieldLines(state, mode, width),
    ...buttonLines(mode, runLabel(mode), 'Tab or arrows move, Enter presses, Esc goes back to the plan.'),
  ];
};

export const ConfirmView = ({state, width, height}: ViewProps): ReactElement | null =>
  state.mode.name === 'confirm' ? (
    <Lines
      lines={fitting(confirmLines(state, state.mode, width), height)}
      width={width}
      color={state.color}
    />
  ) : null;

const about =
  'Production is read-only unless it is lifted. Then plans can be run here, each after its own confirmation. :readonly ends it early.';

const unlockLines = (state: State, mode: ModeOf<'unlock'>, width: number): Part[] => [
  needed([
    span('Allow writing in ', 'bold'),
    span(state.environment, 'bad'),
    span(' for 15 minutes?', 'bold'),
  ]),
  blank(),
  told(2, about, width, 'plain'),
  blank(),
  needed(fieldLine(mode, 0, width)),
  ...buttonLines(mode, 'Allow it', 'Tab or arrows move, Enter presses, Esc goes back.'),
];

export const UnlockView = ({state, width, height}: ViewProps): ReactElement | null =>
  state.mode.name === 'unlock' ? (
    <Lines lines={fitting(unlockLines(state, state.mode, width), height)} width={width} color={state.color} />
  ) : null;
