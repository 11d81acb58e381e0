/**
 * The order in which puts are made: those of one lock after each other, so that they don't hold connections while
 * they wait for each other, and a few at a time of the others.
 */
import pLimit from 'p-limit';
import {interrupted} from './errors.js';

/** How many puts are made at once, and for how many a connection is kept. */
export const putsAtOnce = 4;

/** One for each connector. */
export class PutQueue {
  readonly #few = pLimit(putsAtOnce);
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when those before it with the same name are done; null for one that waits for nobody. */
  async run<T>(name: string | null, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (name === null) return this.#few(() => begin(work, signal));
    const before = this.#last.get(name);
    const own = (async () => {
      await before?.catch(() => undefined);
      return this.#few(() => begin(work, signal));
    })();
    this.#last.set(name, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(name) === own) this.#last.delete(name);
    }
  }
}

const begin = <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  if (signal?.aborted) throw interrupted();
  return work();
};
