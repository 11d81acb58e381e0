/** The columns of a list of findings: a few for each kind of check, and the check's own where there is room. */
import {keyText, nameOf, plainText} from '../source/state/filter.js';
import type {List} from '../source/state/lists.js';
import {type ShownRow, shown} from '../source/state/shown.js';
import type {CheckInfo, Finding, Severity} from '../source/types.js';
import {compact} from './format.js';
import type {Style} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, type TableColumn, tableWidth} from './table.js';

export type FindingRow = {
  finding: Finding;
  gone: boolean;
  marked: boolean;
  selected: boolean;
  /** Seconds since the finding was read: ages go on while nobody asks. */
  since: number;
};

export type FindingColumn = TableColumn & {
  /** How much of the spare room it takes; none without it. */
  flex?: number;
  cell: (row: FindingRow) => Cell;
};

export const severityStyle: Record<Severity, Style> = {critical: 'bad', warning: 'warn', info: 'dim'};

const mark: FindingColumn = {
  id: 'mark',
  title: '',
  width: 2,
  cell: ({marked, selected}) => ({
    text: `${selected ? symbols.cursor : ' '}${marked ? symbols.mark : ' '}`,
    style: 'accent',
  }),
};

const severity: FindingColumn = {
  id: 'severity',
  title: 'Severity',
  width: 8,
  cell: ({finding}) => ({text: finding.severity, style: severityStyle[finding.severity]}),
};

const group = (title: string, width = 14): FindingColumn => ({
  id: 'group',
  title,
  width,
  flex: 4,
  cell: ({finding}) => ({text: nameOf(finding)}),
});

/** A faulty id can't tell which row it is; the row's key can. */
const rowKey: FindingColumn = {
  id: 'group',
  title: 'Row',
  width: 24,
  flex: 2,
  cell: ({finding}) => ({text: finding.rows[0] ? keyText(finding.rows[0].key) : ''}),
};

const reasons = (title: string, healthy: string, width = 18): FindingColumn => ({
  id: 'reasons',
  title,
  width,
  flex: 5,
  cell: ({finding, gone}) => {
    if (gone) return {text: 'gone', style: 'dim'};
    if (finding.reasons.length === 0) return {text: healthy, style: 'good'};
    return {text: finding.reasons.join(', '), style: severityStyle[finding.severity]};
  },
});

const rows: FindingColumn = {
  id: 'rows',
  title: 'Rows',
  width: 4,
  align: 'right',
  cell: ({finding}) => ({text: String(finding.rows.length)}),
};

const age = (title: string): FindingColumn => ({
  id: 'age',
  title,
  width: 7,
  align: 'right',
  cell: ({finding, since, gone}) => ({
    text: finding.ageSeconds === null ? '?' : compact(finding.ageSeconds + (gone ? 0 : since)),
  }),
});

/** What the safe default action would do with it. */
const fix: FindingColumn = {
  id: 'fix',
  title: 'Would',
  width: 7,
  cell: ({finding}) => {
    if (finding.reasons.length === 0) return {text: '–', style: 'dim'};
    if (finding.byHand) return {text: 'by hand', style: 'dim'};
    const verdicts = new Set(finding.rows.map(row => row.verdict));
    const verdict = [...verdicts].find(item => item !== 'keep' && item !== 'none');
    return verdict ? {text: verdict} : {text: '–', style: 'dim'};
  },
};

/** Stale sessions are told from the customer's side: what keeps the customer from buying again. */
const blocked = (check: CheckInfo): FindingColumn => ({
  id: 'blocked',
  title: 'Blocked by',
  width: 15,
  cell: ({finding}) => {
    const row = finding.rows[0];
    const status = plainText(row?.values.status);
    return {text: `${status} ${row?.table === check.table ? 'session' : 'request'}`.trim()};
  },
});

/** For each kind the columns that are always there, and those that come before the check's own where there is room. */
const columnsOfKind = (check: CheckInfo): {base: FindingColumn[]; more: FindingColumn[]} => {
  switch (check.kind) {
    case 'duplicates':
      return {base: [mark, severity, group('Group'), rows, reasons('Reasons', ''), age('Age')], more: [fix]};
    case 'null-ids':
      return {base: [mark, severity, rowKey, reasons('Reasons', '', 15)], more: [fix]};
    case 'stale-sessions':
      return {
        base: [mark, group('Customer'), age('Waiting'), blocked(check), reasons('Reasons', '')],
        more: [severity, fix],
      };
    case 'device-sessions':
      return {base: [mark, group('Email', 18), reasons('State', 'healthy', 14), fix, age('Age')], more: []};
  }
};

/** The check's own columns that don't say what the group says already. */
const own = (check: CheckInfo, list: List): FindingColumn[] => {
  const first: ShownRow | undefined = shown(list).count > 0 ? shown(list).at(list.top) : undefined;
  const known = first?.kind === 'finding' ? first.finding : undefined;
  const named = known ? nameOf(known) : '';
  const told = [
    ...Object.keys(known?.rows[0]?.key ?? {}),
    ...(check.kind === 'stale-sessions' ? ['status'] : []),
  ];
  return check.columns
    .filter(name => !told.includes(name) && (!known || plainText(known.rows[0]?.values[name]) !== named))
    .map(name => ({
      id: `own:${name}`,
      title: name,
      width: Math.max(10, Math.min(name.length, 20)),
      flex: 1,
      cell: ({finding}: FindingRow) => ({text: plainText(finding.rows[0]?.values[name])}),
    }));
};

/** Columns that a narrow screen can do without: the last first, but not the first one and not those with the most to say. */
const reduced = <Column extends TableColumn & {flex?: number}>(
  wanted: readonly Column[],
  width: number,
): Column[] => {
  const columns = [...wanted];
  while (tableWidth(columns) > width) {
    const index = columns.findLastIndex(column => !column.flex);
    if (index < 1) break;
    columns.splice(index, 1);
  }
  const over = tableWidth(columns) - width;
  const widest = columns.reduce((most, column) => Math.max(most, column.width), 0);
  return over <= 0
    ? columns
    : columns.map(column =>
        column.width === widest ? {...column, width: Math.max(1, widest - over)} : column,
      );
};

/** The columns that fit, filled up to exactly `width`. */
export const fitted = <Column extends TableColumn & {flex?: number}>(
  wanted: readonly Column[],
  extra: readonly Column[],
  width: number,
): Column[] => {
  const columns = reduced(wanted, width);
  for (const column of extra) {
    if (tableWidth([...columns, column]) <= width) columns.push(column);
  }
  let spare = width - tableWidth(columns);
  let shares = columns.reduce((sum, column) => sum + (column.flex ?? 0), 0);
  return columns.map(column => {
    if (!column.flex || spare <= 0) return column;
    const more = Math.round((spare * column.flex) / shares);
    spare -= more;
    shares -= column.flex;
    return {...column, width: column.width + more};
  });
};

/** False where the table has no times, so that a column would hold nothing but question marks. */
const hasAges = (list: List): boolean =>
  list.pages.size === 0 ||
  [...list.pages.values()].some(page => page.items.some(item => item.ageSeconds !== null));

/** The columns of a check's list at this width. */
export const columnsFor = (check: CheckInfo, list: List, width: number): FindingColumn[] => {
  const {base, more} = columnsOfKind(check);
  return fitted(
    hasAges(list) ? base : base.filter(column => column.id !== 'age'),
    [...more, ...own(check, list)],
    width,
  );
};
