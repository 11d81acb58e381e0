/** One guard in full: what it prevents, its state and why, and the scripts that put it in and take it away. */
import type {ReactElement} from 'react';
import type {GuardInfo} from '../source/guards.js';
import {guardHere} from '../source/state/guards.js';
import {guardTitle, preventsLines, whyLines} from './guards.js';
import {windowed} from './help.js';
import {Lines} from './lines.js';
import {type Line, span, wrap} from './paint.js';
import {scriptLines} from './script-lines.js';
import type {ViewProps} from './view.js';

const script = (title: string, text: string, width: number): Line[] =>
  text === '' ? [] : [[], [span(title, 'bold')], ...scriptLines(text, width)];

const optIn = 'Opt-in: it is installed only when it is asked for by its name, as x does here.';

const guardLines = (guard: GuardInfo, width: number): Line[] => [
  guardTitle(guard, width),
  ...preventsLines(guard, width),
  ...whyLines(guard, width),
  ...(guard.optIn ? wrap(optIn, width - 4).map((text): Line => [span(`  ${text}`, 'accent')]) : []),
  ...script('What installs it, also without sesstui:', guard.up, width),
  ...script('What takes it away:', guard.down, width),
  ...(guard.up === '' && guard.down === '' ? [[], [span('There is no script for it here.', 'dim')]] : []),
];

export const GuardDetailsView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'guard-details') return null;
  const guard = guardHere(state);
  const lines = guard ? guardLines(guard, width) : [['This guard is not there any more. Esc goes back.']];
  return <Lines lines={windowed(lines, mode.top, height)} width={width} color={color} />;
};
