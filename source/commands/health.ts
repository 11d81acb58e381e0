/** `health`: the health report. */

import type {HealthReport} from '../engine/health.js';
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {renderTable} from '../output/table.js';
import {sanitise, shorten} from '../sanitise.js';
import {summaryText, type TrendSummary} from '../trend.js';
import type {Json} from '../values.js';
import type {Context} from './context.js';
import {suggested} from './suggest.js';

const columns = [
  {name: 'check', header: 'CHECK'},
  {name: 'status', header: 'STATUS'},
  {name: 'total', header: 'FOUND', align: 'right' as const},
  {name: 'trend', header: 'TREND'},
  {name: 'reasons', header: 'REASONS'},
];

const trendCell = (trend: TrendSummary | null): string => {
  const {line, change} = summaryText(trend);
  return `${line} ${change}`.trim();
};

const rowsOf = (report: HealthReport): Record<string, string>[] =>
  report.checks.map(({check, status, total, byReason, trend, error}) => ({
    check,
    status,
    total: String(total),
    trend: trendCell(trend),
    reasons: error
      ? error.message
      : Object.entries(byReason)
          .map(([reason, count]) => `${reason} ${count}`)
          .join(', '),
  }));

const counts = (byStatus: Record<string, number>): string =>
  Object.entries(byStatus)
    .map(([status, count]) => `${shorten(status, 40)} ${count}`)
    .join(', ');

/** With the flags that make the command find the same configuration and state directory. */
const completed = (context: Context, text: string): string => {
  const flags = suggested(context, []).slice('sesstui'.length);
  return text.replace(/sesstui clean \S+ --action [\w-]+/, command => `${command}${flags}`);
};

const reportText = (context: Context, report: HealthReport, stale: string[]): string => {
  const {waiting} = report.sessions;
  const failed = report.checks.filter(({status}) => status === 'error').map(({check}) => check);
  const unknown = stale.filter(check => failed.includes(check));
  const known = stale.filter(check => !failed.includes(check));
  return [
    `${report.health} (${sanitise(report.environment)}, ${report.at})`,
    ...(unknown.length > 0
      ? [`sessions and requests of ${unknown.join(', ')} are not known: see its error`]
      : []),
    ...(known.length > 0 || unknown.length === 0
      ? [
          `sessions ${report.sessions.total}: ${counts(report.sessions.byStatus)}; waiting ${waiting.total}, of them ${waiting.stale} stale and ${waiting.veryStale} very stale`,
          `requests ${report.requests.total}: ${counts(report.requests.byStatus)}`,
        ]
      : []),
    '',
    renderTable(columns, rowsOf(report), {width: context.width, color: context.color}),
    ...report.problems.map(
      ({check, severity, count, text}) => `${severity}: ${check}: ${count} × ${sanitise(text)}`,
    ),
    ...report.recommendations.map(text => `→ ${sanitise(completed(context, text))}`),
    '',
  ].join('\n');
};

export const health = async (context: Context): Promise<number> => {
  const engine = await context.engine();
  const report = await engine.health();
  const {output, print} = context;
  if (output === 'json') await print(toJsonText(report));
  else if (output === 'ndjson') await print(toNdjson(report.checks as unknown as Json[]));
  else if (output === 'csv') await print(toCsv(columns, rowsOf(report)));
  else
    await print(
      reportText(
        context,
        report,
        engine.checks.filter(({kind}) => kind === 'stale-sessions').map(({id}) => id),
      ),
    );
  if (report.checks.some(({status}) => status === 'error')) return 3;
  return report.health === 'healthy' ? 0 : 1;
};
