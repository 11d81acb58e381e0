/** The nearest known word to one that isn't known, for messages that help. */
import {distance} from 'fastest-levenshtein';

const squeeze = (word: string): string => word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/**
 * The candidate that `word` was most likely meant to be, or undefined if none is near. Case, `_` and `-` don't
 * count (`waiting_after` is `waitingAfter`); the beginning of a candidate is near it (`stale`).
 */
export const nearest = (word: string, candidates: readonly string[]): string | undefined => {
  const wanted = squeeze(word);
  let best: {candidate: string; score: number} | undefined;
  for (const candidate of candidates) {
    const known = squeeze(candidate);
    const length = Math.max(wanted.length, known.length);
    const begins =
      wanted.length >= 3 && known.length >= 3 && (known.startsWith(wanted) || wanted.startsWith(known));
    const score = length === 0 ? 1 : distance(wanted, known) / length;
    const near = begins || score <= 0.4 || (length <= 4 && distance(wanted, known) === 1);
    if (near && (best === undefined || score < best.score)) best = {candidate, score};
  }
  return best?.candidate;
};

/** `a, b or c` */
export const orList = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
