/** The columns of the runs: as wide as what is in them where there is room, so that nothing is cut beside a gap. */

import {displayWidth, sanitise} from '../source/sanitise.js';
import type {RunState, RunSummary} from '../source/types.js';
import {moment} from './format.js';
import type {Style} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, type TableColumn, tableWidth} from './table.js';

export type RunColumn = TableColumn & {cell: (run: RunSummary, selected: boolean) => Cell};
/** `least`: how narrow it may become. */
type Wanted = RunColumn & {least?: number};

export const stateStyle: Record<RunState, Style> = {
  done: 'good',
  interrupted: 'bad',
  undone: 'dim',
  failed: 'bad',
};

/** Without colour, too, a run that is not finished is told from the others. */
const stateCell = (run: RunSummary): Cell => ({
  text: run.state === 'interrupted' ? run.state.toUpperCase() : run.state,
  style: stateStyle[run.state],
});

const number = (id: 'applied' | 'skipped' | 'failed' | 'unknown' | 'planned'): Wanted => ({
  id,
  title: id[0]!.toUpperCase() + id.slice(1),
  width: 0,
  align: 'right',
  cell: run => ({text: String(run[id])}),
});

const text = (id: string, title: string, least: number, of: (run: RunSummary) => string): Wanted => ({
  id,
  title,
  width: 0,
  least,
  cell: run => ({text: of(run)}),
});

const when = (of: (run: RunSummary) => string): Wanted => ({
  id: 'at',
  title: 'When (UTC)',
  width: 0,
  cell: run => ({text: of(run)}),
});
/** To the second: two runs of one minute are told apart. The year is what a narrow screen can do without. */
const longWhen = when(run => moment(run.at));
const shortWhen = when(run => moment(run.at).replace(/^\d{4}-(?=\d\d-)/, ''));

const base: Wanted[] = [
  {id: 'mark', title: '', width: 1, cell: (_, selected) => ({text: selected ? symbols.cursor : ''})},
  shortWhen,
  text('check', 'Check', 12, run => run.check),
  text('action', 'Action', 8, run => (run.undoes ? 'undo' : run.action)),
  {id: 'state', title: 'State', width: 0, cell: stateCell},
  number('applied'),
];

/** Where there is room, in this order: who and why, then the numbers that the details have, too. */
const who: Wanted[] = [text('by', 'By', 12, run => run.by), text('note', 'Note', 12, run => run.note ?? '')];
const numbers: Wanted[] = [number('failed'), number('unknown'), number('skipped'), number('planned')];

/** A longer note than this leaves room for the numbers. */
const LONGEST_WHO = 40;

type Sized = Wanted & {needs: number};

const sized = (column: Wanted, runs: readonly RunSummary[]): Sized => {
  const texts = [column.title, ...runs.map(run => column.cell(run, true).text)];
  const needs = Math.max(1, ...texts.map(item => displayWidth(sanitise(item))));
  return {...column, needs, width: Math.min(needs, column.least ?? needs)};
};

/** The columns with what is spare given to those that are cut, the first ones first; none becomes wider than `most`. */
const grown = (columns: readonly Sized[], width: number, most = Number.POSITIVE_INFINITY): Sized[] => {
  let spare = Math.max(0, width - tableWidth(columns));
  return columns.map(column => {
    const more = Math.max(0, Math.min(spare, Math.min(column.needs, most) - column.width));
    spare -= more;
    return {...column, width: column.width + more};
  });
};

/** The columns for these runs, in exactly `width` (less only where even the narrowest do not fit). */
export const runColumns = (runs: readonly RunSummary[], width: number): RunColumn[] => {
  let columns = base.map(column => sized(column, runs));
  // The narrowest screens do without the number that the details have, too.
  if (tableWidth(columns) > width) columns = columns.filter(({id}) => id !== 'applied');
  columns = grown(columns, width);
  const withYear = columns.map(column => (column.id === 'at' ? sized(longWhen, runs) : column));
  if (tableWidth(withYear) <= width) columns = withYear;
  const add = (wanted: readonly Wanted[]): void => {
    for (const column of wanted) {
      const next = [...columns, sized(column, runs)];
      if (tableWidth(next) <= width) columns = next;
    }
  };
  add(who);
  columns = grown(columns, width, LONGEST_WHO);
  add(numbers);
  columns = grown(columns, width);
  const left = width - tableWidth(columns);
  const last = columns.some(({id}) => id === 'note') ? 'note' : 'check';
  return columns.map(column =>
    column.id === last ? {...column, width: Math.max(1, column.width + left)} : column,
  );
};
