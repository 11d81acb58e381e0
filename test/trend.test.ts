/** A trend tells whether a leak goes on, in a line. */
import {expect, test} from 'vitest';
import {type TrendPoint, thinned, trendSummary, trendText} from '../source/trend.js';

const now = Date.UTC(2026, 10, 21, 12);
const minute = 60_000;
const ago = (minutes: number, total: number): TrendPoint => ({at: now - minutes * minute, total});
const textOf = (points: TrendPoint[]) => trendText({check: 'rides/stale-sessions', points}, now);

test('the change is counted since the point nearest to five minutes ago, and says how long that is', () => {
  expect(textOf([ago(30, 90), ago(5, 10), ago(2, 15), ago(0, 22)]).change).toBe('+12 in 5 m');
  expect(textOf([ago(9, 40), ago(6, 30), ago(0, 27)]).change).toBe('-3 in 6 m');
  expect(textOf([ago(23 * 60, 90), ago(0, 4)]).change).toBe('-86 in 23 h');
  expect(textOf([ago(8, 7), ago(0, 7)]).change).toBe('±0 in 8 m');
});

test('a younger trend is counted since its first point', () => {
  expect(textOf([ago(0.5, 4), ago(0, 6)]).change).toBe('+2 in 30 s');
  expect(textOf([ago(2, 4), ago(0, 6)]).change).toBe('+2 in 2 m');
});

test('one look, or looks of one moment, or old ones, are no trend', () => {
  const none = {line: '', change: ''};
  expect(textOf([])).toEqual(none);
  expect(textOf([ago(0, 4)])).toEqual(none);
  expect(textOf([ago(0.1, 3), ago(0, 4)])).toEqual(none);
  expect(textOf([ago(20, 3), ago(6, 4)])).toEqual(none);
});

test('the line shows the last hour in at most twelve columns, from nothing found to the most', () => {
  const rising = Array.from({length: 200}, (_, index) => ago(199 - index, index));
  const {line} = textOf(rising);
  expect([...line]).toHaveLength(12);
  expect(line.at(-1)).toBe('█');
  expect([...line]).toEqual([...line].sort());
  expect(trendSummary({check: 'a/b', points: rising}, now)!.totals.at(-1)).toBe(199);
  expect(textOf([ago(4, 0), ago(3, 0), ago(0, 0)]).line).toMatch(/^▁+$/);
});

test('what is kept is bounded: fine for ten minutes, coarse for a day, then nothing', () => {
  const day = Array.from({length: 3 * 24 * 60 * 30}, (_, index) => ({at: now - index * 2000, total: index}));
  const kept = thinned(day.reverse(), now);
  expect(kept.length).toBeLessThan(450);
  expect(kept.at(-1)).toEqual({at: now, total: 0});
  expect(kept[0]!.at).toBeGreaterThanOrEqual(now - 24 * 60 * minute);
  expect(thinned(kept, now)).toEqual(kept);
});

test('points from a clock that was ahead are left out', () => {
  expect(thinned([ago(-30, 4), ago(1, 5)], now)).toEqual([ago(1, 5)]);
});
