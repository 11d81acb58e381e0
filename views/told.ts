/** What plans and runs are told with, in several places. */
import {shorten} from '../source/sanitise.js';
import type {Origin} from '../source/state/modes.js';
import {count} from './format.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';

/** What a plan or run is, in words. */
export const titleOf = (origin: Origin): string => {
  if (origin.undoes) return `undo of run ${origin.undoes}`;
  if (origin.resumes) return `the rest of run ${origin.resumes}`;
  const what = `${origin.action} on ${origin.check}`;
  if (!origin.unblocks) return what;
  const customer = shorten(origin.unblocks.customer, 40);
  return origin.check === '' ? `what unblocks ${customer}` : `${what} for ${customer}`;
};

const marked = (texts: readonly string[], symbol: string, style: Style, width: number): Line[] =>
  texts.flatMap(text =>
    wrap(text, width - 4).map((part, index): Line => [span(`${index === 0 ? symbol : ' '} ${part}`, style)]),
  );

export const noteLines = (notes: readonly string[], width: number): Line[] =>
  marked(notes, symbols.warning, 'warn', width);

export const faultLines = (faults: readonly string[], width: number): Line[] =>
  marked(faults, symbols.bad, 'bad', width);

/** At most `most` lines, the last of them saying how many more there are. */
export const upTo = (lines: Line[], most: number): Line[] =>
  lines.length <= most
    ? lines
    : [...lines.slice(0, most - 1), [span(`  … ${lines.length - most + 1} more lines`, 'dim')]];

export const resultTally = (counts: Record<'applied' | 'skipped' | 'failed' | 'unknown', number>): Line => {
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
