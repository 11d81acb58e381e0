/** `check`: the findings. */

import {keyText} from '../engine/findings.js';
import {toCsv} from '../output/csv.js';
import {toJsonText} from '../output/json.js';
import {toNdjson} from '../output/ndjson.js';
import {renderTable} from '../output/table.js';
import {sanitise, shorten} from '../sanitise.js';
import type {CheckResult, Finding} from '../types.js';
import type {Json} from '../values.js';
import {ageText} from '../words.js';
import {namedCheck} from './checks.js';
import type {Context} from './context.js';

const findingJson = (finding: Finding): Json => {
  const {byHand, rows, ...rest} = finding;
  return {...rest, byHand, rows: rows.map(({identity: _, ...row}) => row)} as unknown as Json;
};

const resultJson = ({findings, bySeverity: _, ...result}: CheckResult): Json =>
  ({...result, findings: findings.map(findingJson)}) as unknown as Json;

const columns = [
  {name: 'severity', header: 'SEVERITY'},
  {name: 'reasons', header: 'REASONS'},
  {name: 'group', header: 'GROUP'},
  {name: 'rows', header: 'ROWS', align: 'right' as const},
  {name: 'age', header: 'AGE', align: 'right' as const},
  {name: 'key', header: 'KEY'},
  {name: 'verdict', header: 'WOULD'},
  {name: 'why', header: 'WHY'},
];

/** `42m`, `3h`, `5d`: an age that fits a column. */
const shortAge = (seconds: number | null): string =>
  seconds === null ? '' : ageText(seconds).replace(/ (.).*/, '$1');

const text = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

const findingRow = (check: string, finding: Finding): Record<string, string> => {
  const told = finding.rows.find(row => row.verdict !== 'keep') ?? finding.rows[0]!;
  return {
    check,
    severity: finding.severity,
    reasons: finding.reasons.join(', '),
    group: shorten(text(finding.group), 60),
    rows: String(finding.rows.length),
    age: shortAge(finding.ageSeconds),
    key: shorten(keyText(told.key), 60),
    verdict: told.verdict,
    why: told.why,
  };
};

const resultText = (context: Context, result: CheckResult): string => {
  if (result.status === 'error')
    return `${result.check}: error (${result.error!.code}): ${sanitise(result.error!.message)}\n  ${sanitise(result.error!.hint)}\n`;
  const reasons = Object.entries(result.byReason)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
  if (result.total === 0) return `${result.check}: pass, nothing found\n`;
  const table = renderTable(
    columns,
    result.findings.map(finding => findingRow(result.check, finding)),
    {width: context.width, color: context.color},
  );
  const more =
    result.total > result.findings.length
      ? `… and ${result.total - result.findings.length} more (--limit)\n`
      : '';
  return `${result.check}: ${result.status}, ${result.total} found (${reasons})\n${table}${more}`;
};

export const check = async (context: Context): Promise<number> => {
  const limit = context.flags.number('limit', 0) ?? 1000;
  const engine = await context.engine();
  const ids = context.words.length > 0 ? [...new Set(context.words)] : engine.checks.map(({id}) => id);
  for (const id of ids) namedCheck(engine, id);
  const results = await Promise.all(ids.map(id => engine.check(id, {limit, signal: context.signal})));
  const {output, print} = context;
  if (output === 'json') await print(toJsonText({checks: results.map(resultJson)}));
  else if (output === 'ndjson')
    await print(
      toNdjson(
        results.flatMap(result =>
          result.findings.map(
            finding => ({check: result.check, ...(findingJson(finding) as object)}) as unknown as Json,
          ),
        ),
      ),
    );
  else if (output === 'csv')
    await print(
      toCsv(
        [{name: 'check', header: 'CHECK'}, ...columns],
        results.flatMap(result => result.findings.map(finding => findingRow(result.check, finding))),
      ),
    );
  else
    await print(
      results.map(result => resultText(context, result)).join('\n') || 'No checks are configured.\n',
    );
  if (output !== 'json' && output !== 'table')
    for (const {check: id, error} of results) if (error) context.tell(`${id}: ${error.message}`);
  if (results.some(({status}) => status === 'error')) return 3;
  return results.some(({status}) => status === 'fail') ? 1 : 0;
};
