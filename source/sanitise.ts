/**
 * The one way from a string that came from a database, a configuration or an error to the screen (S17): what a
 * terminal would act on or hide becomes a visible escape, then the text is cut by what it takes up on the screen.
 */
import stringWidth from 'string-width';

/**
 * Controls (C0, DEL, C1), format characters (bidi, zero-width, tags), line and paragraph separators, lone
 * surrogates, noncharacters, and everything else that Unicode says to draw as nothing (fillers, variation
 * selectors). Joiners inside emoji go too: terminals disagree about the width of joined sequences, and a joiner
 * can make two ids look like one. So do the letters that Unicode counts as the beginning of the character after
 * them (Grapheme_Cluster_Break=Prepend): at the end of a cell they would take its border in.
 */
const unsafe =
  /[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u0d4e\u{111c2}\u{111c3}\u{113d1}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}\u{11f02}]/gu;
/** A mark at the beginning, or the middle or end of a Korean syllable, would be drawn on what stands before the text. */
const leadingMarks = /^[\p{Mark}\u1160-\u11ff\ud7b0-\ud7fb]+/u;
const short: Record<string, string> = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};

const escapeCharacter = (character: string): string => {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code > 0xffff) return `\\u{${hex}}`;
  return short[character] ?? (code <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`);
};

/**
 * One line of text that is safe to write to a terminal: `\x1b`, `\n`, `\u202e`, `\u{e0041}` stand for what was
 * there. For people only: a backslash that was there before stays as it is, so this can't be read back.
 */
export const sanitise = (text: string): string =>
  text
    .replace(unsafe, escapeCharacter)
    .replace(leadingMarks, marks => Array.from(marks, escapeCharacter).join(''));

const printableAscii = /^[\x20-\x7e]*$/;
const segmenter = new Intl.Segmenter('en', {granularity: 'grapheme'});
/** A cluster of more marks than any script stacks is not worth its memory on the screen. */
const longestCluster = 32;

/** Marks that stand over or under another character, and the vowels and ends of a Korean syllable in pieces. */
const stacked = /^[\p{Nonspacing_Mark}\p{Enclosing_Mark}\u1160-\u11ff\ud7b0-\ud7fb]$/u;

/**
 * What a cluster may take up on a terminal: the sum of its parts. Terminals that put clusters together draw some
 * narrower, and then a gap is left; a smaller width would let the next character be drawn over a part of it, and
 * with that hide it.
 */
const clusterWidth = (cluster: string): number => {
  const whole = stringWidth(cluster);
  const parts = Array.from(cluster);
  if (parts.length === 1) return whole;
  const sum = parts.reduce((width, part) => width + (stacked.test(part) ? 0 : stringWidth(part)), 0);
  return Math.max(whole, sum);
};

const widthOf = (text: string): number => {
  if (printableAscii.test(text)) return text.length;
  let width = 0;
  for (const {segment} of segmenter.segment(text)) width += clusterWidth(segment);
  return width;
};

/** The beginning of a text, of at most `most` UTF-16 units and never half a character, with `…` if it goes on. */
export const clip = (text: string, most = 4096): string =>
  text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`;

/** Unsafe text of any length as one safe line of at most `width` columns; what can't fit is not looked at. */
export const shorten = (text: string, width: number): string => cut(sanitise(clip(text)), width);

/**
 * Sanitised text cut to at most `width` columns, between graphemes, with `…` where something was left out.
 * Never wider than `width`; `''` for a width below 1.
 */
export const cut = (text: string, width: number): string => {
  if (width < 1) return '';
  if (printableAscii.test(text)) return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
  let taken = '';
  let used = 0;
  // What fits beside the ellipsis, in case one is needed.
  let fits = '';
  for (const {segment} of segmenter.segment(text)) {
    const cluster = segment.length > longestCluster ? '\ufffd' : segment;
    used += clusterWidth(cluster);
    if (used > width) return `${fits}…`;
    taken += cluster;
    if (used < width) fits = taken;
  }
  return taken;
};

export type Align = 'left' | 'right';

/** Sanitised text in exactly `width` columns: cut if it is wider, filled with spaces if it is not. */
export const pad = (text: string, width: number, align: Align = 'left'): string => {
  const kept = cut(text, width);
  const space = ' '.repeat(Math.max(0, Math.floor(width) - widthOf(kept)));
  return align === 'right' ? space + kept : kept + space;
};

/** How many columns sanitised text takes up. */
export const displayWidth = widthOf;
