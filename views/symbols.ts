/** The few symbols of the screen. Where a terminal has no Unicode, `figures` puts plainer ones. */
import figures from 'figures';

export const symbols = {
  mark: figures.bullet,
  cursor: '>',
  good: figures.tick,
  bad: figures.cross,
  warning: figures.warning,
  arrow: figures.arrowRight,
  bar: '█',
  rest: '░',
  pending: '…',
  line: figures.line,
} as const;
