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
  readonly #pieces: number;
  #pending = new Map<string, Waiting<Shared<V>>[]>();
  /** Keys of the pieces under way: no key is in two of them. */
  #busy = new Set<string>();
  #running = 0;

  /** At most `most` keys are in a piece, and `pieces` under way: one that is held up does not hold up all. */
  constructor(work: Work<V>, {most = 100, pieces = 1}: {most?: number; pieces?: number} = {}) {
    this.#work = work;
    this.#most = most;
    this.#pieces = pieces;
  }

  ask(key: string): Promise<Shared<V>> {
    return new Promise((resolve, reject) => {
      const waiting = this.#pending.get(key) ?? [];
      waiting.push({resolve, reject});
      this.#pending.set(key, waiting);
      // Callers of the same moment are in the first piece together.
      queueMicrotask(() => this.#start());
    });
  }

  #start(): void {
    while (this.#running < this.#pieces) {
      const piece = [...this.#pending].filter(([key]) => !this.#busy.has(key)).slice(0, this.#most);
      if (piece.length === 0) return;
      for (const [key] of piece) {
        this.#pending.delete(key);
        this.#busy.add(key);
      }
      this.#running++;
      void this.#carryOut(piece).finally(() => {
        this.#running--;
        for (const [key] of piece) this.#busy.delete(key);
        this.#start();
      });
    }
  }

  async #carryOut(piece: [string, Waiting<Shared<V>>[]][]): Promise<void> {
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
}
