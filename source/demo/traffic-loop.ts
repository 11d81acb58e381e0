/** One client of a store that does a small thing every second or so, as an application would, until stopped. */
import {setTimeout as pause} from 'node:timers/promises';
import type {FaultyWrites} from '../faulty-writes.js';
import type {Random} from './random.js';

/** `refusals`: writes that the store's own rules (a guard) turned down. `errors`: everything else that failed. */
export type TrafficStats = {writes: number; refusals: number; errors: number; faulty: FaultyWrites};

/**
 * Makes a write that the application does wrong, and counts what becomes of it (among the writes too). `isMended`, asked
 * when it was stored: whether the store put right what was wrong.
 */
export type Faulty = <T>(write: () => Promise<T>, isMended?: () => Promise<boolean>) => Promise<T>;

export type Traffic<Client> = {
  connect(): Promise<Client>;
  /** One thing that the application does. `count` is called after each write that the store took. */
  step(client: Client, random: Random, count: () => void, faulty: Faulty): Promise<void>;
  /** Must end what is under way: it is also called while a step is. */
  disconnect(client: Client): void | Promise<void>;
  isRefusal(error: unknown): boolean;
  /** Why the store turns none of its faulty writes down, whatever guards it has. */
  neverRefused?: string;
};

export type Running = {stats(): TrafficStats; stop(): Promise<void>};

const [shortestMs, longestMs] = [1000, 3000];
const longestPauseMs = 30_000;
/** How long a stopping loop waits for its last step. */
const patienceMs = 500;

/**
 * Starts a loop. It never overlaps itself, and outlives its store: after an error that is no refusal it
 * connects anew, after growing pauses. `stop` resolves within about a second.
 */
export const startLoop = <Client>(traffic: Traffic<Client>, random: Random, speed = 1): Running => {
  const never = traffic.neverRefused ?? null;
  const stats: TrafficStats = {
    writes: 0,
    refusals: 0,
    errors: 0,
    faulty: {stored: 0, refused: 0, mended: 0, never},
  };
  const stopping = new AbortController();
  let client: Client | null = null;

  const drop = async (): Promise<void> => {
    const old = client;
    client = null;
    if (old !== null) await Promise.resolve(traffic.disconnect(old)).catch(() => {});
  };
  const faulty: Faulty = async (write, isMended) => {
    let result: Awaited<ReturnType<typeof write>>;
    try {
      result = await write();
    } catch (error) {
      if (!stopping.signal.aborted && traffic.isRefusal(error)) stats.faulty.refused++;
      throw error;
    }
    stats.writes++;
    if (isMended && (await isMended())) stats.faulty.mended++;
    else stats.faulty.stored++;
    return result;
  };
  const step = async (): Promise<boolean> => {
    try {
      client ??= await traffic.connect();
      if (stopping.signal.aborted) return false;
      await traffic.step(client, random, () => stats.writes++, faulty);
    } catch (error) {
      if (stopping.signal.aborted) return false;
      if (!traffic.isRefusal(error)) {
        stats.errors++;
        await drop();
        return false;
      }
      stats.refusals++;
    }
    return true;
  };
  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const usual = random.int(shortestMs, longestMs) / speed;
      const wait = Math.min(usual * 2 ** failures, longestPauseMs);
      await pause(wait, undefined, {signal: stopping.signal}).catch(() => {});
      if (stopping.signal.aborted) break;
      failures = (await step()) ? 0 : Math.min(failures + 1, 5);
    }
  };
  // A connection that is made only after the stop is closed at once.
  const ended = run().finally(drop);

  return {
    stats: () => ({...stats, faulty: {...stats.faulty}}),
    stop: async () => {
      stopping.abort();
      const patience = () => pause(patienceMs, undefined, {ref: false});
      await Promise.race([ended, patience()]);
      await drop();
      await Promise.race([ended, patience()]);
    },
  };
};
