/** A watch in a test: a clock that stands still until it is told, and rounds that can be waited for. */
import type {Round} from '../../source/watch/round.js';
import type {Clock} from '../../source/watch/schedule.js';
import type {Watcher} from '../../source/watch/watcher.js';

/** Every pause lasts until `go`, which waits for so many loops to be at one; `pauses` has how long they were to be. */
export const standingClock = (): Clock & {go: (loops?: number) => Promise<void>; pauses: number[]} => {
  const waiting = new Set<() => void>();
  const pauses: number[] = [];
  return {
    pauses,
    nowMs: () => performance.now(),
    date: () => new Date(),
    pause: (ms, signal) =>
      new Promise(done => {
        if (ms === 0 || signal.aborted) {
          done();
          return;
        }
        pauses.push(ms);
        waiting.add(done);
        signal.addEventListener('abort', () => done(), {once: true});
      }),
    go: async (loops = 1) => {
      while (waiting.size < loops) await new Promise(setImmediate);
      for (const done of waiting) done();
      waiting.clear();
    },
  };
};

/** The rounds of a watcher one after another: those that were told and not yet taken, then those to come. */
export const roundsOf = (watcher: Watcher): (() => Promise<Round>) => {
  const told: Round[] = [];
  const takers: ((round: Round) => void)[] = [];
  watcher.listen(round => {
    const taker = takers.shift();
    if (taker) taker(round);
    else told.push(round);
  });
  return () => {
    const round = told.shift();
    return round ? Promise.resolve(round) : new Promise(taken => takers.push(taken));
  };
};
