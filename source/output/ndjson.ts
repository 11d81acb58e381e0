/** One JSON document a line. */
import {jsonLine} from './json.js';

/** Each row as a line of JSON, every line ended; nothing for no rows. */
export const toNdjson = (rows: readonly unknown[]): string => rows.map(row => `${jsonLine(row)}\n`).join('');
