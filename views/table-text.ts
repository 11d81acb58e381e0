/** Rows of a list as table rows. */

import type {List} from '../source/state/lists.js';
import {isMarked} from '../source/state/marks.js';
import {shown} from '../source/state/shown.js';
import type {FindingColumn} from './columns.js';
import {symbols} from './symbols.js';
import type {TableRow} from './table.js';

const pendingRow = (id: string, selected: boolean, columns: readonly FindingColumn[]): TableRow => ({
  id,
  cells: Object.fromEntries(
    columns.map(column => [
      column.id,
      {text: column.id === 'mark' ? (selected ? symbols.cursor : '') : symbols.pending},
    ]),
  ),
  style: selected ? 'cursor' : 'dim',
});

/** The rows of the window: what is not loaded yet is drawn as `…`. */
export const windowRows = (
  list: List,
  columns: readonly FindingColumn[],
  height: number,
  now: number,
): TableRow[] => {
  const rows = shown(list);
  const since = list.answeredAt === null ? 0 : Math.max(0, (now - list.answeredAt) / 1000);
  const drawn: TableRow[] = [];
  for (let index = list.top; index < Math.min(rows.count, list.top + height); index++) {
    const row = rows.at(index);
    const selected = index === list.cursor.index;
    if (row.kind === 'pending') {
      drawn.push(pendingRow(String(index), selected, columns));
      continue;
    }
    const {finding, gone} = row;
    const marked = isMarked(list, finding);
    const cells = columns.map(
      column => [column.id, column.cell({finding, gone, marked, selected, since})] as const,
    );
    const style = selected ? 'cursor' : gone ? 'dim' : undefined;
    drawn.push({id: finding.id, cells: Object.fromEntries(cells), style});
  }
  return drawn;
};
