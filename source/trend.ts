/** How many findings a check had over time, and how that is told: a sparkline, and `+12 in 5 m`. */
import sparkly from 'sparkly';

/** A count as it was found at a moment (milliseconds since 1970, this machine's clock). */
export type TrendPoint = {at: number; total: number};

/** `points`: oldest first. */
export type Trend = {check: string; points: TrendPoint[]};

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** What a change is counted over, as nearly as there are points. */
const changeMs = 5 * minute;
/** Two looks of one moment are no trend. */
const leastMs = 10 * second;
const lineMs = hour;
const lineColumns = 12;

/** Points are kept for a day: each of the last minutes, and of what is older one in five minutes. */
const keptMs = 24 * hour;
const fineMs = 10 * minute;
const coarseMs = 5 * minute;

/** The points worth keeping, at most about 400: the last of each slot, five seconds wide at first. */
export const thinned = (points: TrendPoint[], now: number): TrendPoint[] => {
  const slots = new Map<string, TrendPoint>();
  for (const point of points) {
    const age = now - point.at;
    if (age > keptMs || age < -minute) continue;
    const width = age > fineMs ? coarseMs : 5 * second;
    slots.set(`${width} ${Math.floor(point.at / width)}`, point);
  }
  return [...slots.values()].sort((a, b) => a.at - b.at);
};

/** The count that was known at a moment; undefined before the first point. */
const knownAt = (points: TrendPoint[], at: number): TrendPoint | undefined =>
  points.findLast(point => point.at <= at);

/**
 * What is told of a trend. `change`: of the count, over the last `seconds` (since the point that is nearest to five
 * minutes old); `totals`: the counts of the last hour at most, in at most twelve steps, oldest first.
 */
export type TrendSummary = {change: number; seconds: number; totals: number[]};

/** null where the last look is older than five minutes, or there is only one. */
export const trendSummary = ({points}: Trend, now: number): TrendSummary | null => {
  const last = points.at(-1);
  const older = points.slice(0, -1);
  if (!last || older.length === 0 || now - last.at > changeMs) return null;
  const off = ({at}: TrendPoint): number => Math.abs(last.at - at - changeMs);
  const first = older.reduce((best, point) => (off(point) < off(best) ? point : best));
  const ms = last.at - first.at;
  if (ms < leastMs) return null;
  return {
    change: last.total - first.total,
    seconds: Math.round(ms / second),
    totals: steps(points, last.at),
  };
};

const steps = (points: TrendPoint[], end: number): number[] => {
  const first = points.find(({at}) => at > end - lineMs)!;
  const step = Math.max((end - first.at) / (lineColumns - 1), 5 * second);
  const count = Math.floor((end - first.at) / step) + 1;
  return Array.from({length: count}, (_, index) => end - (count - 1 - index) * step).map(
    at => (knownAt(points, at) ?? first).total,
  );
};

const spanText = (seconds: number): string =>
  seconds < 60
    ? `${seconds} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} m`
      : `${Math.round(seconds / 3600)} h`;

const signOf = (count: number): string => (count > 0 ? '+' : count < 0 ? '-' : '±');

/** `line`: at most twelve columns, the lowest is nothing found; `change`: `+12 in 5 m`. Both empty where nothing is known. */
export const summaryText = (summary: TrendSummary | null): {line: string; change: string} =>
  summary
    ? {
        line: sparkly(summary.totals, {minimum: 0}),
        change: `${signOf(summary.change)}${Math.abs(summary.change)} in ${spanText(summary.seconds)}`,
      }
    : {line: '', change: ''};

/** The same of a trend as it is now (milliseconds since 1970). */
export const trendText = (trend: Trend, now: number): {line: string; change: string} =>
  summaryText(trendSummary(trend, now));
