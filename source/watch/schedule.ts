/** When a check is looked at next. */
import {setTimeout as timer} from 'node:timers/promises';

export type Clock = {
  /** Milliseconds of a clock that only grows. */
  nowMs(): number;
  date(): Date;
  /** Comes after so many milliseconds, or as soon as the signal aborts. Never rejects. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
};

export const machineClock: Clock = {
  nowMs: () => performance.now(),
  date: () => new Date(),
  pause: (ms, signal) => timer(ms, undefined, {signal}).catch(() => undefined),
};

/** The first looks are spread over a second, or a tenth of a shorter interval: stores are not asked all at once. */
export const firstPauseMs = (index: number, count: number, everyMs: number): number =>
  (Math.min(1000, everyMs / 10) * index) / count;

/**
 * The pause after a look that took so long. Counted from the look's start, and shortened so that the next one, if it
 * takes as long, has ended when the interval has: what turns stale just after a look is cleaned within the interval.
 * Jitter only shortens (by up to a fifth). Never less than a tenth of the interval, so that a slow store gets its rest.
 */
export const pauseMs = (everyMs: number, tookMs: number, random: number): number =>
  Math.max(everyMs / 10, Math.min(everyMs * (0.8 + 0.2 * random), everyMs - tookMs) - tookMs);
