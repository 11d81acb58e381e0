/** Everything about one customer: blocked or not and by what, its sessions, what is wrong with them. */
import type {ReactElement} from 'react';
import {keyText, plainText} from '../source/state/filter.js';
import type {Blocking, CustomerReport, CustomerSession} from '../source/ui/customer.js';
import {severityStyle} from './columns.js';
import {duration} from './format.js';
import {windowed} from './help.js';
import {Lines} from './lines.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import type {ViewProps} from './view.js';

const waited = (seconds: number): string =>
  seconds < 120 ? `${seconds} seconds` : `${Math.floor(seconds / 60)} minutes`;

const blockingText = ({store, id, status, ageSeconds, stale}: Blocking): string => {
  const by = `by ${plainText(id)} in ${store}: ${status}`;
  if (ageSeconds === null) {
    return `${by}, its age is not known: nothing here unblocks it; set its createdAt or cancel it by hand`;
  }
  return `${by} for ${waited(ageSeconds)}${stale ? ', stale: cancelling it unblocks' : ''}`;
};

const sessionText = ({store, table, key, status, values, ageSeconds}: CustomerSession): string =>
  [
    store,
    table,
    keyText(key),
    status ?? plainText(values.status),
    ageSeconds === null ? '' : `age ${duration(ageSeconds)}`,
  ]
    .filter(Boolean)
    .join('  ');

const verdictLines = (report: CustomerReport, width: number): Line[] => {
  const {customer, blocked, blockedBy, sessions, findings} = report;
  if (blocked) {
    const by = blockedBy.flatMap(item => indented(blockingText(item), width));
    return [[span(`${customer} is blocked:`, 'bad')], ...by];
  }
  return sessions.length === 0 && findings.length === 0
    ? [[`Nothing is known of ${customer} in any store.`]]
    : [[span(`${customer} is not blocked.`, 'good')]];
};

const indented = (text: string, width: number, style: Style = 'plain'): Line[] =>
  wrap(text, width - 4).map((line, index): Line => [span(`${index === 0 ? '  ' : '    '}${line}`, style)]);

const section = (title: string, lines: Line[]): Line[] =>
  lines.length === 0 ? [] : [[], [span(title, 'bold')], ...lines];

const reportLines = (report: CustomerReport, width: number): Line[] => [
  ...verdictLines(report, width),
  ...(report.blockedBy.some(({stale}) => stale)
    ? [[span(`To unblock: go to 4 Stale, filter /${report.customer}, x`, 'accent')]]
    : []),
  ...(report.known.length > 0 ? indented(`Also known as: ${report.known.join(', ')}`, width) : []),
  ...section(
    'Sessions',
    report.sessions.map((session): Line => [`  ${sessionText(session)}`]),
  ),
  ...section(
    'Findings',
    report.findings.flatMap(({severity, check, reasons}) =>
      indented(`${severity}: ${check}: ${reasons.join(', ')}`, width, severityStyle[severity]),
    ),
  ),
  ...section(
    'Errors',
    report.errors.flatMap(({check, error}) => indented(`${check}: ${error.message}`, width, 'bad')),
  ),
];

export const CustomerView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color} = state;
  if (mode.name === 'prompt') {
    const lines: Line[] = [
      [span('Everything about one customer', 'bold')],
      ['A customer id, account id, session id or email:'],
      [],
      [span('  > ', 'accent'), mode.text, span('_', 'accent')],
    ];
    return <Lines lines={lines} width={width} color={color} />;
  }
  if (mode.name !== 'customer') return null;
  const body: Line[] = mode.error
    ? [[span(`${symbols.bad} ${mode.error.message}`, 'bad')], [`  ${mode.error.hint}`]]
    : mode.report === null
      ? [[span('Looking in all stores…', 'dim')]]
      : reportLines(mode.report as unknown as CustomerReport, width);
  const lines = [[span(`Customer ${mode.id}`, 'bold')], ...windowed(body, mode.top, height - 1)];
  return <Lines lines={lines} width={width} color={color} />;
};
