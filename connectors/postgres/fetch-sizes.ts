/** How many rows a FETCH asks for: few while nothing is known of their size, and never many of large ones (safety S19). */
import type {Cells} from './rows.js';

/** What one FETCH is to bring, in characters of text. */
const wanted = 4 * 2 ** 20;
/** Rows with some columns are small as a rule; whole rows may have a megabyte each, and old ones not. */
const most = {some: 500, whole: 100};
const first = {some: 100, whole: 10};

export type FetchSizes = {first: number; after: (rows: Cells[]) => number};

const lengthOf = (rows: Cells[]): number =>
  rows.reduce((sum, row) => sum + row.reduce((length, cell) => length + (cell?.length ?? 0), 0), 0);

/**
 * The sizes of a cursor's fetches, one after another. A fetch asks for as many rows as would bring what is wanted if
 * they were like the last ones, at most twice as many as before, and at most `most`: what bounds the damage where
 * large rows come after small ones.
 */
export const fetchSizes = (whole: boolean): FetchSizes => {
  const kind = whole ? 'whole' : 'some';
  return {
    first: first[kind],
    after: rows => {
      const each = Math.max(1, lengthOf(rows) / rows.length);
      return Math.max(1, Math.min(Math.floor(wanted / each), rows.length * 2, most[kind]));
    },
  };
};
