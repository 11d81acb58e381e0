/** The columns of the overview, and which of them there is room for. */
import type {List} from '../source/state/lists.js';
import type {CheckInfo, StoreStatus} from '../source/types.js';
import {fitted} from './columns.js';
import {ago, compact, count, tally} from './format.js';
import type {Style} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, type TableColumn, tableWidth} from './table.js';
import {CHANGE_COLUMNS, LINE_COLUMNS, type TrendText, withUnit} from './trend.js';

/** What a line of the overview is about. */
export type Entry = {
  check: CheckInfo;
  list: List;
  store: StoreStatus | undefined;
  selected: boolean;
  now: number;
  trend: TrendText;
};
type EntryColumn = TableColumn & {flex?: number; cell: (entry: Entry) => Cell};

export const storeStyle: Record<StoreStatus['state'], Style> = {up: 'good', down: 'bad', connecting: 'dim'};

/** A check’s answer in a word and a number. */
const status = ({list}: Entry): Cell => {
  if (list.error) return {text: `${symbols.bad} ${list.error.code}`, style: 'bad'};
  if (!list.summary) return {text: 'looking…', style: 'dim'};
  const {total, bySeverity} = list.summary;
  if (total === 0) return {text: `${symbols.good} none`, style: 'good'};
  const style: Style = bySeverity.critical > 0 ? 'bad' : bySeverity.warning > 0 ? 'warn' : 'dim';
  const worst = bySeverity.critical > 0 ? 'critical' : bySeverity.warning > 0 ? 'warning' : 'info';
  // A finding with several reasons may count more than once.
  const worstCount = Math.min(bySeverity[worst], total);
  const text =
    worstCount === total ? `${count(total)} ${worst}` : `${count(total)}: ${count(worstCount)} ${worst}`;
  return {text, style};
};

const mark: EntryColumn = {
  id: 'mark',
  title: '',
  width: 1,
  cell: ({selected}) => ({text: selected ? symbols.cursor : '', style: 'accent'}),
};
const name: EntryColumn = {
  id: 'check',
  title: 'Check',
  width: 20,
  flex: 2,
  cell: ({check}) => ({text: check.id}),
};
const storeState: EntryColumn = {
  id: 'store',
  title: 'Store',
  width: 10,
  cell: ({store}) => ({text: store?.state ?? '?', style: storeStyle[store?.state ?? 'connecting']}),
};
const foundColumn: EntryColumn = {id: 'found', title: 'Findings', width: 16, cell: status};
const looked: EntryColumn = {
  id: 'looked',
  title: 'Looked',
  width: 10,
  align: 'right',
  cell: ({list, now}) => ({text: list.answeredAt === null ? '–' : ago(list.answeredAt, now)}),
};
const columns: EntryColumn[] = [mark, name, storeState, foundColumn, looked];

const trend: EntryColumn = {
  id: 'trend',
  title: 'Last hour',
  width: LINE_COLUMNS + 1 + CHANGE_COLUMNS,
  cell: ({trend: {line, change, style}}) => ({
    text: change === '' ? '' : `${line.padStart(LINE_COLUMNS)} ${withUnit(change, CHANGE_COLUMNS)}`,
    style,
  }),
};
/** Where there is no room for the line: the change alone, and shorter words beside it. */
const narrow: EntryColumn[] = [
  mark,
  name,
  {
    ...storeState,
    width: 7,
    cell: entry =>
      entry.store?.state === 'connecting' ? {text: 'opening', style: 'dim'} : storeState.cell(entry),
  },
  foundColumn,
  {
    id: 'trend',
    title: 'Change',
    width: 10,
    cell: ({trend: {change, style}}) => ({text: withUnit(change, 10), style}),
  },
  {
    ...looked,
    title: 'Age',
    width: 7,
    cell: ({list, now}) => ({
      text: list.answeredAt === null ? '–' : compact((now - list.answeredAt) / 1000),
    }),
  },
];

const severities: EntryColumn = {
  id: 'severity',
  title: 'By severity',
  width: 20,
  flex: 3,
  cell: ({list}) => ({text: tally(list.summary?.bySeverity ?? {})}),
};
const reasons: EntryColumn = {
  id: 'reasons',
  title: 'By reason',
  width: 40,
  flex: 6,
  cell: ({list}) => ({text: tally(list.summary?.byReason ?? {})}),
};
const kind: EntryColumn = {
  id: 'kind',
  title: 'Kind',
  width: 10,
  cell: ({check}) => ({text: check.storeKind}),
};

/** The columns at a width; those of trends once one is known. */
export const columnsAt = (entries: readonly Entry[], width: number): EntryColumn[] => {
  if (entries.every(entry => entry.trend.change === ''))
    return fitted(columns, [severities, reasons, kind], width);
  const whole = [...columns.slice(0, -1), trend, looked];
  return tableWidth(whole) <= width
    ? fitted(whole, [reasons, severities, kind], width)
    : fitted(narrow, [], width);
};
