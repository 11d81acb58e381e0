/** Waiting before a retry: growing, capped, and at random, so that clients don't come back all at once. */
import {setTimeout as wait} from 'node:timers/promises';
import {SesstuiError} from '../../source/errors.js';

const firstMs = 50;
const longestMs = 3000;

/** The longest pause before attempt number `attempt` (from 0), in milliseconds. */
export const pauseCap = (attempt: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 10));

/** Waits; throws `interrupted` when the signal fires. */
export const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
  try {
    await wait(ms, undefined, {signal});
  } catch {
    throw new SesstuiError('interrupted', 'Waiting for DynamoDB was interrupted.');
  }
};

export const pause = (attempt: number, signal?: AbortSignal): Promise<void> =>
  sleep(pauseCap(attempt) * (0.5 + Math.random() / 2), signal);
