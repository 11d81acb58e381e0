/**
 * When something has begun and when it has ended. One look is enough to begin, unless more are asked for; two looks in
 * a row without it end it, so that what comes and goes between looks is not told each time.
 */
import type {Condition, OngoingName} from './types.js';

/** Looks in a row without it until it is told as resolved. */
const looksToEnd = 2;

/** What one look says: is it so, and how many looks in a row must say so. */
export type Seen = {alert: OngoingName; isBad: boolean; at: string; needed: number; by?: string};

export type Step = {
  /** null: there is nothing to remember. */
  condition: Condition | null;
  /** It begins, or ends, with this look; since when it is, or was, so. */
  event: {name: 'begun' | 'resolved'; since: string} | null;
};

const seenAgain = (before: Condition | null, {alert, at, needed, by}: Seen): Step => {
  const seen = before?.seen ?? at;
  const condition: Condition = {
    alert,
    // No further than it matters: what stays the same need not be written.
    bad: Math.min((before?.bad ?? 0) + 1, looksToEnd),
    good: 0,
    seen,
    begun: before?.begun ?? null,
    ...(by === undefined ? {} : {by}),
  };
  if (condition.begun !== null || condition.bad < needed) return {condition, event: null};
  return {condition: {...condition, begun: seen}, event: {name: 'begun', since: seen}};
};

/** The condition after a look, and whether that is a beginning or an end. */
export const step = (before: Condition | null, now: Seen): Step => {
  if (now.isBad) return seenAgain(before, now);
  if (before?.begun == null) return {condition: null, event: null};
  const good = before.good + 1;
  if (good >= looksToEnd) return {condition: null, event: {name: 'resolved', since: before.begun}};
  return {condition: {...before, bad: 0, good}, event: null};
};
