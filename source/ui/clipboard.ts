/** The terminal's clipboard (OSC 52). */
import {sanitise} from '../sanitise.js';

/** What is pasted into a shell must not press Enter there: control characters are copied as escapes. */
const clipboardText = (text: string): string =>
  text.replace(/\p{Control}/gu, character => sanitise(character));

/**
 * The sequence that puts a text into the clipboard, and what is said of it. `what` names a text of several lines, which
 * stay lines; without it a line break is an escape as any other control character.
 */
export const copySequence = (text: string, what?: string): {sequence: string; told: string} => {
  const lines = what === undefined ? [text] : text.split('\n');
  const copied = lines.map(clipboardText).join('\n');
  const told = what === undefined ? copied : `${what}, ${lines.length} lines`;
  return {sequence: `\x1b]52;c;${Buffer.from(copied).toString('base64')}\x07`, told: `Copied: ${told}`};
};
