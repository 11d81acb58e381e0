/** Changes as a table: of a plan (before and after) and of a run (what came of each). */
import type {ReactElement} from 'react';
import {keyText, plainText} from '../source/state/filter.js';
import type {ShownChange, ShownResult} from '../source/types.js';
import type {Json} from '../source/values.js';
import {fitted} from './columns.js';
import type {Style} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, DataTable, type TableColumn} from './table.js';

type ChangeColumn = TableColumn & {flex?: number; cell: (change: ShownChange, selected: boolean) => Cell};

const opStyle: Record<ShownChange['op'], Style> = {delete: 'bad', update: 'warn', insert: 'good'};
const resultStyle: Record<ShownResult, Style> = {
  planned: 'plain',
  applied: 'good',
  skipped: 'dim',
  failed: 'bad',
  unknown: 'warn',
};

const pairs = (values: Record<string, Json>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value === null ? 'null' : plainText(value)}`)
    .join(', ');

type Difference = {name: string; from: Json; to: Json};

const isMap = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The values that differ, by their paths: of a map only what is different in it. */
const differences = (path: string, before: Record<string, Json>, after: Record<string, Json>): Difference[] =>
  Object.keys(after).flatMap(key => {
    const name = path + key;
    const from = before[key] ?? null;
    const to = after[key] ?? null;
    if (isMap(from) && isMap(to)) return differences(`${name}.`, from, to);
    return JSON.stringify(from) === JSON.stringify(to) ? [] : [{name, from, to}];
  });

/** What is different afterwards: `status: waiting → cancelled`; of a row that goes, what it held. */
export const difference = (change: ShownChange): string => {
  const {before, after} = change;
  if (!before) return after ? pairs(after) : '';
  if (!after)
    return pairs(Object.fromEntries(Object.entries(before).filter(([name]) => !(name in change.key))));
  return differences('', before, after)
    .map(
      ({name, from, to}) =>
        `${name}: ${plainText(from) || 'null'} ${symbols.arrow} ${plainText(to) || 'null'}`,
    )
    .join(', ');
};

const mark: ChangeColumn = {
  id: 'mark',
  title: '',
  width: 1,
  cell: (_, selected) => ({text: selected ? symbols.cursor : ''}),
};
const op: ChangeColumn = {
  id: 'op',
  title: 'Op',
  width: 6,
  cell: change => ({text: change.op, style: opStyle[change.op]}),
};
const key: ChangeColumn = {
  id: 'key',
  title: 'Row',
  width: 16,
  flex: 3,
  cell: change => ({text: keyText(change.key)}),
};
const table: ChangeColumn = {id: 'table', title: 'Table', width: 20, cell: change => ({text: change.table})};
const what: ChangeColumn = {
  id: 'what',
  title: `Before ${symbols.arrow} after`,
  width: 32,
  flex: 5,
  // A run that is finished has changes that were made, skipped or lost before.
  cell: change =>
    change.result === 'planned'
      ? {text: difference(change)}
      : {
          text: `${change.result}: ${change.why ?? change.error ?? (difference(change) || 'not said')}`,
          style: change.result === 'unknown' ? 'warn' : 'dim',
        },
};
const result: ChangeColumn = {
  id: 'result',
  title: 'Result',
  width: 8,
  cell: change => ({text: change.result, style: resultStyle[change.result]}),
};
const why: ChangeColumn = {
  id: 'why',
  title: 'Why, or what changed',
  width: 24,
  flex: 5,
  cell: change => ({
    text: change.error ?? change.why ?? difference(change),
    style: change.error ? 'bad' : 'plain',
  }),
};

/** The tables that changes are made to, in words. */
export const tablesOf = (changes: readonly ShownChange[]): string =>
  [...new Set(changes.map(change => change.table))].join(' and ');

export type ChangesProps = {
  changes: readonly ShownChange[];
  kind: 'plan' | 'result';
  top: number;
  /** The change under the cursor; none without it. */
  cursor?: number;
  height: number;
  width: number;
  color: boolean;
};

/** The first change on the screen: never so far down that the table ends above its last line. */
export const firstShown = (top: number, total: number, height: number): number =>
  Math.max(0, Math.min(top, total - Math.max(1, height - 3)));

/** The changes from `top` on, in `height` lines. */
export const ChangesTable = ({
  changes,
  kind,
  top,
  cursor,
  height,
  width,
  color,
}: ChangesProps): ReactElement => {
  const columns = kind === 'plan' ? [mark, op, key, what] : [result, op, key, why];
  const spec = fitted(columns, [table], width);
  const from = firstShown(top, changes.length, height);
  const rows = changes.slice(from, from + Math.max(1, height - 3)).map((change, index) => {
    const selected = from + index === cursor;
    return {
      id: String(from + index),
      cells: Object.fromEntries(spec.map(column => [column.id, column.cell(change, selected)])),
      style: selected ? ('cursor' as const) : undefined,
    };
  });
  return <DataTable columns={spec} rows={rows} color={color} />;
};
