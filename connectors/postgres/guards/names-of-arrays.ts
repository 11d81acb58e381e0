/** What the objects of `sorted` and `unique` are called. Those of migration 000009 follow the same rule. */
import {createHash} from 'node:crypto';
import {ident} from '../sql.js';

/** PostgreSQL cuts longer names without a word, so that two could become one. */
const longest = 63;

/** Cut to what PostgreSQL keeps, with a hash of what was cut off. */
export const shortened = (name: string, suffix = ''): string => {
  if (Buffer.byteLength(name + suffix) <= longest) return name + suffix;
  const tail = `_${createHash('sha256').update(name).digest('hex').slice(0, 8)}${suffix}`;
  let head = '';
  for (const char of name) {
    if (Buffer.byteLength(head + char + tail) > longest) break;
    head += char;
  }
  return head + tail;
};

export const sorterName = (elementBase: string): string => shortened(`sort_${elementBase}_array`);
export const sortFunctionName = (column: string): string => shortened(`sort_${column}_trigger`);
export const sortTriggerName = (column: string): string => shortened(`trigger_sort_${column}`);

/** `unique_device_stream_session_ids` of device_key, stream_id, session_ids. */
export const constraintName = (columns: readonly string[]): string =>
  shortened(`unique_${columns.map(column => column.replace(/(?<=.)_(?:key|id)$/, '')).join('_')}`);

/** Of what is there only during an install; sorts after `trigger_sort_…`, so that its trigger sees sorted arrays. */
export const meanwhileName = (constraint: string): string => shortened(constraint, '_meanwhile');

export const qualified = (schema: string, name: string): string => `${ident(schema)}.${ident(name)}`;

/** A function's body between dollars, whatever is in it. */
export const quotedBody = (body: string): string => {
  let tag = '$$';
  for (let n = 0; body.includes(tag); n++) tag = `$body${n}$`;
  return `${tag}${body}${tag}`;
};
