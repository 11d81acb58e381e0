/** How fast a run may go, by a clock that only waiting and working move. */
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {Pacer, type PacerOptions} from '../../source/engine/run/pacing.js';

/** A pacer whose sleeps pass at once; `slept` is what it asked for. */
const openTest = (options: Partial<PacerOptions> = {}) => {
  let now = 1000;
  const slept: number[] = [];
  const pacer = new Pacer({
    unitsPerApply: 500,
    clock: () => now,
    sleep: async (ms, signal) => {
      slept.push(ms);
      if (!signal?.aborted) now += ms;
    },
    ...options,
  });
  return {
    pacer,
    slept,
    now: () => now,
    /** One chunk of so many changes that takes so long. */
    work: async (ms: number, changes = pacer.next(), troubled = false) => {
      await pacer.pause();
      const began = now;
      now += ms;
      pacer.after({ms, changes, troubled});
      return began;
    },
  };
};

/** Strain as told, one answer a question, then none; `asked` counts the questions. */
const strainOf = (answers: (string | null)[]) => {
  const state = {asked: 0};
  return {state, strain: async () => answers[state.asked++] ?? null};
};

test('a run of one chunk waits for nothing and asks nothing', async () => {
  const {strain, state} = strainOf(['lag', 'lag', 'lag']);
  const {work, slept} = openTest({ratePerSecond: 1, strain});
  await work(5000, 1);
  expect(slept).toEqual([]);
  expect(state.asked).toBe(0);
});

test('chunks start small, double while they are quick, and stop growing at what the connector takes', async () => {
  const {pacer, work} = openTest();
  const sizes: number[] = [];
  for (let chunk = 0; chunk < 6; chunk++) {
    sizes.push(pacer.next());
    await work(20);
  }
  expect(sizes).toEqual([50, 100, 200, 400, 500, 500]);
  expect(openTest({unitsPerApply: 25}).pacer.next()).toBe(25);
});

test('a slow or troubled chunk halves the next, down to one unit; one that is neither slow nor quick keeps it', async () => {
  const {pacer, work} = openTest();
  await work(4000);
  expect(pacer.next()).toBe(25);
  await work(2000);
  expect(pacer.next()).toBe(12);
  await work(960);
  expect(pacer.next()).toBe(12);
  await work(960, 12, true);
  expect(pacer.next()).toBe(6);
  for (let chunk = 0; chunk < 10; chunk++) await work(pacer.next() * 2000);
  expect(pacer.next()).toBe(1);
  await work(20);
  expect(pacer.next()).toBe(2);
});

/** The sizes of chunks that take so long before the first change, and so long for each. */
const sizesOf = async (fixedMs: number, eachMs: number, chunks: number): Promise<number[]> => {
  const {pacer, work} = openTest();
  const sizes: number[] = [];
  for (let chunk = 0; chunk < chunks; chunk++) {
    sizes.push(pacer.next());
    await work(fixedMs + pacer.next() * eachMs);
  }
  return sizes;
};

test('what a chunk costs however small it is does not make chunks smaller', async () => {
  // A whole table read for each chunk, be it slow or in between: found out by one smaller chunk.
  expect(await sizesOf(3000, 0.2, 7)).toEqual([50, 25, 50, 100, 200, 400, 500]);
  expect(await sizesOf(600, 0.2, 7)).toEqual([50, 25, 50, 100, 200, 400, 500]);
  // And so large only as its own cost lets it be.
  expect(await sizesOf(3000, 2, 7)).toEqual([50, 25, 50, 100, 200, 200, 200]);
  // What each change costs does.
  expect(await sizesOf(0, 12, 5)).toEqual([50, 25, 25, 25, 25]);
  expect(await sizesOf(0, 100, 6)).toEqual([50, 25, 12, 6, 6, 6]);
});

test('where all of it was slow for a while, chunks grow again', async () => {
  const {pacer, work} = openTest();
  for (let chunk = 0; chunk < 12; chunk++) await work(100 + 200 * pacer.next());
  expect(pacer.next()).toBeLessThan(10);
  for (let chunk = 0; chunk < 12; chunk++) await work(20 + 0.3 * pacer.next());
  expect(pacer.next()).toBe(500);
});

test('a chunk is never more than a second of the rate, nor less than one unit', async () => {
  const {pacer, work} = openTest({ratePerSecond: 7.5});
  for (let chunk = 0; chunk < 4; chunk++) await work(1);
  expect(pacer.next()).toBe(7);
  expect(pacer.mostChanges).toBe(7);
  expect(openTest({ratePerSecond: 0.2}).pacer.next()).toBe(1);
  expect(openTest({ratePerSecond: 1e6}).pacer.mostChanges).toBe(1000);
});

