/** A finding with its rows side by side: what is wrong, what would become of each row, and why. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import {displayWidth, pad, shorten} from '../source/sanitise.js';
import {keyText, nameOf, plainText} from '../source/state/filter.js';
import {judgementOf} from '../source/state/keepers.js';
import type {List} from '../source/state/lists.js';
import {findingOf} from '../source/state/shown.js';
import {checkInfo} from '../source/state/state.js';
import type {CheckInfo, Finding, FindingRow} from '../source/types.js';
import {fitted, severityStyle} from './columns.js';
import {duration, plural} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, DataTable, type TableColumn} from './table.js';
import type {ViewProps} from './view.js';

type RowColumn = TableColumn & {flex?: number; cell: (row: FindingRow, selected: boolean) => Cell};

const verdictStyle: Record<string, Style> = {keep: 'good', delete: 'bad', none: 'dim'};

const verdictOf = (row: FindingRow, finding: Finding, list: List): {text: string; style: Style} => {
  const {verdict, chosen} = judgementOf(row, finding, list);
  return {text: verdict, style: chosen === 'kept' ? 'good' : (verdictStyle[verdict] ?? 'warn')};
};

const columnsOf = (finding: Finding, list: List): RowColumn[] => [
  {id: 'mark', title: '', width: 1, cell: (_, selected) => ({text: selected ? symbols.cursor : ''})},
  {id: 'verdict', title: 'Would', width: 12, cell: row => verdictOf(row, finding, list)},
  {id: 'key', title: 'Key', width: 20, flex: 4, cell: row => ({text: keyText(row.key)})},
];

const valueColumns = (finding: Finding, check: CheckInfo): RowColumn[] => {
  const first = finding.rows[0];
  const named = [...check.columns, ...Object.keys(first?.values ?? {})];
  const inKey = new Set(Object.keys(first?.key ?? {}));
  return [...new Set(named)]
    .filter(name => !inKey.has(name))
    .map(name => ({
      id: `value:${name}`,
      title: name,
      width: Math.max(12, Math.min(name.length, 24)),
      flex: 1,
      cell: row => ({text: plainText(row.values[name])}),
    }));
};

/** The finding in words: its group, each reason with what it means, and what can be done. */
const headLines = (finding: Finding, check: CheckInfo, gone: boolean, width: number): Line[] => {
  const aged = finding.ageSeconds === null ? 'age unknown' : `age ${duration(finding.ageSeconds)}`;
  const reasons = finding.reasons.flatMap(name => {
    const meaning = check.reasons.find(reason => reason.name === name)?.text ?? '';
    return wrap(`${name}: ${meaning}`, width - 4).map((text): Line => [`  ${text}`]);
  });
  const can = finding.actions.length > 0 ? `can be done: ${finding.actions.join(', ')}` : 'no action applies';
  const byHand = finding.byHand ? ', only when chosen by hand' : '';
  return [
    [
      span(nameOf(finding), 'bold'),
      '  ',
      span(finding.reasons.length === 0 ? 'healthy' : finding.severity, severityStyle[finding.severity]),
      span(`  ${plural(finding.rows.length, 'row')}, ${aged}`, 'dim'),
      gone ? span('  gone', 'warn') : '',
    ],
    ...reasons.slice(0, 5),
    [span(`  ${can}${byHand}`, 'dim')],
  ];
};

/** The row under the cursor in full: why it is judged as it is, and all of its values. */
const rowLines = (row: FindingRow, finding: Finding, list: List, width: number): Line[] => {
  const {verdict, why} = judgementOf(row, finding, list);
  const names = Object.keys(row.values);
  const widest = Math.min(24, Math.max(0, ...names.map(name => displayWidth(shorten(name, 24)))));
  return [
    ...wrap(`${verdict}: ${why}`, width - 2).map((text): Line => [span(text, 'accent')]),
    ...names.flatMap(name =>
      wrap(plainText(row.values[name]) || '–', width - widest - 5)
        .slice(0, 3)
        .map(
          (text, index): Line => [
            span(`  ${pad(index === 0 ? shorten(name, widest) : '', widest)}  `, 'dim'),
            text,
          ],
        ),
    ),
  ];
};

export const DetailsView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name !== 'details') return null;
  const list = state.lists[mode.check]!;
  const check = checkInfo(state, mode.check);
  const finding = findingOf(list, mode.id);
  if (!finding)
    return <Lines lines={[[], ['This finding is gone. Esc goes back.']]} width={width} color={color} />;
  const gone = list.ghosts.some(ghost => ghost.gone && ghost.finding.id === mode.id);
  const head = headLines(finding, check, gone, width);
  const spec = fitted(columnsOf(finding, list), valueColumns(finding, check), width);
  const selected = Math.min(mode.row, finding.rows.length - 1);
  const room = Math.max(1, Math.min(finding.rows.length, Math.floor((height - head.length - 3) / 2)));
  const top = Math.max(0, Math.min(selected - Math.floor(room / 2), finding.rows.length - room));
  const rows = finding.rows.slice(top, top + room).map((row, index) => ({
    id: keyText(row.key),
    cells: Object.fromEntries(spec.map(column => [column.id, column.cell(row, top + index === selected)])),
    style: top + index === selected ? ('cursor' as const) : undefined,
  }));
  const row = finding.rows[selected];
  const left = height - head.length - rows.length - 3;
  const place: Line[] =
    finding.rows.length > room ? [[span(`row ${selected + 1} of ${finding.rows.length}`, 'dim')]] : [];
  const below = [...place, ...(row ? rowLines(row, finding, list, width) : [])].slice(0, Math.max(0, left));
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Lines lines={head} width={width} color={color} />
      <DataTable columns={spec} rows={rows} color={color} />
      <Lines lines={below} width={width} color={color} />
    </Box>
  );
};
