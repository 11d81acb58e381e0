/** Names of what guards make. */
import {createHash} from 'node:crypto';

const longestBytes = 63;

/** A name as the server keeps it whole: what is over 63 bytes is cut and ends in a hash of the whole name. */
export const objectName = (name: string): string => {
  if (Buffer.byteLength(name) <= longestBytes) return name;
  const end = `_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
  let start = name;
  while (Buffer.byteLength(start) + end.length > longestBytes) start = [...start].slice(0, -1).join('');
  return `${start}${end}`;
};
