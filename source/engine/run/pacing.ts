/**
 * How fast a run may go. Chunks start small and grow while they are quick; between two of them the run keeps to
 * its rate, rests in proportion to the work, and waits while the server is under strain. A run of one chunk waits
 * for nothing. The bounds are those of the tools that do this to large tables: chunks aimed at a fraction of a
 * second (pt-online-schema-change: 0.5 s), a look at the server between chunks (gh-ost: once a second), no writing
 * while it lags.
 */
import {setTimeout} from 'node:timers/promises';

export type PacerOptions = {
  /** The most units that the connector takes at once. */
  unitsPerApply: number;
  /** At most this many changes a second; unset means as fast as the server bears. */
  ratePerSecond?: number;
  /** In words why the server should be given a rest, else null. A rejection is no reason. */
  strain?: (signal?: AbortSignal) => Promise<string | null>;
  /** Told at each look at a strained server; once it is no longer, `onGo` is. */
  onWait?: (why: string) => void;
  onGo?: () => void;
  /** Ends any waiting at once. */
  signal?: AbortSignal;
  /** The longest that strain holds one chunk, milliseconds; then a small one goes through. */
  longestHoldMs?: number;
  /** Milliseconds that only grow; replaced in tests. */
  clock?: () => number;
  /** Resolves, early when the signal fires, and never rejects; replaced in tests. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export type Chunk = {
  /** How long the connector took, milliseconds. */
  ms: number;
  /** How many changes it was given, whatever became of them. */
  changes: number;
  /** Something of it had to be tried again, or a lock was not granted in time. */
  troubled?: boolean;
};

const firstUnits = 50;
/** What a chunk comes down to when the server has been under strain for long. */
const heldUnits = 10;
/** Between two looks at the clock, the journal and the user. */
const mostChanges = 1000;
const quickMs = 250;
const slowMs = 1000;
/** The rest after a chunk, as a share of the time that it took. */
const restShare = 0.1;
const longestRestMs = 1000;
/** Timers are not worth it below; what is owed adds up. */
const shortestRestMs = 10;
/** A server that did well is not asked again before. */
const askEveryMs = 500;
const firstWaitMs = 250;
const longestWaitMs = 5000;
const defaultHoldMs = 120_000;

const sleepFor = async (ms: number, signal?: AbortSignal): Promise<void> => {
  await setTimeout(ms, undefined, {signal}).catch(() => undefined);
};

/**
 * For each chunk: `await pause()`, take up to `next()` units with up to `mostChanges` changes (one unit at least),
 * write them, `after(…)`. Nothing throws; whoever calls looks at the signal after `pause()`.
 */
export class Pacer {
  /** How many changes a chunk should have at most. */
  readonly mostChanges: number;
  readonly #options: PacerOptions;
  readonly #clock: () => number;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly #mostUnits: number;
  #units: number;
  /** When the rate lets the next chunk begin. */
  #due = Number.NEGATIVE_INFINITY;
  #restMs = 0;
  #last: Chunk | null = null;
  /** What a chunk takes however small it is: a table without an index for its groups is read whole each time. */
  #fixedMs = 0;
  /** Chunks of different sizes have shown what the size costs. */
  #known = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Grows with each look at a strained server, falls with each at another; lasts over chunks. */
  #level = 0;

  constructor(options: PacerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#sleep = options.sleep ?? sleepFor;
    const inASecond = Math.max(1, Math.floor(options.ratePerSecond ?? Number.POSITIVE_INFINITY));
    this.mostChanges = Math.min(mostChanges, inASecond);
    this.#mostUnits = Math.max(1, Math.min(options.unitsPerApply, this.mostChanges));
    this.#units = Math.min(firstUnits, this.#mostUnits);
  }

  /** How many units the next chunk should have. */
  next(): number {
    return this.#units;
  }

  /**
   * Notes a chunk that was written, and decides the size of the next by what the size costs. A smaller chunk is no
   * relief to the server where the cost is another: more of them would only be more work.
   */
  after(chunk: Chunk): void {
    const {ms, changes, troubled = false} = chunk;
    const {ratePerSecond} = this.#options;
    // From when it began: a rate that was not used up is not made up for.
    if (ratePerSecond) this.#due = Math.max(this.#due, this.#clock() - ms) + (changes / ratePerSecond) * 1000;
    this.#restMs = Math.min(longestRestMs, this.#restMs + ms * restShare);
    this.#learn(chunk);
    const ofSize = ms - this.#fixedMs;
    if (troubled || ofSize > slowMs) this.#shrink();
    else if (ofSize < quickMs) this.#units = Math.min(this.#mostUnits, this.#units * 2);
    // Half of it tells.
    else if (!this.#known) this.#shrink();
  }

  /** The line through this chunk and the one before, at no changes. */
  #learn(chunk: Chunk): void {
    const before = this.#last;
    this.#last = chunk;
    const more = before ? chunk.changes - before.changes : 0;
    if (before && Math.abs(more) > 0.2 * Math.max(chunk.changes, before.changes)) {
      const line = (before.ms * chunk.changes - chunk.ms * before.changes) / more;
      const fixedMs = Math.max(0, Math.min(line, chunk.ms, before.ms));
      this.#fixedMs = this.#known ? (this.#fixedMs + fixedMs) / 2 : fixedMs;
      this.#known = true;
    }
    this.#fixedMs = Math.min(this.#fixedMs, chunk.ms);
  }

  /** Waits until the next chunk may be written: for the rate, for a rest, and for the server. */
  async pause(): Promise<void> {
    const {signal} = this.#options;
    if (!this.#last || signal?.aborted) return;
    const early = Math.max(0, this.#due - this.#clock());
    const owed = Math.max(early, this.#restMs);
    // What the rate makes it wait is a rest as well.
    if (early > 0 || owed >= shortestRestMs) {
      this.#restMs = 0;
      await this.#sleep(owed, signal);
    }
    await this.#whileStrained();
  }

  #shrink(): void {
    this.#units = Math.max(1, Math.floor(this.#units / 2));
  }

  async #why(): Promise<string | null> {
    const {strain, signal} = this.#options;
    if (!strain || signal?.aborted) return null;
    this.#askedAt = this.#clock();
    return unlessAborted(() => strain(signal), signal);
  }

  async #whileStrained(): Promise<void> {
    const {signal, onWait, onGo, longestHoldMs = defaultHoldMs} = this.#options;
    const began = this.#clock();
    if (began - this.#askedAt < askEveryMs && this.#level === 0) return;
    let why = await this.#why();
    if (why === null) {
      this.#level = Math.max(0, this.#level - 1);
      return;
    }
    this.#shrink();
    while (why !== null && !signal?.aborted) {
      onWait?.(why);
      const left = longestHoldMs - (this.#clock() - began);
      if (left <= 0) {
        // For ever would be wrong: a replica that is behind on purpose never catches up.
        this.#units = Math.min(this.#units, heldUnits);
        return;
      }
      await this.#sleep(Math.min(left, longestWaitMs, firstWaitMs * 2 ** this.#level), signal);
      this.#level = Math.min(this.#level + 1, 5);
      why = await this.#why();
    }
    if (!signal?.aborted) onGo?.();
  }
}

/** The answer; null when it is a rejection or the signal comes first. */
const unlessAborted = (ask: () => Promise<string | null>, signal?: AbortSignal): Promise<string | null> =>
  new Promise(resolve => {
    const stop = (): void => resolve(null);
    signal?.addEventListener('abort', stop, {once: true});
    (async () => ask())()
      .then(resolve, stop)
      .finally(() => signal?.removeEventListener('abort', stop));
  });
