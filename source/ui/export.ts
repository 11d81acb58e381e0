/** Writes the findings of a check to a new file, page by page. */
import {open} from 'node:fs/promises';
import {join} from 'node:path';
import {stringify} from 'csv-stringify/sync';
import {SesstuiError} from '../errors.js';
import {groupText, keyText, matches} from '../state/filter.js';
import type {Engine, Finding} from '../types.js';
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

/** A line for each row of a finding. A cell that a spreadsheet would calculate is escaped. */
const csvOf = (check: string, finding: Finding): string =>
  stringify(
    finding.rows.map(row => [
      check,
      finding.id,
      finding.reasons.join(' '),
      finding.severity,
      groupText(finding.group),
      finding.ageSeconds,
      row.table,
      keyText(row.key),
      row.verdict,
      row.why,
      JSON.stringify(row.values),
    ]),
    {escape_formulas: true},
  );

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
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const path = join(directory, `sesstui-${check.replaceAll(/[^\w.-]/g, '-')}-${stamp}.${format}`);
  const file = await open(path, 'wx', 0o600).catch((thrown: unknown) => {
    throw new SesstuiError(
      'usage',
      `${path} can’t be written: ${String(thrown)}`,
      'Start sesstui in a directory that you may write to.',
    );
  });
  try {
    let count = 0;
    await file.write(
      format === 'csv' ? stringify([header]) : `{"checks":[{"check":${JSON.stringify(check)},"findings":[`,
    );
    for (let offset = 0; ; offset += PAGE) {
      const slice = await readSlice(engine, check, offset, PAGE, signal);
      if ('code' in slice) throw new SesstuiError(slice.code, slice.message, slice.hint);
      for (const finding of slice.items.filter(item => matches(item, filter))) {
        await file.write(
          format === 'csv' ? csvOf(check, finding) : `${count === 0 ? '' : ','}\n${JSON.stringify(finding)}`,
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
