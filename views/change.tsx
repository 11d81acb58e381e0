/** One change of a plan in full: what its row is, what it becomes, and every value to its end. */
import type {ReactElement} from 'react';
import {keyText, plainText} from '../source/state/filter.js';
import type {ShownChange} from '../source/types.js';
import type {Json} from '../source/values.js';
import {count} from './format.js';
import {windowed} from './help.js';
import {Lines} from './lines.js';
import {type Line, type Style, span, wrap} from './paint.js';
import type {ViewProps} from './view.js';

/** Longer values are for the plan's file: a screen would be pages of them. */
const LONGEST = 8000;

const valueLines = (name: string, value: Json, width: number, style: Style): Line[] => {
  const text = value === null ? 'null' : plainText(value);
  const more = text.length > LONGEST ? [`… and ${count(text.length - LONGEST)} more characters`] : [];
  return [
    [span(`  ${name}`, 'bold')],
    ...[...wrap(text.slice(0, LONGEST), width - 6), ...more].map((part): Line => [`    `, span(part, style)]),
  ];
};

const partLines = (
  title: string,
  values: Record<string, Json> | null,
  width: number,
  style: Style,
): Line[] => {
  if (values === null) return [];
  const names = Object.entries(values);
  return [
    [],
    [span(title, 'dim')],
    ...names.flatMap(([name, value]) => valueLines(name, value, width, style)),
  ];
};

const changeLines = (change: ShownChange, title: string, width: number): Line[] => {
  const {result, why, error} = change;
  const said = result === 'planned' ? '' : `${result}${why || error ? `: ${why ?? error}` : ''}`;
  return [
    [span(title, 'bold')],
    ...wrap(keyText(change.key), width - 2).map((text): Line => [`  ${text}`]),
    ...(said === '' ? [] : wrap(said, width - 2).map((text): Line => [span(`  ${text}`, 'warn')])),
    ...partLines('What is there now:', change.before, width, 'bad'),
    ...partLines('What will be there:', change.after, width, 'good'),
    ...(change.after === null ? [[], [span('The row goes.', 'bad')]] : []),
  ];
};

export const ChangeView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'change') return null;
  const {plan, row} = mode.from;
  const change = plan.changes[row];
  if (!change) return null;
  const title = `Change ${count(row + 1)} of ${count(plan.planned)}: ${change.op} in ${change.table}`;
  const lines = windowed(changeLines(change, title, width), mode.top, height);
  return <Lines lines={lines} width={width} color={color} />;
};
