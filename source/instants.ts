/**
 * Reading moments out of what applications store: ISO 8601 with any offset, epoch seconds and epoch
 * milliseconds, as numbers or numeric strings. The same patterns are used by the connectors, so that a value is
 * readable in the database exactly when it is readable here.
 */
import {Time, type Value} from './values.js';

const leapYear = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
const date = `(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|${leapYear}-02-29)`;
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:[.,]\\d{1,9})?)?';
const offset = '(?:[Zz]|[+-](?:0\\d|1[0-4])(?::?[0-5]\\d)?)';

/** A readable ISO 8601 text (also PostgreSQL's own spelling with a space); POSIX-compatible, to be anchored. */
export const isoPattern = `^\\s*${date}(?:[Tt ]${time}(?: ?${offset})?)?\\s*$`;
/** A readable epoch, seconds or milliseconds, as text. */
export const epochPattern = '^\\s*[+-]?\\d{1,15}(?:\\.\\d{1,9})?\\s*$';
/** At and above this magnitude a number is milliseconds (1973 as milliseconds, the year 5138 as seconds). */
export const millisecondsFrom = 1e11;
/** A number beyond this is no moment (JavaScript's and every store's calendar end before it). */
export const epochLimit = 8.64e15;

const isoRegex = new RegExp(isoPattern);
const epochRegex = new RegExp(epochPattern);
const partsRegex =
  /^\s*(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?)?\s*$/;

const ofNumber = (value: number): number | null => {
  if (!Number.isFinite(value) || Math.abs(value) > epochLimit) return null;
  return Math.abs(value) < millisecondsFrom ? Math.round(value * 1e6) : Math.round(value * 1e3);
};

const formatters = new Map<string, Intl.DateTimeFormat>();
const formatterOf = (zone: string): Intl.DateTimeFormat => {
  let formatter = formatters.get(zone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
};

/** How far a zone is ahead of UTC at a moment, in milliseconds. */
const offsetAt = (zone: string, ms: number): number => {
  const parts: Record<string, number> = {};
  for (const {type, value} of formatterOf(zone).formatToParts(ms)) parts[type] = Number(value);
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  const local = new Date(0);
  local.setUTCFullYear(parts.year!, parts.month! - 1, parts.day!);
  local.setUTCHours(parts.hour!, parts.minute!, parts.second!);
  return local.getTime() - Math.floor(ms / 1000) * 1000;
};

/** A wall-clock time in a zone → ms since 1970. In a gap or overlap it takes the standard reading, as PostgreSQL does. */
const inZone = (wall: number, zone: string): number => {
  if (zone === 'UTC') return wall;
  const before = offsetAt(zone, wall - 86_400_000);
  const after = offsetAt(zone, wall + 86_400_000);
  const candidates = [wall - before, wall - after].filter(ms => ms + offsetAt(zone, ms) === wall);
  // PostgreSQL reads an ambiguous time as standard time (the later moment), a skipped one by the offset before it.
  return candidates.length > 0 ? Math.max(...candidates) : wall - before;
};

const ofText = (text: string, zone: string): number | null => {
  if (epochRegex.test(text)) return ofNumber(Number(text));
  if (!isoRegex.test(text)) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zoneText] =
    partsRegex.exec(text)!;
  const wall = new Date(0);
  wall.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  wall.setUTCHours(Number(hour), Number(minute), Number(second));
  const micros = Math.round(Number(`0.${fraction || '0'}`) * 1e6);
  let ms = wall.getTime();
  if (zoneText === undefined) ms = inZone(ms, zone);
  else if (zoneText.toUpperCase() !== 'Z') {
    const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zoneText)!;
    ms -= (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  }
  return ms * 1000 + micros;
};

/** The beginning of the year 1: what lies before has no ISO 8601 of four digits, and is no moment of any session. */
const firstMicros = -62_135_596_800e6;

/**
 * A value as microseconds since 1970 UTC (`Infinity`/`-Infinity` for PostgreSQL's infinite timestamps), or null
 * if it can't be read. Text without an offset is read in `zone`, an IANA name.
 */
export const readInstant = (value: Value, zone = 'UTC'): number | null => {
  if (value instanceof Time)
    return value.micros >= firstMicros || !Number.isFinite(value.micros) ? value.micros : null;
  if (typeof value === 'number' || typeof value === 'bigint') return ofNumber(Number(value));
  return typeof value === 'string' ? ofText(value, zone) : null;
};
