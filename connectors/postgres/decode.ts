/** PostgreSQL's text output → neutral values. The session's output formats are pinned (session.ts). */
import pg from 'pg';
import {Other, Time, type Value, type ValueMap} from '../../source/values.js';
import type {PgType} from './types.js';

/** A number's text without exponent, leading `+`, trailing zeros or a negative zero: equal numbers, equal text. */
export const plainDecimal = (text: string): string | null => {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text);
  if (!match || (match[2] === '' && !match[3])) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent);
  if (Math.abs(shift) > 20_000) return null;
  let digits = whole + fraction;
  let point = whole.length + shift;
  if (point < 0) digits = '0'.repeat(-point) + digits;
  else if (point > digits.length) digits = digits.padEnd(point, '0');
  point = Math.max(point, 0);
  const integral = digits.slice(0, point).replace(/^0+(?=\d)/, '') || '0';
  const rest = digits.slice(point).replace(/0+$/, '');
  const plain = rest === '' ? integral : `${integral}.${rest}`;
  return sign === '-' && plain !== '0' ? `-${plain}` : plain;
};

/** A number where that is exact, a bigint for larger integers, else `Other`. */
export const readNumeric = (text: string): Value => {
  const plain = plainDecimal(text);
  const number = Number(text);
  if (plain === null || plainDecimal(String(number)) === plain) return number;
  return plain.includes('.') ? new Other('numeric', plain) : BigInt(plain);
};

/** Days from 1970-01-01 of the proleptic Gregorian calendar; JavaScript's Date ends before PostgreSQL's. */
const daysOf = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
};

const timePattern =
  /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

const readTime = (text: string): Value => {
  if (text === 'infinity') return new Time(Number.POSITIVE_INFINITY);
  if (text === '-infinity') return new Time(Number.NEGATIVE_INFINITY);
  const match = timePattern.exec(text);
  if (!match) return new Other('timestamptz', text);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset =
    (match[8] === '-' ? -1 : 1) *
    (Number(match[9]) * 3600 + Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0));
  const days = daysOf(match[12] ? 1 - year : year, month, day);
  const seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
  return new Time(seconds * 1e6 + Number((match[7] ?? '').padEnd(6, '0')));
};

const readArray = (text: string, element: PgType): Value => {
  // pg's parser knows array bounds, quoting and nesting; its typings leave it out.
  const {arrayParser} = pg.types as unknown as {
    arrayParser: {create(text: string, transform: (item: string | null) => Value): {parse(): Value[]}};
  };
  return arrayParser.create(text, item => decode(item, element)).parse();
};

/** The neutral value of a column's text; null for NULL. */
export const decode = (text: string | null, type: PgType): Value => {
  if (text === null) return null;
  switch (type.family) {
    case 'text':
      // The blanks that char(n) pads with mean nothing, and a cast to text drops them.
      return type.base === 'bpchar' ? text.replace(/ +$/, '') : text;
    case 'int':
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
    case 'numeric':
      return readNumeric(text);
    case 'float':
      return Number(text);
    case 'bool':
      return text === 't' || text === 'true';
    case 'timestamptz':
      return readTime(text);
    case 'timestamp':
    case 'date':
      return text.endsWith('infinity') ? readTime(text) : text;
    case 'json':
      return JSON.parse(text) as ValueMap;
    case 'array':
      return readArray(text, type.element!);
    default:
      return new Other(type.base, text);
  }
};
