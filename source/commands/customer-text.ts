/** One customer for people: the verdict first, then one timeline over all stores, and what to type next. */
import type {CustomerReport} from '../engine/customer/report.js';
import {type CommandText, verdictOf} from '../engine/customer/verdict.js';
import type {OutputColumn, OutputRow} from '../output/columns.js';
import {renderTable} from '../output/table.js';
import {cut, displayWidth, sanitise, shorten} from '../sanitise.js';
import {spacedValues} from '../values.js';
import {ageText} from '../words.js';
import type {Context} from './context.js';

/** What a CSV file holds of each session, and what the table's columns are made of. */
export const csvColumns: OutputColumn[] = [
  {name: 'at', header: 'AT'},
  {name: 'ageSeconds', header: 'AGE_SECONDS'},
  {name: 'store', header: 'STORE'},
  {name: 'table', header: 'TABLE'},
  {name: 'status', header: 'STATUS'},
  {name: 'key', header: 'KEY'},
  {name: 'wrong', header: 'WRONG'},
  {name: 'blocks', header: 'BLOCKS'},
  {name: 'values', header: 'VALUES'},
];

export const csvRows = ({sessions}: CustomerReport): OutputRow[] =>
  sessions.map(({key, wrong, ...session}) => ({
    ...session,
    key: spacedValues(key),
    wrong: wrong.join(' '),
  }));

/** `42 min`; the verdict has it in words. */
const ageCell = (seconds: number | null): string =>
  seconds === null
    ? ''
    : ageText(seconds)
        .replace(' seconds', ' s')
        .replace(' minutes', ' min')
        .replace(' hours', ' h')
        .replace(' days', ' d');

const graphemes = new Intl.Segmenter('en', {granularity: 'grapheme'});

/** Sanitised text cut in the middle, between graphemes: the ends of ids differ more than their beginnings. */
export const cutMiddle = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text;
  if (width < 4) return cut(text, width);
  const head = Math.ceil((width - 1) / 2);
  const start = cut(text, head + 1).replace(/…$/, '');
  let end = '';
  const parts = Array.from(graphemes.segment(text), ({segment}) => segment);
  for (const part of parts.reverse()) {
    if (displayWidth(`${start}…${part}${end}`) > width) break;
    end = part + end;
  }
  return `${start}…${end}`;
};

/** The room that the key is given; the rest of 80 columns is the others'. */
const keyWidth = (width: number | null, rows: OutputRow[]): number => {
  if (width === null) return Infinity;
  const widest = (name: string, least: number, most: number): number =>
    Math.min(most, Math.max(least, ...rows.map(row => displayWidth(sanitise(String(row[name]))))));
  const others =
    widest('age', 3, 10) + widest('store', 5, 12) + widest('table', 5, 16) + widest('status', 6, 12);
  return Math.max(9, width - others - widest('wrong', 5, 20) - 2 * 5);
};

const timeline = (context: Context, {sessions}: CustomerReport): string => {
  const rows = sessions.map(({store, table, status, key, wrong, ageSeconds}) => ({
    age: ageCell(ageSeconds),
    store,
    table,
    status: status ?? '',
    key: sanitise(spacedValues(key)),
    wrong: wrong.join(', '),
  }));
  const most = keyWidth(context.width, rows);
  const columns: OutputColumn[] = [
    {name: 'age', header: 'AGE', min: 6},
    {name: 'store', header: 'STORE', max: 12, min: 5},
    {name: 'table', header: 'TABLE', max: 16},
    {name: 'status', header: 'STATUS', max: 12},
    {name: 'key', header: 'KEY', min: Math.min(36, most)},
    {name: 'wrong', header: 'WRONG', min: 8},
  ];
  const body = rows.map(row => ({...row, key: Number.isFinite(most) ? cutMiddle(row.key, most) : row.key}));
  return renderTable(columns, body, {width: context.width, color: context.color}).trimEnd();
};

/** `customer-7: blocked by …`; nobody has no name before it. */
export const verdictLine = (report: CustomerReport, commandText: CommandText): string => {
  const verdict = verdictOf(report, commandText);
  const isNobody = verdict.startsWith('nothing is ');
  return isNobody
    ? `${verdict[0]!.toUpperCase()}${verdict.slice(1)}.`
    : `${shorten(report.customer, 200)}: ${verdict}.`;
};

const isUnknown = ({sessions, findings}: CustomerReport): boolean =>
  sessions.length === 0 && findings.length === 0;

/** `lines`: what to type next. */
export const reportText = (
  context: Context,
  report: CustomerReport,
  {lines, commandText}: {lines: string[]; commandText: CommandText},
): string => {
  const {known, sessions, searched, notes, errors, cleaned} = report;
  return [
    ...(cleaned > 0 ? [`${cleaned} cancelled.`] : []),
    verdictLine(report, commandText),
    ...(known.length > 0 ? [`Also known as: ${known.map(text => shorten(text, 200)).join(', ')}`] : []),
    ...(sessions.length > 0 ? ['', timeline(context, report)] : []),
    ...(isUnknown(report) && searched.length > 0
      ? ['', 'Searched:', ...searched.map(text => `  ${sanitise(text)}`)]
      : []),
    ...(notes.length + errors.length > 0 ? [''] : []),
    ...notes.map(note => `Note: ${sanitise(note)}`),
    ...errors.map(({check, error}) => `error: ${sanitise(check)}: ${sanitise(error.message)}`),
    ...lines,
    '',
  ].join('\n');
};
