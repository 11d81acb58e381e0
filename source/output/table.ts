/** A table for people, fitted to the terminal. */
import {placed} from '../placed.js';
import {cut, displayWidth, pad, shorten} from '../sanitise.js';
import {cellText, type OutputColumn, type OutputRow} from './columns.js';

const gap = '  ';
const smallest = 4;
/** A value is shown up to here where there is no terminal to fit it to: JSON and CSV have it whole (S19). */
const widestCell = 1000;
const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`;

export type TableOptions = {
  /** Columns of the terminal; null where there is none (piped): nothing is cut. */
  width: number | null;
  color: boolean;
};

/**
 * The rows under their headers, every line ended, no line wider than `width`. The widest columns give way first;
 * what doesn't fit ends in `…`. All text is sanitised; on a terminal the cursor is put to its column after characters
 * whose width terminals disagree about.
 */
export const renderTable = (
  columns: readonly OutputColumn[],
  rows: readonly OutputRow[],
  options: TableOptions,
): string => {
  const most = Math.min(options.width ?? widestCell, widestCell);
  const header = columns.map(column => shorten(column.header, most));
  const body = rows.map(row => columns.map(column => shorten(cellText(row[column.name]), most)));
  const widths = columnWidths(columns, header, body, options.width);
  const line = (cells: string[], row: OutputRow | null): string => {
    let used = 0;
    const parts = cells.map((cell, index) => {
      const column = columns[index]!;
      const width = widths[index]!;
      const rest = options.width === null ? Infinity : options.width - used;
      used += width + gap.length;
      if (rest < 1) return '';
      const isLast = index === cells.length - 1;
      // No spaces at the end of a line: they would make it wrap, and nobody wants them in a pipe.
      const text =
        isLast && column.align !== 'right'
          ? cut(cell, Math.min(width, rest))
          : pad(cell, Math.min(width, rest), column.align);
      if (!options.color) return text;
      return row === null ? bold(text) : (column.paint?.(text, row) ?? text);
    });
    const whole = join(parts, options.color);
    // A dumb terminal has no cursor to put anywhere.
    return options.width === null || process.env.TERM === 'dumb' ? whole : placed(whole);
  };
  return `${[line(header, null), ...body.map((cells, index) => line(cells, rows[index]!))].join('\n')}\n`;
};

const join = (parts: string[], color: boolean): string => {
  const shown = parts.filter(
    (part, index) => part !== '' || parts.slice(index + 1).some(later => later !== ''),
  );
  const text = shown.join(gap);
  return color ? text : text.trimEnd();
};

/** The width of each column: what its cells need, then less for the widest until the line fits. */
const columnWidths = (
  columns: readonly OutputColumn[],
  header: readonly string[],
  body: readonly string[][],
  width: number | null,
): number[] => {
  const natural = columns.map((column, index) => {
    let needed = displayWidth(header[index]!);
    for (const cells of body) needed = Math.max(needed, displayWidth(cells[index]!));
    return width === null ? needed : Math.min(needed, column.max ?? needed, width);
  });
  if (width === null) return natural;
  const available = width - gap.length * (columns.length - 1);
  const least = columns.map((column, index) => Math.min(natural[index]!, column.min ?? smallest));
  return shrink(
    shrink(natural, least, available),
    least.map(() => 1),
    available,
  );
};

/** Takes from the widest column that may still give, until the sum is `available` or none may. */
const shrink = (widths: readonly number[], least: readonly number[], available: number): number[] => {
  const result = [...widths];
  let excess = result.reduce((sum, width) => sum + width, 0) - available;
  while (excess > 0) {
    let widest = -1;
    for (let index = 0; index < result.length; index++)
      if (result[index]! > least[index]! && (widest < 0 || result[index]! > result[widest]!)) widest = index;
    if (widest < 0) break;
    result[widest]!--;
    excess--;
  }
  return result;
};
