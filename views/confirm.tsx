/** The dialogs that can write: carrying out a plan, and lifting production's read-only. */
import type {ReactElement} from 'react';
import {type ModeOf, willChange} from '../source/state/modes.js';
import {readOnlyText} from '../source/state/read-only.js';
import type {State} from '../source/state/state.js';
import {blank, buttonLines, fieldLine, fieldLines, fitting, needed, type Part, told} from './asking.js';
import {tablesOf} from './changes.js';
import {ago, count, plural} from './format.js';
import {Lines} from './lines.js';
import {type Span, span} from './paint.js';
import type {ViewProps} from './view.js';

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
