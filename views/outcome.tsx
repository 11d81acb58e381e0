/** A plan before it runs, while it is made, while it runs, and what came of it. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import type {ModeOf, Origin} from '../source/state/modes.js';
import type {State} from '../source/state/state.js';
import type {Plan, Progress, RunResult} from '../source/types.js';
import {ChangesTable, firstShown, tablesOf} from './changes.js';
import {count, duration, plural, tally} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import type {ViewProps} from './view.js';

const titleOf = (origin: Origin): string =>
  origin.undoes ? `undo of run ${origin.undoes}` : `${origin.action} on ${origin.check}`;

const phases: Record<Progress['phase'], string> = {
  planning: 'planning',
  backup: 'writing the backup',
  changes: 'making the changes',
  waiting: 'waiting',
  looking: 'looking again',
};

const progressText = (progress: Progress | null): string =>
  progress === null
    ? 'starting'
    : `${phases[progress.phase]}: ${count(progress.done)}${progress.total === null ? '' : ` of ${count(progress.total)}`}`;

export const PlanningView = ({state, width}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'planning') return null;
  const doing = mode.reading
    ? 'The data is older than a refresh, so it is read again first…'
    : `${progressText(mode.progress)}…`;
  const lines: Line[] = [
    [span(`Planning ${titleOf(mode.origin)}`, 'bold')],
    [],
    [`  ${doing}`],
    ['  Nothing is changed by this.'],
  ];
  return <Lines lines={lines} width={width} color={color} />;
};

const countOps = (plan: Plan): string => {
  const counts: Record<string, number> = {};
  for (const change of plan.changes) {
    const name = change.result === 'skipped' ? 'skipped' : change.op;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return tally(counts);
};

const noteLines = (notes: readonly string[], width: number): Line[] =>
  notes.flatMap(note =>
    wrap(note, width - 4).map(
      (text, index): Line => [span(`${index === 0 ? symbols.warning : ' '} ${text}`, 'warn')],
    ),
  );

/** At most `most` lines, the last of them saying how many more there are. */
const upTo = (lines: Line[], most: number): Line[] =>
  lines.length <= most
    ? lines
    : [...lines.slice(0, most - 1), [span(`  … ${lines.length - most + 1} more lines`, 'dim')]];

const keptLines = ({action, keeps = []}: Origin, width: number): Line[] =>
  keeps.flatMap(key =>
    wrap(`You keep ${key} instead of the ${action === 'keep-first' ? 'first' : 'latest'}.`, width).map(
      (text): Line => [span(text, 'accent')],
    ),
  );

const planLines = (state: State, mode: ModeOf<'plan'>, width: number, height: number): Line[] => {
  const {plan, origin} = mode;
  const tables = tablesOf(plan.changes);
  const estimate =
    plan.estimatedRows === null ? '' : ` (about ${plural(plan.estimatedRows, 'row')} in the check’s table)`;
  const third = Math.max(2, Math.floor(height / 3));
  const statements = plan.statements.flatMap(text =>
    wrap(text, width - 2).map((line): Line => [span(`  ${line}`, 'accent')]),
  );
  const shownOf =
    plan.changes.length < plan.planned ? `; the first ${count(plan.changes.length)} are shown` : '';
  return [
    [span(`Plan: ${titleOf(origin)}`, 'bold')],
    [
      `${plural(plan.planned, 'change')}${tables ? ` to ${tables}${estimate}` : ''}: ${countOps(plan) || 'nothing to do'}${shownOf}`,
    ],
    ...upTo(keptLines(origin, width), 3),
    ...upTo(noteLines(plan.notes, width), third),
    ...(statements.length > 0 ? [[span('What will run:', 'dim')]] : []),
    ...upTo(statements, third),
    ...(state.readOnly
      ? [[span('Read-only: not run here. Headless with --confirm, or readOnly: false, does.', 'bad')]]
      : []),
  ];
};

export const PlanView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'plan') return null;
  const lines = planLines(state, mode, width, height);
  const {changes} = mode.plan;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Lines lines={lines} width={width} color={color} />
      {changes.length > 0 && (
        <ChangesTable
          changes={changes}
          kind="plan"
          top={mode.top}
          height={height - lines.length}
          width={width}
          color={color}
        />
      )}
    </Box>
  );
};

