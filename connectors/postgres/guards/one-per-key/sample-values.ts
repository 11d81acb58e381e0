/** Values for rows of scratch copies, as text of a column's type. */
import {createHash} from 'node:crypto';
import type {Column} from '../../types.js';

const lengthOf = (name: string): number => Number(/\((\d+)\)$/.exec(name)?.[1] ?? 60);

const byFamily: Record<string, (n: number) => string> = {
  int: String,
  numeric: String,
  float: String,
  bool: n => (n % 2 === 0 ? 'true' : 'false'),
  timestamptz: n => `2001-01-01 00:00:${String(n % 60).padStart(2, '0')}+00`,
  timestamp: n => `2001-01-01 00:00:${String(n % 60).padStart(2, '0')}`,
  date: n => `2001-01-${String((n % 28) + 1).padStart(2, '0')}`,
  json: n => `{"n": ${n}}`,
};

/** The `n`th value (from 1; small) of a column: different ones for different `n`, but for booleans. */
export const sampleValue = ({type}: Column, n: number): string => {
  if (type.base === 'uuid') {
    const hex = createHash('sha256').update(`sample ${n}`).digest('hex');
    return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
  if (type.family === 'text') return `a${n}@b.c`.slice(0, lengthOf(type.name));
  if (type.family === 'array') return `{${sampleValue({type: type.element!} as Column, n)}}`;
  return (byFamily[type.family] ?? String)(n);
};
