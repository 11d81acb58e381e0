/** An install or uninstall while it runs, and what came of it. */
import type {ReactElement} from 'react';
import type {GuardResult} from '../source/guards.js';
import type {ModeOf} from '../source/state/modes.js';
import {duration, plural} from './format.js';
import {guardState} from './guard-columns.js';
import {guardTitleOf} from './guard-plan.js';
import {windowed} from './help.js';
import {Lines} from './lines.js';
import {type Line, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import {noteLines} from './told.js';
import type {ViewProps} from './view.js';

/** The steps around the one that it is at. What was done twice, because rows came meanwhile, is at its last time. */
const stepLines = ({plan, step}: ModeOf<'guard-running'>, room: number): Line[] => {
  const top = Math.max(0, Math.min(step - Math.floor(room / 2), plan.steps.length - room));
  return plan.steps.slice(top, top + room).map(({guard, text}, offset): Line => {
    const index = top + offset;
    if (index < step) return [span(`  ${symbols.good} ${guard}: ${text}`, 'good')];
    return index === step
      ? [span(`  ${symbols.cursor} ${guard}: ${text}`, 'bold')]
      : [span(`  · ${guard}: ${text}`, 'dim')];
  });
};

export const GuardRunningView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'guard-running') return null;
  const {progress} = mode;
  const doing = progress ? `${progress.guard}: ${progress.text}` : 'starting';
  const below: Line[] = [
    [],
    ...wrap(doing, width - 4).map((text): Line => [span(`  ${text}`, 'accent')]),
    [span(`  for ${duration((state.now - mode.since) / 1000)}`, 'dim')],
    [],
    mode.stopping
      ? [
          span(
            '  Stopping after this step: what was done stays, and the next one goes on from there.',
            'warn',
          ),
        ]
      : [span('  Ctrl-C stops after the step that it is at.', 'dim')],
  ];
  const title: Line[] = [[span(`Running: ${guardTitleOf(mode.request, mode.plan)}`, 'bold')], []];
  const room = Math.max(1, height - title.length - below.length);
  const lines = [...title, ...stepLines(mode, Math.min(room, mode.plan.steps.length)), ...below];
  return <Lines lines={lines.slice(0, height)} width={width} color={color} />;
};

const headline = ({error, interrupted}: GuardResult): Line[number] => {
  if (error) return span(`${symbols.bad} Ended with an error`, 'bad');
  return interrupted ? span(`${symbols.warning} Stopped`, 'warn') : span(`${symbols.good} Done`, 'good');
};

/** What stopped it, what to do, and how it goes on. */
const openLines = ({error, interrupted, direction}: GuardResult, width: number): Line[] => {
  if (!error && !interrupted) return [];
  const told = error ? [[error.message, 'bad'] as const, [error.hint, 'accent'] as const] : [];
  const rest = `The next ${direction} goes on from what it finds. Rows that were mended stay so: each run can be taken back.`;
  return [...told, [rest, 'warn'] as const]
    .filter(([text]) => text !== '')
    .flatMap(([text, style]) => wrap(text, width - 4).map((part): Line => [span(`  ${part}`, style)]));
};

const stateLines = ({guards}: GuardResult, width: number): Line[] =>
  guards.flatMap(guard => {
    const {text, style = 'plain'} = guardState(guard);
    const why = guard.error?.message ?? guard.why;
    return [
      ['  ', span(text.padEnd(14), style), guard.guard],
      ...(why ? wrap(why, width - 18).map((part): Line => [span(`${' '.repeat(16)}${part}`, 'dim')]) : []),
    ];
  });

const runLines = ({runs}: GuardResult): Line[] =>
  runs.map(run => [span(`Run ${run} mended rows for it: 7 and then u takes it back.`, 'dim')]);

const resultLines = ({request, result}: ModeOf<'guard-results'>, width: number): Line[] => [
  [
    headline(result),
    span(`: ${guardTitleOf({...request, guards: result.guards.map(({guard}) => guard)})}`, 'bold'),
  ],
  ...openLines(result, width),
  [],
  ['As they are now:'],
  ...stateLines(result, width),
  [],
  ...runLines(result),
  ...noteLines(result.notes, width),
  [`${plural(result.steps.length, 'step')} done${result.steps.length > 0 ? ':' : '.'}`],
  ...result.steps.flatMap(({guard, text}) =>
    wrap(`${guard}: ${text}`, width - 4).map(
      (part, index): Line => [span(`${index === 0 ? `  ${symbols.good}` : '   '} ${part}`, 'dim')],
    ),
  ),
];

export const GuardResultsView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'guard-results') return null;
  return <Lines lines={windowed(resultLines(mode, width), mode.top, height)} width={width} color={color} />;
};
