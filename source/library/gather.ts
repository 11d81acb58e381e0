/**
 * Callers at once share one piece of work: what is asked for while a piece is under way waits for it, and goes into
 * the next one together. No answer is of a piece that began before its caller asked.
 */

/** `first`: of the callers who share an answer, the one that asked first. */
export type Shared<V> = {value: V; first: boolean};

/** Gets up to `most` different keys and has an answer, or an error, for each; a rejection is every caller's. */
export type Work<V> = (keys: string[]) => Promise<Map<string, V | Error>>;

type Waiting<V> = {resolve: (value: V) => void; reject: (error: unknown) => void};

export class Gather<V> {
  readonly #work: Work<V>;
  readonly #most: number;
  #pending = new Map<string, Waiting<Shared<V>>[]>();
  #busy = false;

  constructor(work: Work<V>, most = 100) {
    this.#work = work;
    this.#most = most;
  }

  ask(key: string): Promise<Shared<V>> {
    return new Promise((resolve, reject) => {
      const waiting = this.#pending.get(key) ?? [];
      waiting.push({resolve, reject});
      this.#pending.set(key, waiting);
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // Callers of the same moment are in the first piece together.
    await Promise.resolve();
    while (this.#pending.size > 0) {
      const piece = [...this.#pending].slice(0, this.#most);
      for (const [key] of piece) this.#pending.delete(key);
      try {
        const values = await this.#work(piece.map(([key]) => key));
        for (const [key, waiting] of piece) {
          const value = values.get(key)!;
          for (const [index, {resolve, reject}] of waiting.entries())
            if (value instanceof Error) reject(value);
            else resolve({value, first: index === 0});
        }
      } catch (error) {
        for (const [, waiting] of piece) for (const {reject} of waiting) reject(error);
      }
    }
    this.#busy = false;
  }
}
