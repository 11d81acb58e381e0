/** Counts of checks are kept in the state directory, for every process that looks. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeEach, expect, test} from 'vitest';
import {Trends} from '../../source/engine/disk/trends.js';

const check = 'rides/stale-sessions';
const found = (total: number) => ({check, status: 'fail' as const, total});
const now = Date.UTC(2026, 10, 21, 12);
let directory: string;
const file = () => join(directory, 'trends', 'rides%2Fstale-sessions.jsonl');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sesstui-trends-'));
});

test('another process goes on with what is there', async () => {
  const first = new Trends(directory);
  first.record(found(4), now);
  first.record(found(9), now + 20_000);
  await first.settled();
  const second = new Trends(directory);
  second.record(found(16), now + 40_000);
  await second.settled();
  expect(second.of(check).points).toEqual([
    {at: now, total: 4},
    {at: now + 20_000, total: 9},
    {at: now + 40_000, total: 16},
  ]);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test('the same check on another server has a trend of its own', async () => {
  const first = new Trends(directory, () => '-one');
  first.record(found(90), now);
  await first.settled();
  const second = new Trends(directory, () => '-two');
  second.record(found(4), now + 20_000);
  await second.settled();
  expect(second.of(check).points).toEqual([{at: now + 20_000, total: 4}]);
});

test('what has not changed is not written each time, and is told all the same', async () => {
  const trends = new Trends(directory);
  for (let i = 0; i < 10; i++) trends.record(found(4), now + i * 500);
  await trends.settled();
  expect(readFileSync(file(), 'utf8')).toBe(`[${now},4]\n`);
  expect(trends.of(check).points.at(-1)).toEqual({at: now + 4500, total: 4});
});

test('a check that could not be answered has no count', async () => {
  const trends = new Trends(directory);
  trends.record({check, status: 'error', total: 0}, now);
  await trends.settled();
  expect(trends.of(check).points).toEqual([]);
});

test('the file stays small', async () => {
  mkdirSync(join(directory, 'trends'), {mode: 0o700});
  const lines = Array.from({length: 20_000}, (_, index) => `[${now - (20_000 - index) * 2000},${index}]\n`);
  writeFileSync(file(), lines.join(''), {mode: 0o600});
  const trends = new Trends(directory);
  trends.record(found(7), now);
  await trends.settled();
  expect(statSync(file()).size).toBeLessThan(20_000);
  expect(readFileSync(file(), 'utf8')).toMatch(new RegExp(`\\[${now},7\\]\\n$`));
  expect(readdirSync(join(directory, 'trends'))).toEqual(['rides%2Fstale-sessions.jsonl']);
});

test('a file that is damaged, is a link, or can not be made never fails a look', async () => {
  mkdirSync(join(directory, 'trends'), {mode: 0o700});
  writeFileSync(file(), `[${now - 20_000},5]\nno point\n[1,\n`, {mode: 0o600});
  const damaged = new Trends(directory);
  damaged.record(found(7), now);
  await damaged.settled();
  expect(damaged.of(check).points.map(({total}) => total)).toEqual([5, 7]);

  const target = join(directory, 'elsewhere');
  writeFileSync(target, 'mine');
  symlinkSync(target, join(directory, 'trends', 'a%2Fb.jsonl'));
  const linked = new Trends(directory);
  linked.record({check: 'a/b', status: 'pass', total: 1}, now);
  await linked.settled();
  expect(readFileSync(target, 'utf8')).toBe('mine');

  const nowhere = new Trends('/dev/null/state');
  nowhere.record(found(3), now);
  await nowhere.settled();
  expect(nowhere.of(check).points).toEqual([{at: now, total: 3}]);
});
