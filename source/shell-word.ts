/** Words of commands that a person is told to type. */
import {shorten} from './sanitise.js';

/** The longest path of a file. */
const longest = 4096;

/** A word of a command that can be copied into a shell; a hostile one is shortened, and then matches nothing. */
export const shellWord = (text: string): string =>
  /^(?:--[a-z-]+|[\w@.,:+/][\w@.,:+/-]*)$/.test(text)
    ? text
    : `'${shorten(text, longest).replaceAll("'", `'\\''`)}'`;
