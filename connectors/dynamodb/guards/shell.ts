/** Words of a bash script: nothing of a name or a value is ever read by the shell. Pure. */
import {sanitise} from '../../../source/sanitise.js';

/** `'it'\\''s'` */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export const quotedJson = (value: unknown): string => quoted(JSON.stringify(value));

/** Lines that are no commands, whatever they hold. */
export const comment = (lines: string[]): string[] =>
  lines.flatMap(line => line.split('\n')).map(line => (line === '' ? '#' : `# ${sanitise(line)}`));
