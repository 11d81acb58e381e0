/** Moments as applications keep them in DynamoDB, which has no type for them: in the format of what is replaced. */
import {millisecondsFrom, readInstant} from '../../source/instants.js';
import type {Attribute} from './attributes.js';

const fractionPattern = /:\d\d[.,](\d{1,9})/;
const datePattern = /^\s*\d{4}-/;

const isoLike = (micros: number, text: string): string => {
  const digits = fractionPattern.exec(text)?.[1]?.length ?? (/\d:\d\d:\d\d/.test(text) ? 0 : 3);
  const [whole] = new Date(Math.floor(micros / 1000)).toISOString().split('.');
  const fraction = String(((micros % 1e6) + 1e6) % 1e6)
    .padStart(6, '0')
    .padEnd(9, '0')
    .slice(0, digits);
  return digits === 0 ? `${whole}Z` : `${whole}.${fraction}Z`;
};

/** Seconds or milliseconds, as the replaced number was. */
const epochLike = (micros: number, replaced: number): string =>
  String(Math.floor(Math.abs(replaced) < millisecondsFrom ? micros / 1e6 : micros / 1e3));

/**
 * A moment in the format of the attribute that it replaces: ISO 8601 (as many fraction digits; always in UTC
 * with a Z, which reads the same in any zone), epoch seconds or milliseconds, as a number or as text. ISO text
 * where there was nothing readable.
 */
export const momentLike = (micros: number, like?: Attribute): Attribute => {
  if (like && 'N' in like && readInstant(Number(like.N)) !== null)
    return {N: epochLike(micros, Number(like.N))};
  if (like && 'S' in like && readInstant(like.S) !== null)
    return {S: datePattern.test(like.S) ? isoLike(micros, like.S) : epochLike(micros, Number(like.S))};
  return {S: isoLike(micros, '')};
};
