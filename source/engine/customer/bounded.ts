/** A question that ends, whatever the store does: a driver may never answer, nor heed its signal. */
import {SesstuiError} from '../../errors.js';

/** Rejects with `timeout` after `timeoutMs`, and with the signal's reason; `question`'s own signal is aborted then. */
export const bounded = <T>(
  question: (signal: AbortSignal) => Promise<T>,
  {timeoutMs, signal, store}: {timeoutMs: number; signal: AbortSignal; store: string},
): Promise<T> =>
  new Promise((done, fail) => {
    const own = new AbortController();
    const end = (reason: unknown): void => {
      own.abort(reason);
      fail(reason);
    };
    const onAbort = (): void => end(signal.reason);
    const timer = setTimeout(
      () =>
        end(
          new SesstuiError(
            'timeout',
            `store ${store} did not answer within ${Math.round(timeoutMs / 1000)} s`,
            'The others have answered. Try again, or give it more time with --timeout.',
          ),
        ),
      timeoutMs,
    );
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, {once: true});
    question(own.signal)
      .then(done, fail)
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      });
  });
