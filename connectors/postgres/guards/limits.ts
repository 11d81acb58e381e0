/** How long an install waits for others, milliseconds. */
export type Limits = {
  /** For a lock that holds others up while it is waited for; then all is let go, and tried again. */
  lockMs: number;
  /** How long that is tried. */
  retryMs: number;
  /** For what holds nobody up while it waits: an index that is built or dropped beside live writers. */
  concurrentMs: number;
  /** For another install on the same table. */
  otherMs: number;
  /** Between two looks at the progress. */
  lookMs: number;
};

export const usualLimits: Limits = {
  lockMs: 800,
  retryMs: 120_000,
  concurrentMs: 600_000,
  otherMs: 3_000,
  lookMs: 500,
};

/** `42 s`, `10 minutes`. */
export const spoken = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`;
