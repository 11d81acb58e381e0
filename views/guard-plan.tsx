/** What an install or uninstall is going to do, before anybody is asked: every step with its exact statements. */
import type {ReactElement} from 'react';
import type {GuardPlan} from '../source/guards.js';
import {countFindings, type GuardRequest} from '../source/state/guards.js';
import type {ModeOf} from '../source/state/modes.js';
import {readOnlyText} from '../source/state/read-only.js';
import type {State} from '../source/state/state.js';
import {ago, plural, tally} from './format.js';
import {windowed} from './help.js';
import {Lines} from './lines.js';
import {type Line, span, wrap} from './paint.js';
import {scriptLines} from './script-lines.js';
import {symbols} from './symbols.js';
import {noteLines, upTo} from './told.js';
import type {ViewProps} from './view.js';

/** `install unique, sort-trigger on registry/duplicates` */
export const guardTitleOf = ({check, direction, guards}: GuardRequest, plan?: GuardPlan): string => {
  const names = plan?.guards ?? guards;
  return `${direction} ${names === null ? 'the guards' : names.join(', ')} on ${check}`;
};

export const GuardPlanningView = ({state, width}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'guard-planning') return null;
  const lines: Line[] = [
    [span(`Planning: ${guardTitleOf(mode.request)}`, 'bold')],
    [],
    ['  Looking at what is there and what is in the way…'],
    ['  Nothing is changed by this.'],
  ];
  return <Lines lines={lines} width={width} color={color} />;
};

const findingLines = ({plan}: ModeOf<'guard-plan'>, width: number): Line[] => {
  const found = countFindings(plan);
  if (found === 0) return [];
  const what = `${plural(found, 'finding is', 'findings are')} in the way (${tally(plan.findings)})`;
  const text = plan.clean
    ? `${what}: cleaned in the same go, each row backed up first, undoable under Runs. c leaves them.`
    : `${what}, so it is refused. c cleans them in the same go.`;
  return wrap(text, width - 2).map(
    (part, index): Line => [
      span(`${index === 0 ? symbols.warning : ' '} ${part}`, plan.clean ? 'accent' : 'bad'),
    ],
  );
};

const stepLines = ({steps}: GuardPlan, width: number): Line[] =>
  steps.flatMap(({guard, text, statements}, index) => [
    ...wrap(`${index + 1}. ${guard}: ${text}`, width - 2).map((part): Line => [span(part, 'bold')]),
    ...statements.flatMap(statement => scriptLines(statement, width, 5)),
  ]);

/** Above the steps, which scroll: what it is, what is in the way, and why it may not be run. */
const headLines = (state: State, mode: ModeOf<'guard-plan'>, width: number, height: number): Line[] => {
  const {plan, at} = mode;
  const old = state.now - at > Math.max(state.refreshMs, 10_000);
  const age = old ? `; planned ${ago(at, state.now)}, and looked at again when it is carried out` : '';
  const what = plan.steps.length === 0 ? 'Nothing is left to do' : plural(plan.steps.length, 'step');
  return [
    [span(`Plan: ${guardTitleOf(mode.request, plan)}`, 'bold')],
    ...wrap(`${what}${age}`, width).map((text): Line => [text]),
    ...findingLines(mode, width),
    ...upTo(noteLines(plan.notes, width), Math.max(2, Math.floor(height / 4))),
    ...(state.readOnlyBy === null
      ? []
      : wrap(readOnlyText(state.readOnlyBy), width).map((text): Line => [span(text, 'bad')])),
    ...(plan.steps.length > 0 ? [[span('What will run:', 'dim')]] : []),
  ];
};

export const GuardPlanView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'guard-plan') return null;
  const head = headLines(state, mode, width, height);
  const steps = windowed(stepLines(mode.plan, width), mode.top, Math.max(2, height - head.length));
  return <Lines lines={[...head, ...steps].slice(0, height)} width={width} color={color} />;
};
