/** One look for everybody who asks at the same time. */

export type SharedLook<T> = {
  /** What the look under way will tell, or the last one told not longer ago than it lasts, or a new one. */
  get(): Promise<T>;
  /** What was seen until now no longer holds: who asks from here on gets a new look. */
  forget(): void;
};

/** `now` is a clock that only grows, in milliseconds. A look that failed is told to those who wait, and not kept. */
export const sharedLook = <T>(look: () => Promise<T>, lastsMs: number, now: () => number): SharedLook<T> => {
  let current: {told: Promise<T>; endedAt: number | null} | undefined;
  return {
    get: () => {
      if (current && (current.endedAt === null || now() - current.endedAt < lastsMs)) return current.told;
      const own: {told: Promise<T>; endedAt: number | null} = {told: look(), endedAt: null};
      current = own;
      own.told.then(
        () => {
          own.endedAt = now();
        },
        () => {
          if (current === own) current = undefined;
        },
      );
      return own.told;
    },
    forget: () => {
      current = undefined;
    },
  };
};
