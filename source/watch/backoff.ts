/** Growing pauses for an action that fails whole or is refused, again and again: each try costs the store a plan. */
import ms from 'ms';
import type {Clock} from './schedule.js';

const mostMs = 600_000;

export type Backoff = {
  /** In words why it is not tried now; null when it may be. */
  waits(name: string): string | null;
  /** `why` nothing could be done; null when something was. */
  ended(name: string, why: string | null): void;
};

/** The first try after a failure comes with the next look; then it is every second, every fourth, … at most ten minutes later. */
export const openBackoff = (clock: Pick<Clock, 'nowMs'>, everyMs: number): Backoff => {
  const failed = new Map<string, {times: number; until: number; why: string}>();
  return {
    waits: name => {
      const held = failed.get(name);
      if (!held || clock.nowMs() >= held.until) return null;
      const left = Math.max(1000, held.until - clock.nowMs());
      return `${held.why}; tried ${held.times} times, and again in ${ms(Math.round(left / 1000) * 1000)}`;
    },
    ended: (name, why) => {
      if (why === null) {
        failed.delete(name);
        return;
      }
      const times = (failed.get(name)?.times ?? 0) + 1;
      const pause = times === 1 ? 0 : Math.min(mostMs, everyMs * 2 ** (times - 1));
      failed.set(name, {times, until: clock.nowMs() + pause, why});
    },
  };
};
