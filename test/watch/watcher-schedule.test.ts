/** When a check is looked at next, and when an action that fails is tried again. */
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {openBackoff} from '../../source/watch/backoff.js';
import {firstPauseMs, pauseMs} from '../../source/watch/schedule.js';

const every = fc.integer({min: 1000, max: 3_600_000});
const share = fc.double({min: 0, max: 1, noNaN: true});

test('two looks that take equally long have ended within an interval of the first one’s start', () => {
  fc.assert(
    fc.property(every, share, share, (everyMs, part, random) => {
      // Longer than that, and the rest that a slow store gets comes first.
      const tookMs = everyMs * part * 0.45;
      const second = tookMs + pauseMs(everyMs, tookMs, random) + tookMs;
      expect(second).toBeLessThanOrEqual(everyMs + 1e-6);
    }),
  );
});

test('jitter only shortens, by a fifth at most; a look that takes longer than the interval is given a rest', () => {
  expect(pauseMs(1000, 0, 0)).toBe(800);
  expect(pauseMs(1000, 0, 1)).toBe(1000);
  expect(pauseMs(1000, 100, 1)).toBe(800);
  expect(pauseMs(1000, 5000, 0.5)).toBe(100);
  fc.assert(
    fc.property(every, fc.integer({min: 0, max: 7_200_000}), share, (everyMs, tookMs, random) => {
      const pause = pauseMs(everyMs, tookMs, random);
      expect(pause).toBeGreaterThanOrEqual(everyMs / 10);
      expect(pause).toBeLessThanOrEqual(everyMs);
    }),
  );
});

test('first looks are spread, and none waits long', () => {
  const pauses = Array.from({length: 5}, (_, index) => firstPauseMs(index, 5, 300_000));
  expect(pauses).toEqual([0, 200, 400, 600, 800]);
  expect(firstPauseMs(4, 5, 1000)).toBe(80);
});

test('what fails whole or is refused is tried at once, then after growing pauses of at most ten minutes', () => {
  let now = 0;
  const backoff = openBackoff({nowMs: () => now}, 60_000);
  const pauses: number[] = [];
  for (let time = 0; time < 7; time++) {
    backoff.ended('a', 'nothing of it could be done');
    const failedAt = now;
    while (backoff.waits('a') !== null) now += 1000;
    pauses.push((now - failedAt) / 1000);
  }
  expect(pauses).toEqual([0, 120, 240, 480, 600, 600, 600]);
  expect(backoff.waits('b')).toBeNull();
  backoff.ended('a', 'nothing of it could be done');
  expect(backoff.waits('a')).toBe('nothing of it could be done; tried 8 times, and again in 10m');
  backoff.ended('a', null);
  expect(backoff.waits('a')).toBeNull();
});
