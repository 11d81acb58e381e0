/** What Node and the kernel write of a dying process: nothing that holds the environment or the memory (S16). */
import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {expect, test} from 'vitest';

const crash = pathToFileURL(resolve(import.meta.dirname, '../dist/source/crash.js')).href;
const script = `
  import {existsSync, readFileSync} from 'node:fs';
  import {leaveNoDumps} from '${crash}';
  const look = () => {
    const {reportOnFatalError, reportOnSignal, reportOnUncaughtException} = process.report;
    const filter = '/proc/self/coredump_filter';
    const core = existsSync(filter) ? Number.parseInt(readFileSync(filter, 'utf8'), 16) : null;
    return {reports: [reportOnFatalError, reportOnSignal, reportOnUncaughtException], core};
  };
  const before = look();
  leaveNoDumps();
  console.log(JSON.stringify({before, after: look()}));`;

test('no report on a signal or an error, though NODE_OPTIONS asked for it, and no memory in a core', () => {
  const asked = ['--report-on-fatalerror', '--report-on-signal', '--report-uncaught-exception'];
  const told = execFileSync(process.execPath, [...asked, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  const {before, after} = JSON.parse(told);
  expect(before.reports).toEqual([true, true, true]);
  expect(after.reports).toEqual([false, false, false]);
  if (existsSync('/proc/self/coredump_filter')) {
    expect(before.core).toBeGreaterThan(0);
    expect(after.core).toBe(0);
  }
});
