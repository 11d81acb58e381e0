/** Runs: what was done, by whom, and whether it can be taken back. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import {canResume} from '../source/state/resumable.js';
import type {RunSummary} from '../source/types.js';
import {moment, plural} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {runColumns, stateStyle} from './run-columns.js';
import {symbols} from './symbols.js';
import {DataTable} from './table.js';
import type {ViewProps} from './view.js';

const emptyLines = (runs: ViewProps['state']['runs']): Line[] => {
  if (runs.error) {
    return [
      [span(`${symbols.bad} The runs could not be read: ${runs.error.message}`, 'bad')],
      [`  ${runs.error.hint}`],
    ];
  }
  if (runs.items === null) return [[span('Reading the runs…', 'dim')]];
  return [['Nothing has been changed yet. Each run will be here, and u takes it back.']];
};

export const RunsView = ({state, width, height}: ViewProps): ReactElement => {
  const {runs, color} = state;
  const items = runs.items ?? [];
  if (items.length === 0) return <Lines lines={[[], ...emptyLines(runs)]} width={width} color={color} />;
  const visible = items.slice(runs.top, runs.top + height - 3);
  const spec = runColumns(visible, width);
  const rows = visible.map(run => {
    const selected = run.run === runs.run;
    return {
      id: run.run,
      cells: Object.fromEntries(spec.map(column => [column.id, column.cell(run, selected)])),
      style: selected ? ('cursor' as const) : undefined,
    };
  });
  return (
    <Box flexDirection="column" flexShrink={0}>
      <DataTable columns={spec} rows={rows} color={color} />
    </Box>
  );
};

const unfinishedLines = ({run, state}: RunSummary, width: number): Line[] => {
  const why =
    state === 'interrupted'
      ? 'It was interrupted. r reads what became of its changes and finishes it; u takes back what it did.'
      : 'What became of the unknown changes is found out by reading the rows: r does.';
  return [
    [],
    ...wrap(why, width - 4).map((text): Line => [span(`  ${text}`, 'warn')]),
    [span(`  Headless: sesstui resume ${run} --yes`, 'dim')],
  ];
};

/** One run, in full. */
export const RunDetailsView = ({state, width}: ViewProps): ReactElement | null => {
  if (state.mode.name !== 'run-details') return null;
  const {run} = state.mode;
  const field = (name: string, value: string, style: Style = 'plain'): Line => [
    span(`  ${name.padEnd(10)}`, 'dim'),
    span(value, style),
  ];
  const lines: Line[] = [
    [span(`Run ${run.run}`, 'bold')],
    [],
    field('when', `${moment(run.at)} UTC`),
    field('by', run.by),
    field('check', run.check),
    field('action', run.action),
    ...(run.undoes ? [field('undoes', run.undoes)] : []),
    field('state', run.state, stateStyle[run.state]),
    field('planned', plural(run.planned, 'change')),
    field('applied', String(run.applied)),
    field('skipped', String(run.skipped)),
    field('failed', String(run.failed), run.failed > 0 ? 'bad' : 'plain'),
    field('unknown', String(run.unknown), run.unknown > 0 ? 'warn' : 'plain'),
    field('note', run.note ?? '–'),
    ...(run.stopped === undefined
      ? []
      : [
          [],
          ...wrap(`It was stopped: ${run.stopped}`, width - 4).map(
            (text): Line => [span(`  ${text}`, 'bad')],
          ),
        ]),
    ...(canResume(run) ? unfinishedLines(run, width) : []),
  ];
  return <Lines lines={lines} width={width} color={state.color} />;
};
