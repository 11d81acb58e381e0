/** Work that may run together, and work that must run alone. */
export type Lock = {
  shared<T>(work: () => Promise<T>): Promise<T>;
  alone<T>(work: () => Promise<T>): Promise<T>;
};

/** A lock for readers and writers, first come first served, so that a stream of readers can't starve a writer. */
export const createLock = (): Lock => {
  let running = 0;
  let exclusive = false;
  const queue: {alone: boolean; start(): void}[] = [];

  const next = () => {
    while (queue.length > 0 && !exclusive) {
      if (queue[0]!.alone && running > 0) return;
      const {alone, start} = queue.shift()!;
      running++;
      exclusive = alone;
      start();
    }
  };

  const run =
    (alone: boolean) =>
    async <T>(work: () => Promise<T>): Promise<T> => {
      await new Promise<void>(start => {
        queue.push({alone, start});
        next();
      });
      try {
        return await work();
      } finally {
        running--;
        if (alone) exclusive = false;
        next();
      }
    };

  return {shared: run(false), alone: run(true)};
};
