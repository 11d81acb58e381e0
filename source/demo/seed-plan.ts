/** How much sample data there is, and which: shared by the five systems' seeds. */
import type {Random} from './random.js';

export type SeedPlan = {
  seed: number;
  /** Healthy rows a system, about; faults come on top, in proportion. */
  rows: number;
  /** The store's now that every timestamp is relative to, milliseconds since 1970. */
  now: number;
};

export const defaultRows = 400;
export const defaultSeed = 1;

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** A count that is right for `defaultRows`, in proportion to the rows wanted; never none. */
export const share = (count: number, rows: number): number =>
  Math.max(1, Math.round((count * rows) / defaultRows));

/** The cases to make, faults scattered among the healthy ones. `faults` counts them for `defaultRows`. */
export const scatter = <Kind extends string>(
  random: Random,
  rows: number,
  healthy: Kind,
  healthyCount: number,
  faults: Partial<Record<Kind, number>>,
): Kind[] => {
  const kinds: Kind[] = new Array(healthyCount).fill(healthy);
  for (const [kind, count] of Object.entries(faults) as [Kind, number][])
    for (let left = share(count, rows); left > 0; left--) kinds.push(kind);
  return random.shuffle(kinds);
};
