/** How a check's count went, for the overview. Its sign tells what its colour does: rising or falling. */
import {displayWidth} from '../source/sanitise.js';
import {type Trend, trendText} from '../source/trend.js';
import type {Style} from './paint.js';

/** The sparkline is as wide as this at most. */
export const LINE_COLUMNS = 12;
/** Room for a change of four digits. */
export const CHANGE_COLUMNS = 13;

/** Both texts are empty where nothing is known. */
export type TrendText = {line: string; change: string; style: Style};

const styleOf = (change: string): Style =>
  change.startsWith('+') ? 'bad' : change.startsWith('-') ? 'good' : 'dim';

export const trendOf = (trend: Trend | undefined, now: number): TrendText => {
  const {line, change} = trend ? trendText(trend, now) : {line: '', change: ''};
  return {line, change, style: styleOf(change)};
};

/** The change with what it is counted over, or without it where that does not fit. */
export const withUnit = (change: string, width: number): string =>
  displayWidth(change) <= width ? change : change.replace(/ in .*/, '');
