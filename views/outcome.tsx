/** A plan while it is made, before it runs and while it runs, and what could not be done. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import {type ModeOf, type Origin, willChange} from '../source/state/modes.js';
import {readOnlyText} from '../source/state/read-only.js';
import type {State} from '../source/state/state.js';
import type {Plan, Progress} from '../source/types.js';
import {ChangesTable, tablesOf} from './changes.js';
import {ageText} from './confirm.js';
import {count, duration, plural, tally} from './format.js';
import {Lines} from './lines.js';
import {type Line, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import {noteLines, resultTally, titleOf, upTo} from './told.js';
import type {ViewProps} from './view.js';

const phases: Record<Progress['phase'], string> = {
  planning: 'planning',
  backup: 'writing the backup',
  changes: 'making the changes',
  waiting: 'waiting for the server',
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
    const name = change.result === 'planned' ? change.op : change.result;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return tally(counts);
};

/** What an interrupted run had done by the time it stopped, and what is left of it. */
const resumeLines = ({origin, plan}: ModeOf<'plan'>): Line[] => {
  if (!origin.resumes) return [];
  const left = willChange(plan);
  return left === 0
    ? [[span('Nothing is left to change: going on closes the run.', 'good')]]
    : [[span(`${plural(left, 'change is', 'changes are')} left to make.`, 'accent')]];
};

const followingLines = ({unblocks}: Origin): Line[] =>
  unblocks && unblocks.rest.length > 0
    ? [
        [
          span(
            `${plural(unblocks.rest.length, 'more plan follows', 'more plans follow')} it, asked for apart.`,
            'accent',
          ),
        ],
      ]
    : [];

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
    plan.estimatedRows === null || origin.undoes || origin.resumes
      ? ''
      : ` (about ${plural(plan.estimatedRows, 'row')} in the check’s table)`;
  const third = Math.max(2, Math.floor(height / 3));
  const age = ageText(state, mode.at);
  const statements = plan.statements.flatMap(text =>
    wrap(text, width - 2).map((line): Line => [span(`  ${line}`, 'accent')]),
  );
  const shownOf =
    !origin.resumes && plan.changes.length < plan.planned
      ? `; the first ${count(plan.changes.length)} are shown`
      : '';
  const what = `${plural(plan.planned, 'change')}${tables ? ` to ${tables}${estimate}` : ''}: ${countOps(plan) || 'nothing to do'}${shownOf}`;
  return [
    [span(`Plan: ${titleOf(origin)}`, 'bold')],
    ...wrap(what, width).map((text): Line => [text]),
    ...resumeLines(mode),
    ...followingLines(origin),
    ...upTo(keptLines(origin, width), 3),
    ...upTo(noteLines(plan.notes, width), third),
    ...(statements.length > 0 ? [[span('What will run:', 'dim')]] : []),
    ...upTo(statements, third),
    ...(age === null ? [] : [[span(age, 'warn')]]),
    ...(state.readOnlyBy === null
      ? []
      : wrap(readOnlyText(state.readOnlyBy), width).map((text): Line => [span(text, 'bad')])),
  ];
};

export const PlanView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'plan') return null;
  const lines = planLines(state, mode, width, height);
  const {changes} = mode.plan;
  const room = height - lines.length;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Lines lines={lines} width={width} color={color} />
      {changes.length > 0 && (
        <ChangesTable
          changes={changes}
          kind="plan"
          top={mode.row - Math.floor(Math.max(1, room - 3) / 2)}
          cursor={mode.row}
          height={room}
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

const waitingLines = (progress: Progress | null, width: number): Line[] =>
  progress?.phase === 'waiting' && progress.text
    ? wrap(progress.text, width - 6).map(
        (text, index): Line => [span(`  ${index === 0 ? symbols.warning : ' '} ${text}`, 'warn')],
      )
    : [];

export const RunningView = ({state, width}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'running') return null;
  const lines: Line[] = [
    [span(`Running ${titleOf(mode.origin)}`, 'bold')],
    [],
    [`  ${bar(mode.progress, Math.min(60, width - 12))}`],
    [`  ${progressText(mode.progress)}, ${left(state, mode)}`],
    ['  ', ...resultTally(mode.outcomes)],
    ...waitingLines(mode.progress, width),
    [],
    mode.stopping
      ? [span('  Stopping after this chunk: what it does is written down first.', 'warn')]
      : [span('  Ctrl-C stops after the chunk that it is at.', 'dim')],
  ];
  return <Lines lines={lines} width={width} color={color} />;
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
