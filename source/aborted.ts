/** Waiting for a signal. */

/** Fulfilled when the signal aborts, at once where it has. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise(done => signal.addEventListener('abort', () => done(), {once: true}));
