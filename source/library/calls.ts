/** Calls under way: what they throw is told as one kind of error, and closing waits for them. */
import {SesstuiError} from '../errors.js';

export class Calls {
  readonly #told: (error: unknown) => SesstuiError;
  readonly #open = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(told: (error: unknown) => SesstuiError) {
    this.#told = told;
  }

  /** Aborts when the library is being closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Rejects with `usage` once it is being closed, and else with what the work throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new SesstuiError('usage', 'sesstui was closed', 'Open it anew with openSesstui.');
    // Not before the caller's own stack has ended: what throws at once rejects as well.
    const call = Promise.resolve().then(work);
    this.#open.add(call);
    try {
      return await call;
    } catch (error) {
      throw this.#told(error);
    } finally {
      this.#open.delete(call);
    }
  }

  /** Calls `end` once, when the last call has ended. */
  close(end: () => Promise<void>): Promise<void> {
    this.#closing.abort();
    this.#closed ??= Promise.allSettled(this.#open).then(end);
    return this.#closed;
  }
}