test('over any stretch of a run there are no more changes than the rate and one chunk', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({min: 1, max: 300}),
      fc.array(
        fc.record({ms: fc.integer({min: 0, max: 4000}), share: fc.double({min: 0.1, max: 1, noNaN: true})}),
        {
          minLength: 2,
          maxLength: 30,
        },
      ),
      async (ratePerSecond, chunks) => {
        const {work, pacer} = openTest({ratePerSecond});
        const done: {began: number; changes: number}[] = [];
        for (const {ms, share} of chunks) {
          const changes = Math.max(1, Math.floor(pacer.next() * share));
          done.push({began: await work(ms, changes), changes});
        }
        for (const [from, first] of done.entries()) {
          let changes = 0;
          for (const chunk of done.slice(from)) {
            // Before this chunk begins, those before it have had their time.
            expect(chunk.began - first.began).toBeGreaterThanOrEqual((changes / ratePerSecond) * 1000 - 1e-6);
            changes += chunk.changes;
          }
        }
      },
    ),
  );
});

test('a rate that was not used up is not made up for', async () => {
  const {work, slept} = openTest({ratePerSecond: 10});
  await work(60_000, 10);
  await work(0, 10);
  slept.length = 0;
  await work(0, 10);
  expect(slept).toEqual([1000]);
});

test('it rests a tenth of the time that it worked; short rests add up to one', async () => {
  const {work, slept} = openTest();
  await work(200);
  await work(200);
  expect(slept).toEqual([20]);
  slept.length = 0;
  for (let chunk = 0; chunk < 5; chunk++) await work(30);
  // 20 of the chunk before, then 3 each.
  expect(slept).toEqual([20, 12]);
  slept.length = 0;
  await work(60_000);
  slept.length = 0;
  await work(1);
  expect(slept).toEqual([1000]);
});

test('it waits while there is strain, longer each time and five seconds at most, and tells why', async () => {
  const told: string[] = [];
  const {strain, state} = strainOf([...Array.from({length: 8}, (_, n) => `lag ${n}`), null]);
  const {work, slept, pacer} = openTest({
    strain,
    onWait: why => told.push(why),
    onGo: () => told.push('go'),
  });
  await work(20);
  expect(pacer.next()).toBe(100);
  await work(0);
  expect(slept).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
  expect(told).toEqual([...Array.from({length: 8}, (_, n) => `lag ${n}`), 'go']);
  expect(state.asked).toBe(9);
  // Halved once by the strain, then doubled by the quick chunk.
  expect(pacer.next()).toBe(100);
});

test('strain that comes again soon is waited for longer', async () => {
  const {strain} = strainOf(['a', null, 'b', null, null, 'c', null]);
  const {work, slept} = openTest({strain});
  for (let chunk = 0; chunk < 5; chunk++) await work(0);
  expect(slept).toEqual([250, 500, 500]);
});

test('a server that did well is asked again after half a second only', async () => {
  const {strain, state} = strainOf([]);
  const {work} = openTest({strain});
  for (let chunk = 0; chunk < 11; chunk++) await work(100);
  // Ten pauses with about 110 ms between them.
  expect(state.asked).toBe(2);
});

test('strain that does not end holds a chunk for two minutes, then a few units go through at a time', async () => {
  const {pacer, work, now} = openTest({strain: async () => 'the standby is behind'});
  await work(20);
  const before = now();
  await work(20);
  expect(now() - before).toBeGreaterThanOrEqual(120_000);
  expect(now() - before).toBeLessThan(126_000);
  await pacer.pause();
  expect(pacer.next()).toBe(10);
});

test('a question that fails is no reason to wait', async () => {
  for (const strain of [
    () => Promise.reject(new Error('no')),
    () => {
      throw new Error('at once');
    },
  ]) {
    const {work, slept} = openTest({strain});
    await work(0);
    await work(0);
    expect(slept).toEqual([]);
  }
});

test('an interruption ends every kind of waiting at once', async () => {
  const waits: Partial<PacerOptions>[] = [
    {ratePerSecond: 0.001},
    {strain: async () => 'lag'},
    {strain: () => new Promise(() => undefined)},
  ];
  for (const options of waits) {
    const control = new AbortController();
    // The real clock and timers: what has to end is real waiting.
    const pacer = new Pacer({unitsPerApply: 500, ...options, signal: control.signal});
    pacer.after({ms: 1, changes: 1});
    const waiting = pacer.pause();
    setImmediate(() => control.abort());
    const began = performance.now();
    await waiting;
    expect(performance.now() - began).toBeLessThan(200);
    await pacer.pause();
  }
});
