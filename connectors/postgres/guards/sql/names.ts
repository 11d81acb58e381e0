/** Names of what guards make. */
import {createHash} from 'node:crypto';
import {ident} from '../../sql.js';

const longestBytes = 63;

/**
 * A name as the server keeps it whole, which cuts longer ones without a word: what is over 63 bytes is cut and ends in a
 * hash of the whole name. `suffix` stays at its end.
 */
export const objectName = (name: string, suffix = ''): string => {
  if (Buffer.byteLength(name + suffix) <= longestBytes) return name + suffix;
  const end = `_${createHash('sha256').update(name).digest('hex').slice(0, 8)}${suffix}`;
  let start = name;
  while (Buffer.byteLength(start + end) > longestBytes) start = [...start].slice(0, -1).join('');
  return `${start}${end}`;
};

/** A name in a schema, quoted; no schema (`''`) is the one on the search path. */
export const qualified = (schema: string, name: string): string =>
  schema === '' ? ident(name) : `${ident(schema)}.${ident(name)}`;
