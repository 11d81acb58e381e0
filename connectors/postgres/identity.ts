/**
 * Which row: by its key's columns as text, or by where it lies (ctid and tableoid) with a hash of all of it beside,
 * because another row may lie there later.
 */
import type {Identity} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Table} from './catalogue.js';
import {uuidRegex} from './membership.js';
import {type Binder, ident, isStorable} from './sql.js';
import type {PgType} from './types.js';

/** sha256, in hex, of the whole row as text: it changes when anything in the row does. */
export const versionOf = (alias: string): string =>
  `encode(sha256(convert_to((${alias}.*)::text, 'UTF8')), 'hex')`;

/** What identity columns are called in `at`, and the SQL that answers their text. */
export const identityColumns = (table: Table, alias: string): {name: string; sql: string}[] => {
  if (table.key.length > 0) return table.key.map(({name}) => ({name, sql: `${alias}.${ident(name)}`}));
  if (!['r', 'p', 'm'].includes(table.kind))
    throw new SesstuiError(
      'unsupported',
      `"${table.name}" is a view or a foreign table: its rows have no identity.`,
      'Name the table itself.',
    );
  return [
    {name: 'ctid', sql: `${alias}.ctid`},
    {name: 'tableoid', sql: `${alias}.tableoid::oid`},
    {name: 'hash', sql: versionOf(alias)},
  ];
};

export const identityKind = (table: Table): Identity['by'] => (table.key.length > 0 ? 'key' : 'place');

const integers: Record<string, bigint> = {int2: 2n ** 15n, int4: 2n ** 31n, int8: 2n ** 63n};

/** Could a column of this type hold it? What can't is no row's key, and must not make a cast fail. */
const fits = (text: string, {base, family}: PgType): boolean => {
  if (!isStorable(text)) return false;
  if (base === 'uuid') return uuidRegex.test(text.toLowerCase());
  if (base in integers) {
    const limit = integers[base]!;
    return /^-?\d{1,19}$/.test(text) && BigInt(text) < limit && BigInt(text) >= -limit;
  }
  if (family === 'bool') return /^(?:t|f|true|false)$/.test(text);
  if (family === 'numeric' || family === 'float')
    return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$|^NaN$|^-?Infinity$/i.test(text);
  return true;
};

const placePattern = /^\(\d{1,10},\d{1,5}\)$/;

/** The texts of an identity in the order of `identityColumns`, or null if no row of the table can have it. */
export const identityTexts = (table: Table, {by, at}: Identity): string[] | null => {
  if (by !== identityKind(table)) return null;
  const names = by === 'key' ? table.key.map(column => column.name) : ['ctid', 'tableoid', 'hash'];
  const texts = names.map(name => at[name]);
  if (!texts.every(text => typeof text === 'string')) return null;
  if (by === 'place')
    return placePattern.test(texts[0]!) && /^\d{1,10}$/.test(texts[1]!) ? (texts as string[]) : null;
  return table.key.every(({type}, index) => fits(texts[index]!, type)) ? (texts as string[]) : null;
};

/** Columns of `unnest` (a0, a1, … and what else is given), for a join with rows by identity. */
export const unnested = (lists: (string | null)[][], names: string[], binder: Binder, alias = 'u'): string =>
  `unnest(${lists.map(list => binder.bind(list, 'text[]')).join(', ')}) with ordinality as ${alias}(${[...names, 'i'].join(', ')})`;

export const identityNames = (table: Table): string[] =>
  identityColumns(table, 't').map((_, index) => `a${index}`);

/** The join condition of a row with an unnested identity. */
export const identityMatch = (table: Table, alias: string, list = 'u'): string =>
  table.key.length > 0
    ? table.key
        .map(({name, type}, index) => `${alias}.${ident(name)} = ${list}.a${index}::${type.cast}`)
        .join(' and ')
    : `${alias}.ctid = ${list}.a0::tid and ${alias}.tableoid = ${list}.a1::oid and ${versionOf(alias)} = ${list}.a2`;

/** One list of texts for each identity column. */
export const transposed = (rows: (string | null)[][], width: number): (string | null)[][] =>
  Array.from({length: width}, (_, column) => rows.map(row => row[column]!));

/** A condition on `alias`: it is one of these rows. */
export const isOneOf = (table: Table, alias: string, identities: Identity[], binder: Binder): string => {
  const texts = identities.map(identity => identityTexts(table, identity)).filter(found => found !== null);
  if (texts.length === 0) return 'false';
  const [column] = table.key;
  if (table.key.length === 1)
    return `${alias}.${ident(column!.name)} = any(${binder.bind(
      texts.map(([text]) => text!),
      'text[]',
    )}::${column!.type.cast}[])`;
  const names = identityNames(table);
  const lists = transposed(texts, names.length);
  const match = identityMatch(table, alias, 'w');
  // A place is looked up by ctid alone first, which is direct; the rest only confirms.
  const direct =
    table.key.length === 0 ? `${alias}.ctid = any(${binder.bind(lists[0]!, 'text[]')}::tid[]) and ` : '';
  return `(${direct}exists (select from ${unnested(lists, names, binder, 'w')} where ${match}))`;
};
