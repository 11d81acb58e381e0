/** A guard as a row: its state told by sign, word and colour, whose it is, and what it keeps from happening. */
import type {GuardInfo, GuardState} from '../source/guards.js';
import {displayWidth, sanitise} from '../source/sanitise.js';
import type {Style} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, type TableColumn, tableWidth} from './table.js';

type GuardColumn = TableColumn & {cell: (guard: GuardInfo, selected: boolean) => Cell};

const signs: Record<GuardState, string> = {
  installed: symbols.good,
  missing: symbols.bad,
  drifted: symbols.warning,
  unavailable: '–',
};

/** What the team chose not to have is no alarm. */
const guardStyle = ({state, optIn, error}: GuardInfo): Style => {
  if (error) return 'bad';
  if (state === 'missing') return optIn ? 'dim' : 'warn';
  return ({installed: 'good', drifted: 'bad', unavailable: 'dim'} as const)[state];
};

/** `✔ installed`: told apart without colour, too. */
export const guardState = (guard: GuardInfo): Cell => ({
  text: `${guard.state === 'missing' && guard.optIn ? '–' : signs[guard.state]} ${guard.state}`,
  style: guardStyle(guard),
});

/** Why the guard is as it is, or what it prevents; where its store could not be asked, what to do. */
const said = ({error, state, why, prevents, optIn}: GuardInfo): string => {
  if (error) return `${error.message}. ${error.hint}`;
  if (why !== null && state !== 'installed') return why;
  return `${optIn ? 'opt-in: ' : ''}${prevents}`;
};

/** Less than this is no place for a sentence; the lines below the table have the one of the guard at the cursor. */
const LEAST_SAID = 20;
/** A check's id says whose it is in its first letters. */
const LEAST_CHECK = 12;

const widest = (title: string, texts: readonly string[]): number =>
  Math.max(title.length, ...texts.map(text => displayWidth(sanitise(text))));

/** The columns for these guards, in exactly `width`: the sentence goes before a name is cut. */
export const guardColumns = (guards: readonly GuardInfo[], width: number): GuardColumn[] => {
  const state: GuardColumn = {id: 'state', title: 'State', width: 13, cell: guardState};
  const check: GuardColumn = {
    id: 'check',
    title: 'Check',
    width: Math.min(
      30,
      widest(
        'Check',
        guards.map(item => item.check),
      ),
    ),
    cell: guard => ({text: guard.check}),
  };
  const columns: GuardColumn[] = [
    {id: 'mark', title: '', width: 1, cell: (_, selected) => ({text: selected ? symbols.cursor : ''})},
    state,
    check,
    {
      id: 'guard',
      title: 'Guard',
      width: Math.min(
        24,
        widest(
          'Guard',
          guards.map(item => item.guard),
        ),
      ),
      cell: guard => ({text: guard.guard}),
    },
    {
      id: 'prevents',
      title: 'What it prevents',
      width: LEAST_SAID,
      cell: guard => ({text: said(guard), style: guard.error ? 'bad' : 'plain'}),
    },
  ];
  const kept = tableWidth(columns) > width ? columns.slice(0, -1) : columns;
  if (kept !== columns)
    kept.at(-1)!.cell = ({guard, optIn}) => ({text: `${guard}${optIn ? ' (opt-in)' : ''}`});
  const over = tableWidth(kept) - width;
  if (over > 0) check.width = Math.max(Math.min(LEAST_CHECK, check.width), check.width - over);
  const last = kept.at(-1)!;
  last.width = Math.max(1, last.width + width - tableWidth(kept));
  return kept;
};
