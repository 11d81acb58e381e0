/** What came of a run. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import type {Customer} from '../source/state/customer.js';
import {wantingOf} from '../source/state/guards.js';
import type {ModeOf} from '../source/state/modes.js';
import type {State} from '../source/state/state.js';
import type {RunResult} from '../source/types.js';
import {ChangesTable, firstShown} from './changes.js';
import {verdictLines} from './customer.js';
import {count, plural} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Style, span} from './paint.js';
import {symbols} from './symbols.js';
import {faultLines, noteLines, resultTally, titleOf, upTo} from './told.js';
import type {ViewProps} from './view.js';

const resultLines = (state: State, mode: ModeOf<'results'>, width: number, height: number): Line[] => {
  const {customer} = state;
  const {result, origin} = mode;
  const rest = remaining(result);
  const looked =
    origin.unblocks && customer
      ? customerLines(customer, width)
      : [rest ? [span(rest.text, rest.style)] : []];
  return [
    [span(`${headline(result)}: ${titleOf(origin)}`, 'bold')],
    [...resultTally(result), ` of ${plural(result.planned, 'planned change')}`],
    ...looked,
    [
      span(
        result.run === null ? 'Nothing was written.' : `Run ${result.run}: 7 and then u takes it back.`,
        'dim',
      ),
    ],
    ...unfinishedLines(result),
    ...guardLines(state, mode),
    ...upTo(faultLines(result.faults ?? [], width), Math.max(2, Math.floor(height / 4))),
    ...upTo(noteLines(result.notes, width), Math.max(2, Math.floor(height / 4))),
  ];
};

/** What would keep it from coming back, where that is missing. */
const guardLines = (state: State, {origin, result}: ModeOf<'results'>): Line[] => {
  if (origin.undoes || origin.unblocks || result.applied === 0) return [];
  const names = wantingOf(state, result.check).map(item => item.guard);
  if (names.length === 0) return [];
  const what = names.length === 1 ? 'guard' : 'guards';
  return [[span(`6: install the ${what} ${names.join(', ')}, so that it does not come back.`, 'accent')]];
};

/** What became of the customer; what other customers have left of this kind says nothing of that. */
const customerLines = (customer: Customer, width: number): Line[] =>
  customer.looking && customer.report?.blocked !== false
    ? [[span('Looking at the customer again…', 'dim')]]
    : [['Looked again:'], ...verdictLines(customer, width)];

/** What is left open, and how it is closed. */
const unfinishedLines = ({run, unknown, interrupted}: RunResult): Line[] => {
  if (run === null) return [];
  const lines: Line[] = [];
  if (unknown > 0)
    lines.push([span(`${count(unknown)} unknown, found out by reading: sesstui resume ${run}`, 'warn')]);
  if (interrupted) lines.push([span('Stopped before its end: 7 and then r finishes it.', 'warn')]);
  return lines;
};

const headline = (result: RunResult): string => {
  if (result.interrupted) return 'Stopped';
  return result.failed + result.unknown + (result.faults?.length ?? 0) > 0 ? 'Ended with faults' : 'Done';
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
  const lines = resultLines(state, mode, width, height);
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
