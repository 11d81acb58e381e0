/** Writes the findings of a check to a new file, page by page. */
import {open} from 'node:fs/promises';
import {join} from 'node:path';
import {SesstuiError} from '../errors.js';
import type {OutputRow} from '../output/columns.js';
import {toCsv} from '../output/csv.js';
import {jsonLine} from '../output/json.js';
import {groupText, keyText, matches} from '../state/filter.js';
import type {Engine, Finding} from '../types.js';
import {stampOf} from '../words.js';
import {readSlice} from './look.js';

const PAGE = 1000;
const header = [
  'check',
  'finding',
  'reasons',
  'severity',
  'group',
  'ageSeconds',
  'table',
  'key',
  'verdict',
  'why',
  'values',
];

const columns = header.map(name => ({name}));

/** A line for each row of a finding, safe in a spreadsheet and on a terminal. */
const csvOf = (check: string, finding: Finding): string =>
  linesOf(
    finding.rows.map(row => ({
      check,
      finding: finding.id,
      reasons: finding.reasons.join(' '),
      severity: finding.severity,
      group: groupText(finding.group),
      ageSeconds: finding.ageSeconds,
      table: row.table,
      key: keyText(row.key),
      verdict: row.verdict,
      why: row.why,
      values: JSON.stringify(row.values),
    })),
  );

const headerLine = toCsv(columns, []);
const linesOf = (rows: OutputRow[]): string => toCsv(columns, rows).slice(headerLine.length);

export type ExportRequest = {
  check: string;
  format: 'csv' | 'json';
  filter: string;
  directory: string;
  now: Date;
};

/**
 * Writes what matches the filter; returns the path and how many findings are in it. The file is new (an existing
 * one is never written over, a link never followed) and for its owner only. Throws a `SesstuiError`.
 */
export const exportFindings = async (
  engine: Engine,
  {check, format, filter, directory, now}: ExportRequest,
  signal: AbortSignal,
): Promise<{path: string; count: number}> => {
  const path = join(directory, `sesstui-${check.replaceAll(/[^\w.-]/g, '-')}-${stampOf(now)}.${format}`);
  const file = await open(path, 'wx', 0o600).catch((thrown: unknown) => {
    throw new SesstuiError(
      'usage',
      `${path} can’t be written: ${String(thrown)}`,
      'Start sesstui in a directory that you may write to.',
    );
  });
  try {
    let count = 0;
    await file.write(format === 'csv' ? headerLine : `{"checks":[{"check":${jsonLine(check)},"findings":[`);
    for (let offset = 0; ; offset += PAGE) {
      const slice = await readSlice(engine, check, offset, PAGE, signal);
      if ('code' in slice) throw new SesstuiError(slice.code, slice.message, slice.hint);
      for (const finding of slice.items.filter(item => matches(item, filter))) {
        await file.write(
          format === 'csv' ? csvOf(check, finding) : `${count === 0 ? '' : ','}\n${jsonLine(finding)}`,
        );
        count++;
      }
      if (slice.items.length === 0 || offset + slice.items.length >= slice.total) break;
    }
    if (format === 'json') await file.write('\n]}]}\n');
    return {path, count};
  } finally {
    await file.close();
  }
};
