/** A dialog that can write takes input once it has been seen, and quiet, for a moment (safety S13). */
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {createArming} from '../../source/ui/arming.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const opened = () => {
  let paint: () => void = () => {};
  const armed = vi.fn();
  const arming = createArming(listener => {
    paint = listener;
  }, armed);
  arming.begin();
  return {arming, armed, paint: () => paint()};
};

test('the moment begins with the first frame, not before', () => {
  const {armed, paint} = opened();
  vi.advanceTimersByTime(10_000);
  expect(armed).not.toHaveBeenCalled();
  paint();
  vi.advanceTimersByTime(149);
  expect(armed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10);
  expect(armed).toHaveBeenCalledOnce();
});

test('input that was dropped makes it wait anew', () => {
  const {arming, armed, paint} = opened();
  paint();
  // A key that is held down comes every 30 ms.
  for (let count = 0; count < 20; count++) {
    vi.advanceTimersByTime(30);
    arming.hold();
  }
  expect(armed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(160);
  expect(armed).toHaveBeenCalledOnce();
});
