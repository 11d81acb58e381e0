/** Durations as a configuration and the command line write them. */
import ms, {type StringValue} from 'ms';

export const durationPattern = /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/;

/** `90s`, `15m`, `2h`, `7d` → milliseconds. Throws a RangeError for anything else. */
export const parseDuration = (text: string): number => {
  const value = durationPattern.test(text) ? ms(text as StringValue) : undefined;
  if (value === undefined) throw new RangeError(`"${text}" is not a duration like 90s, 15m, 2h or 7d`);
  return value;
};
