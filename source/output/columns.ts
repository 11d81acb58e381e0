/** What a list of results is made of, whatever it is written as. */
import type {Json} from '../values.js';

export type Cell = Json | undefined;
export type OutputRow = Record<string, Cell>;

export type OutputColumn = {
  /** The property of a row that it shows. */
  name: string;
  header: string;
  align?: 'left' | 'right';
  /** Columns of the screen that it takes up at most, and at least when others need the room. */
  max?: number;
  min?: number;
  /** Puts colour on the padded cell; called only when colour is wanted. */
  paint?: (text: string, row: OutputRow) => string;
};

/** A cell as text: strings bare, nothing for null, the rest as JSON. Not sanitised. */
export const cellText = (cell: Cell): string => {
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
};
