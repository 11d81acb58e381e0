/** Lines of text made of spans with a style: what every view is drawn with. Without colour a span is its text. */
import {clip, cut, displayWidth, sanitise, shorten} from '../source/sanitise.js';

export type Style =
  | 'plain'
  | 'bold'
  | 'dim'
  | 'good'
  | 'warn'
  | 'bad'
  | 'accent'
  | 'cursor'
  | 'badge'
  | 'alarm';

export type Span = string | {text: string; style: Style};
export type Line = readonly Span[];

const codes: Record<Style, string> = {
  plain: '',
  bold: '1',
  dim: '2',
  good: '32',
  warn: '33',
  bad: '1;31',
  accent: '36',
  cursor: '7',
  badge: '1;7',
  alarm: '1;7;31',
};

/** Text with the style's escape codes around it; the text alone where there is no colour. */
export const paint = (text: string, style: Style, color: boolean): string =>
  color && style !== 'plain' && text !== '' ? `\x1b[${codes[style]}m${text}\x1b[0m` : text;

export const span = (text: string, style: Style): Span => ({text, style});

/** A line in exactly `width` columns. Every text in it is sanitised here, whatever it came from. */
export const drawLine = (line: Line, width: number, color: boolean): string => {
  let left = width;
  let drawn = '';
  for (const item of line) {
    if (left <= 0) break;
    const {text, style} = typeof item === 'string' ? {text: item, style: 'plain' as const} : item;
    const kept = shorten(text, left);
    left -= displayWidth(kept);
    drawn += paint(kept, style, color);
  }
  return drawn + ' '.repeat(Math.max(0, left));
};

/** How many columns a line would take up. */
export const lineWidth = (line: Line): number =>
  line.reduce(
    (sum, item) => sum + displayWidth(sanitise(clip(typeof item === 'string' ? item : item.text))),
    0,
  );

/** A line with its last spans at the right edge; where there is no room for all, the others are cut. */
export const spread = (left: Line, right: Line, width: number): Line => {
  const room = width - lineWidth(right);
  if (lineWidth(right) === 0 || room < 2) return left;
  const space = room - lineWidth(left);
  if (space >= 1) return [...left, ' '.repeat(space), ...right];
  const kept: Span[] = [];
  let free = room - 1;
  for (const item of left) {
    const {text, style} = typeof item === 'string' ? {text: item, style: 'plain' as const} : item;
    const part = shorten(text, free);
    if (part === '') break;
    kept.push({text: part, style});
    free -= displayWidth(part);
  }
  return [...kept, ' '.repeat(room - lineWidth(kept)), ...right];
};

/** Words beyond this are not wrapped: no view has lines for them. */
const longestWrapped = 20_000;

/** The first part of a word, as much as fits, and at least one character. */
const headOf = (word: string, width: number): string => {
  const [first = ''] = word.match(/^[\s\S]\p{Mark}*/u) ?? [];
  const kept = cut(word, width + 1).replace(/…$/, '');
  return kept !== '' && word.startsWith(kept) ? kept : first;
};

/** Text in lines of at most `width` columns, broken between words (within one that is too long). */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of sanitise(clip(text, longestWrapped)).split(' ')) {
    let rest = word;
    if (line !== '' && displayWidth(line) + 1 + displayWidth(rest) <= width) {
      line += ` ${rest}`;
      continue;
    }
    if (line !== '') lines.push(line);
    // What is left may be long: whether it fits is seen from its beginning.
    while (rest.length > width && cut(rest, width) !== rest) {
      const part = headOf(rest, width);
      lines.push(part);
      rest = rest.slice(part.length);
    }
    line = rest;
  }
  lines.push(line);
  return lines;
};
