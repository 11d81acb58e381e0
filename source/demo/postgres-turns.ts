/** Why a turn wasn't given: it was waited for too long, or the client asked to cancel. */
export type NoTurn = 'timeout' | 'cancelled' | 'gone';
type Waiting = {who: object; decide(outcome: 'granted' | NoTurn): void};

/**
 * Whose turn it is with the one backend. A turn lasts from a client's first message to the end of its transaction;
 * the others wait in line, as they would for a lock on everything.
 */
export class Turns {
  #busy = false;
  readonly #line: Waiting[] = [];

  /** Waits for the turn, for at most `limitMs` (0: without a limit). */
  take(who: object, limitMs: number): Promise<'granted' | NoTurn> {
    if (!this.#busy) {
      this.#busy = true;
      return Promise.resolve('granted');
    }
    return new Promise(resolve => {
      const timer = limitMs > 0 ? setTimeout(() => this.leave(who, 'timeout'), limitMs) : undefined;
      this.#line.push({
        who,
        decide: outcome => {
          clearTimeout(timer);
          resolve(outcome);
        },
      });
    });
  }

  /** Ends the turn of whoever has it. */
  pass(): void {
    const next = this.#line.shift();
    this.#busy = next !== undefined;
    next?.decide('granted');
  }

  /** Takes someone out of the line. */
  leave(who: object, why: NoTurn): void {
    const at = this.#line.findIndex(waiting => waiting.who === who);
    if (at >= 0) this.#line.splice(at, 1)[0]!.decide(why);
  }
}
