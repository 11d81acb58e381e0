/** How many lines each part of the screen has: the views draw by it, and keys page by it. */
import type {State} from './state.js';

export const MIN_COLUMNS = 60;
export const MIN_ROWS = 16;

/** Lines above the body: the title, the views, the check, its notice. */
export const HEAD_LINES = 4;
/** Lines below it: what was said or is marked, and the keys. */
export const FOOT_LINES = 2;
/** A table's own lines: top, heading, bottom. */
export const TABLE_LINES = 3;

export const isTooSmall = (state: State): boolean =>
  state.size.columns < MIN_COLUMNS || state.size.rows < MIN_ROWS;

/** Lines between head and foot. */
export const bodyHeight = (state: State): number => Math.max(1, state.size.rows - HEAD_LINES - FOOT_LINES);

/** Rows of the table that fills the body. */
export const tableHeight = (state: State): number => Math.max(1, bodyHeight(state) - TABLE_LINES);
