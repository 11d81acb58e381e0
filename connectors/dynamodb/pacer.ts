/**
 * How fast a scan may go: slower after throttling, and at most half of what a table has provisioned, so that the
 * applications keep theirs. Shared by the segments of a scan.
 */
import {pauseCap, sleep} from './pause.js';

/** The share of a table's provisioned read units that a scan takes. */
const share = 0.5;

export type Pacer = {
  /** After a page: what it consumed, and how often the client was throttled so far. */
  page(units: number, throttled: number): void;
  /** How long the next page has to wait, milliseconds. */
  delayMs(): number;
  wait(signal?: AbortSignal): Promise<void>;
  /** Read units consumed so far. */
  consumed(): number;
};

/** `unitsPerSecond`: the provisioned read units; null where there is no such limit. `clock` in milliseconds. */
export const openPacer = (
  unitsPerSecond: number | null,
  throttledBefore = 0,
  clock: () => number = Date.now,
): Pacer => {
  const start = clock();
  let units = 0;
  let level = 0;
  let throttled = throttledBefore;
  const delayMs = (): number => {
    const due = unitsPerSecond === null ? 0 : start + (units / (unitsPerSecond * share)) * 1000 - clock();
    const backoff = level === 0 ? 0 : pauseCap(level);
    return Math.max(0, due, backoff);
  };
  return {
    page: (consumed, throttledNow) => {
      units += consumed;
      level = throttledNow > throttled ? Math.min(level + 1, 6) : Math.max(0, level - 1);
      throttled = throttledNow;
    },
    delayMs,
    wait: async signal => {
      const ms = delayMs();
      if (ms > 0) await sleep(ms, signal);
    },
    consumed: () => units,
  };
};
