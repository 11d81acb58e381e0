/** When a dialog takes input: after its frame, and once no key is held down. */
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {createArming} from '../../source/ui/arming.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const opened = () => {
  const painted: (() => void)[] = [];
  const armed = vi.fn();
  const arming = createArming(listener => painted.push(listener), armed);
  const paint = (): void => {
    for (const listener of painted.splice(0)) listener();
  };
  return {arming, armed, paint};
};

test('a dialog is armed 150 ms after its frame, and each input makes it wait anew', () => {
  const {arming, armed, paint} = opened();
  arming.begin();
  vi.advanceTimersByTime(10_000);
  expect(armed).not.toHaveBeenCalled();
  paint();
  vi.advanceTimersByTime(140);
  arming.hold();
  vi.advanceTimersByTime(140);
  expect(armed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(20);
  expect(armed).toHaveBeenCalledOnce();
});

test.each([250, 375, 500, 660])(
  'Enter held down, repeated first after %i ms and then every 30, never arms it',
  first => {
    const {arming, armed, paint} = opened();
    arming.begin({released: true});
    paint();
    vi.advanceTimersByTime(first);
    for (let count = 0; count < 100; count++) {
      arming.hold();
      vi.advanceTimersByTime(30);
    }
    expect(armed).not.toHaveBeenCalled();
    vi.advanceTimersByTime(750);
    expect(armed).toHaveBeenCalledOnce();
  },
);

test('the moment begins with the first frame, not before', () => {
  const {arming, armed, paint} = opened();
  arming.begin();
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
  arming.begin();
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
