/** Neutral values → the text that PostgreSQL reads as a column's type. */
import {isoOfMicros, Other, Time, toJson, type Value} from '../../source/values.js';
import type {PgType} from './types.js';

const arrayItem = (value: Value, type: PgType): string => {
  if (Array.isArray(value)) return arrayText(value, type);
  const text = encode(value, type);
  return text === null ? 'NULL' : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
};

const arrayText = (items: Value[], type: PgType): string =>
  `{${items.map(item => arrayItem(item, type)).join(',')}}`;

/** Text of the column's type; null for an absent value. */
export const encode = (value: Value, type: PgType): string | null => {
  if (value === undefined || value === null) return null;
  if (type.family === 'json') return JSON.stringify(toJson(value));
  if (value instanceof Time) return isoOfMicros(value.micros);
  if (value instanceof Other) return value.text;
  if (Array.isArray(value) && type.element) return arrayText(value, type.element);
  return typeof value === 'object' ? JSON.stringify(toJson(value)) : String(value);
};
