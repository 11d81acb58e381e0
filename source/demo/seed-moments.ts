/** The spellings of a moment that the login service wrote over the years, all in one table. */
import type {Random} from './random.js';

const pad = (value: number): string => String(value).padStart(2, '0');

/** ISO 8601 as a clock at this offset shows it. */
const isoAt = (ms: number, offsetMinutes: number): string => {
  const sign = offsetMinutes < 0 ? '-' : '+';
  const size = Math.abs(offsetMinutes);
  const wall = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, -1);
  return `${wall}${sign}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
};

const spellings: ((ms: number) => string | number)[] = [
  ms => new Date(ms).toISOString(),
  ms => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z'),
  ms => isoAt(ms, 120),
  ms => isoAt(ms, -300),
  ms => isoAt(ms, 330),
  ms => Math.floor(ms / 1000),
  ms => ms,
  ms => String(Math.floor(ms / 1000)),
  ms => String(ms),
];

export const spellMoment = (random: Random, ms: number): string | number => random.pick(spellings)(ms);

/** Values that stand where a moment should be and can't be read as one. */
export const unreadableMoments = [
  'yesterday',
  'N/A',
  '21/11/2026 08:30',
  'Invalid Date',
  '2026-02-30T10:00:00Z',
];
