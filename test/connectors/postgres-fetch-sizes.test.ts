/** How many rows a FETCH asks for (safety S19): never so many that large ones fill the memory. */
import {expect, test} from 'vitest';
import {fetchSizes} from '../../connectors/postgres/fetch-sizes.js';

const megabyte = 2 ** 20;
const rows = (count: number, length: number): string[][] =>
  Array.from({length: count}, () => ['x'.repeat(length)]);

test('few at first, then twice as many at most, up to a limit', () => {
  const {first, after} = fetchSizes(true);
  expect(first).toBe(10);
  expect(after(rows(10, 50))).toBe(20);
  expect(after(rows(80, 50))).toBe(100);
  expect(fetchSizes(false).after(rows(400, 50))).toBe(500);
});

test('large rows come a few at a time, and one that is larger than all of that alone', () => {
  const {after} = fetchSizes(true);
  expect(after(rows(10, megabyte))).toBe(4);
  expect(after(rows(2, 40 * megabyte))).toBe(1);
});