const bar = (progress: Progress | null, width: number): string => {
  const share = progress?.total ? Math.min(1, progress.done / progress.total) : 0;
  const full = Math.floor(share * width);
  return `${symbols.bar.repeat(full)}${symbols.rest.repeat(width - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
};

/** The time left, if it goes on as it went. */
const left = (state: State, mode: ModeOf<'running'>): string => {
  const {progress} = mode;
  const seconds = (state.now - mode.since) / 1000;
  if (!progress?.total || progress.done === 0 || seconds < 2) return 'estimating the time left';
  return `about ${duration((seconds * (progress.total - progress.done)) / progress.done)} left`;
};

const resultTally = (counts: Record<'applied' | 'skipped' | 'failed' | 'unknown', number>): Line => {
  const part = (name: keyof typeof counts, style: Style): Line[number] =>
    span(`${count(counts[name])} ${name}`, counts[name] > 0 ? style : 'dim');
  return [
    part('applied', 'good'),
    ', ',
    part('skipped', 'warn'),
    ', ',
    part('failed', 'bad'),
    ', ',
    part('unknown', 'warn'),
  ];
};

export const RunningView = ({state, width}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'running') return null;
  const lines: Line[] = [
    [span(`Running ${titleOf(mode.origin)}`, 'bold')],
    [],
    [`  ${bar(mode.progress, Math.min(60, width - 12))}`],
    [`  ${progressText(mode.progress)}, ${left(state, mode)}`],
    ['  ', ...resultTally(mode.outcomes)],
    [],
    mode.stopping
      ? [span('  Stopping after this chunk: what it does is written down first.', 'warn')]
      : [span('  Ctrl-C stops after the chunk that it is at.', 'dim')],
  ];
  return <Lines lines={lines} width={width} color={color} />;
};

const resultLines = (mode: ModeOf<'results'>, width: number, height: number): Line[] => {
  const {result, origin} = mode;
  const rest = remaining(result);
  return [
    [span(`${headline(result)}: ${titleOf(origin)}`, 'bold')],
    [...resultTally(result), ` of ${plural(result.planned, 'planned change')}`],
    rest === null ? [] : [span(rest.text, rest.style)],
    [
      span(
        result.run === null ? 'Nothing was written.' : `Run ${result.run}; 7 and then u takes it back.`,
        'dim',
      ),
    ],
    ...upTo(noteLines(result.notes, width), Math.max(2, Math.floor(height / 4))),
  ];
};

const headline = (result: RunResult): string => {
  if (result.interrupted) return 'Stopped';
  return result.failed + result.unknown > 0 ? 'Ended with faults' : 'Done';
};

const remaining = ({remaining: left}: RunResult): {text: string; style: Style} | null => {
  if (left === null) return null;
  return left === 0
    ? {text: `${symbols.good} Looked again: nothing of this kind is left.`, style: 'good'}
    : {
        text: `Looked again: ${plural(left, 'finding')} of this kind ${left === 1 ? 'is' : 'are'} left.`,
        style: 'warn',
      };
};

export const ResultsView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'results') return null;
  const lines = resultLines(mode, width, height);
  const {changes} = mode.result;
  const room = height - lines.length;
  const from = firstShown(mode.top, changes.length, room);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Lines lines={lines} width={width} color={color} />
      {changes.length > 0 && (
        <ChangesTable changes={changes} kind="result" top={from} height={room} width={width} color={color} />
      )}
    </Box>
  );
};

/** Something that could not be done: the message, and what to do. */
export const FailureView = ({state, width}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'failure') return null;
  const lines: Line[] = [
    [span(`${symbols.bad} ${mode.title}`, 'bad')],
    [],
    ...wrap(mode.error.message, width - 4).map((text): Line => [`  ${text}`]),
    ...wrap(mode.error.hint, width - 4).map((text): Line => [span(`  ${text}`, 'accent')]),
    [],
    [span(`  (${mode.error.code})`, 'dim')],
  ];
  return <Lines lines={lines} width={width} color={color} />;
};
