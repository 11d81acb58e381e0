/** The dialog that asks before guards are installed or taken away. */
import type {ReactElement} from 'react';
import {countFindings} from '../source/state/guards.js';
import type {ModeOf} from '../source/state/modes.js';
import {readOnlyText} from '../source/state/read-only.js';
import type {State} from '../source/state/state.js';
import {blank, buttonLines, fieldLines, fitting, needed, type Part, told} from './asking.js';
import {plural} from './format.js';
import {guardTitleOf} from './guard-plan.js';
import {Lines} from './lines.js';
import {span} from './paint.js';
import type {ViewProps} from './view.js';

const runLabel = ({from: {plan}}: ModeOf<'guard-confirm'>): string => {
  if (plan.direction === 'uninstall') return 'Uninstall';
  return plan.clean && countFindings(plan) > 0 ? 'Clean and install' : 'Install';
};

/** What it means: what is cleaned first, or what can happen again. */
const meaning = ({from: {plan}}: ModeOf<'guard-confirm'>): string[] => {
  if (plan.direction === 'uninstall')
    return plan.before
      .filter(({guard}) => plan.guards.includes(guard))
      .map(({prevents}) => `It can happen again then: ${prevents}`);
  const found = countFindings(plan);
  return found === 0
    ? ['Writers go on meanwhile; then it refuses faulty writes, or puts them right.']
    : [
        `${plural(found, 'finding is', 'findings are')} cleaned with it: each row is backed up first, and the runs can be taken back under Runs.`,
        'Writers go on meanwhile; then it refuses faulty writes, or puts them right.',
      ];
};

const confirmLines = (state: State, mode: ModeOf<'guard-confirm'>, width: number): Part[] => {
  const {request, plan} = mode.from;
  return [
    needed([span(plan.direction === 'install' ? 'Install this?' : 'Take this away?', 'bold')]),
    blank(),
    told(8, guardTitleOf(request, plan), width, 'plain'),
    needed([
      `  ${plural(plan.steps.length, 'step')}, in `,
      span(state.environment, state.production ? 'bad' : 'bold'),
    ]),
    ...meaning(mode).map(text => told(4, text, width, plan.direction === 'install' ? 'plain' : 'warn')),
    ...(state.readOnlyBy === null ? [] : [told(8, readOnlyText(state.readOnlyBy), width, 'bad')]),
    ...(mode.fields.length > 0 ? [blank()] : []),
    ...fieldLines(state, mode, width),
    ...buttonLines(mode, runLabel(mode), 'Tab or arrows move, Enter presses, Esc goes back to the plan.'),
  ];
};

export const GuardConfirmView = ({state, width, height}: ViewProps): ReactElement | null =>
  state.mode.name === 'guard-confirm' ? (
    <Lines
      lines={fitting(confirmLines(state, state.mode, width), height)}
      width={width}
      color={state.color}
    />
  ) : null;
