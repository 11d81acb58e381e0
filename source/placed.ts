/**
 * Finished lines on a terminal that may take other widths for characters than we do: after each such character the
 * cursor is put where the next belongs, so that columns line up whatever the terminal takes.
 */
import {displayWidth} from './sanitise.js';

/** What all terminals draw one column wide: ASCII and the box, block and arrow characters of ours. */
const simple = /^[\x20-\x7e\u2500-\u259f\u2026\u2018-\u201f\u2013\u2190-\u2193]*$/;
const escapes = /\x1b\[[0-9;]*m/g;
const segmenter = new Intl.Segmenter('en', {granularity: 'grapheme'});

/** True where every terminal takes the same width for a line; colours count for nothing. */
const isSimple = (line: string): boolean => simple.test(line.replace(escapes, ''));

/** The line with the cursor put to its column after every character that terminals disagree about. */
export const placed = (line: string): string => {
  if (isSimple(line)) return line;
  let column = 1;
  let result = '';
  let from = 0;
  const text = (part: string): void => {
    for (const {segment} of segmenter.segment(part)) {
      result += segment;
      column += displayWidth(segment);
      if (!simple.test(segment)) result += `\x1b[${column}G`;
    }
  };
  for (const match of line.matchAll(escapes)) {
    text(line.slice(from, match.index));
    result += match[0];
    from = match.index + match[0].length;
  }
  text(line.slice(from));
  return result;
};
