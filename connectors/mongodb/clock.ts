/** The store's clock, and moments written in the format that they replace. */
import {Double, Int32, Long} from 'bson';
import {SesstuiError} from '../../source/errors.js';
import {millisecondsFrom, readInstant} from '../../source/instants.js';
import type {Access} from './client.js';
import {valueOfBson} from './values.js';

/**
 * Microseconds since 1970 on the server's clock, to the millisecond. Every server that follows the protocol tells it
 * in `hello`; throws `unsupported` for one that doesn't: this machine's clock decides no age (safety S8).
 */
export const serverNow = async ({
  db,
  limit,
  signal,
}: Pick<Access, 'db' | 'limit' | 'signal'>): Promise<number> => {
  const {localTime} = await db.command({hello: 1, ...limit}, signal ? {signal} : {});
  if (localTime instanceof Date) return localTime.getTime() * 1000;
  throw new SesstuiError('unsupported', 'The server does not tell its time (hello.localTime).');
};

const isoLike = (micros: number, text: string): string => {
  const digits = /:\d\d[.,](\d{1,9})/.exec(text)?.[1]?.length ?? (/\d:\d\d:\d\d/.test(text) ? 0 : 3);
  const [whole] = new Date(Math.floor(micros / 1000)).toISOString().split('.');
  const fraction = String(((micros % 1e6) + 1e6) % 1e6)
    .padStart(6, '0')
    .padEnd(9, '0')
    .slice(0, digits);
  return digits === 0 ? `${whole}Z` : `${whole}.${fraction}Z`;
};

const epochLike = (micros: number, replaced: number): number =>
  Math.floor(Math.abs(replaced) < millisecondsFrom ? micros / 1e6 : micros / 1e3);

const numberLike = (number: number, replaced: unknown): unknown => {
  if (replaced instanceof Long) return Long.fromNumber(number);
  if (replaced instanceof Double) return new Double(number);
  return Math.abs(number) < 2 ** 31 ? new Int32(number) : Long.fromNumber(number);
};

/**
 * A moment in the format of the value that it replaces: text as ISO 8601 in UTC with as many fraction digits, or
 * as an epoch; a number as epoch seconds or milliseconds of the same type; anything else, and nothing, as a date.
 */
export const momentLike = (micros: number, replaced: unknown): unknown => {
  if (typeof replaced === 'string') {
    const isEpoch = readInstant(replaced) !== null && !/^\s*\d{4}-/.test(replaced);
    return isEpoch ? String(epochLike(micros, Number(replaced))) : isoLike(micros, replaced);
  }
  if (replaced instanceof Int32 || replaced instanceof Long || replaced instanceof Double) {
    const number = Number(valueOfBson(replaced));
    return numberLike(epochLike(micros, Number.isFinite(number) ? number : 0), replaced);
  }
  return new Date(Math.floor(micros / 1000));
};
