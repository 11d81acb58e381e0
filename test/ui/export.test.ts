/** Exports are new files, for their owner only, with everything that matches in them. */
import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {exportFindings} from '../../source/ui/export.js';
import {createFakeEngine} from '../support/fake-engine.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sesstui-export-'));
});
afterEach(() => rm(directory, {recursive: true, force: true}));

const now = new Date('2026-11-21T01:42:10.000Z');
const {signal} = new AbortController();
const request = (format: 'csv' | 'json', filter = '', check = 'kite/duplicates') => ({
  check,
  format,
  filter,
  directory,
  now,
});

test('JSON holds every finding, over all pages', async () => {
  const engine = createFakeEngine({kite: 2500});
  const {path, count} = await exportFindings(engine, request('json'), signal);
  expect([path, count]).toEqual([join(directory, 'sesstui-kite-duplicates-20261121T014210Z.json'), 2500]);
  const {checks} = JSON.parse(await readFile(path, 'utf8'));
  expect(checks[0].findings).toEqual(engine.findings['kite/duplicates']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('CSV has a line for each row of what matches the filter, and nothing a spreadsheet would calculate', async () => {
  const engine = createFakeEngine();
  engine.findings['kite/duplicates']![1]!.rows[0]!.why = '=HYPERLINK("http://example.com")';
  const {path, count} = await exportFindings(engine, request('csv', '1041'), signal);
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  expect([count, lines.length]).toEqual([1, 1 + 3]);
  expect(lines[0]).toBe('check,finding,reasons,severity,group,ageSeconds,table,key,verdict,why,values');
  expect(lines[1]).toContain("'=HYPERLINK");
});

test('healthy sessions of devices are exported too', async () => {
  const {count} = await exportFindings(createFakeEngine(), request('csv', '', 'gym/device-sessions'), signal);
  expect(count).toBe(8);
});

test('an existing file is never written over', async () => {
  const path = join(directory, 'sesstui-kite-duplicates-20261121T014210Z.csv');
  await writeFile(path, 'mine');
  await expect(exportFindings(createFakeEngine(), request('csv'), signal)).rejects.toMatchObject({
    code: 'usage',
  });
  expect(await readFile(path, 'utf8')).toBe('mine');
});

test('a store that is down is an error, not a short file said to be whole', async () => {
  const engine = createFakeEngine();
  engine.setDown('kite', true);
  await expect(exportFindings(engine, request('csv'), signal)).rejects.toMatchObject({code: 'unreachable'});
});
