/** CSV for spreadsheets and scripts. */
import {stringify} from 'csv-stringify/sync';
import {sanitise} from '../sanitise.js';
import {type Cell, cellText, type OutputColumn, type OutputRow} from './columns.js';

/** What a spreadsheet may take for a formula (OWASP: CSV injection), full-width forms too. */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * A text that a spreadsheet would run gets an apostrophe before it; numbers are left alone, negative ones too.
 * Control characters become visible escapes, because standard output may be a terminal; JSON is the lossless form.
 */
const safe = (cell: Cell): string => {
  const text = cellText(cell);
  return (typeof cell === 'string' && formula.test(text) ? "'" : '') + sanitise(text);
};

/** A header line of the columns' names, and a line for each row; lines end in a newline (RFC 4180 quoting). */
export const toCsv = (columns: readonly Pick<OutputColumn, 'name'>[], rows: readonly OutputRow[]): string =>
  stringify([
    columns.map(column => safe(column.name)),
    ...rows.map(row => columns.map(column => safe(row[column.name]))),
  ]);
