import fc from 'fast-check';
import {expect, test} from 'vitest';
import {epochPattern, isoPattern, readInstant} from '../source/instants.js';
import {Time} from '../source/values.js';

const at = Date.UTC(2026, 10, 21, 1, 42, 10, 123);

test('the same moment in every format that applications write', () => {
  const formats = [
    '2026-11-21T01:42:10.123Z',
    '2026-11-21T01:42:10.123+00:00',
    '2026-11-21T03:42:10.123+0200',
    '2026-11-20T20:12:10.123-05:30',
    '2026-11-21 01:42:10.123+00',
    at,
    String(at),
    at / 1000,
    String(at / 1000),
    new Time(at * 1000),
    BigInt(at),
    ' 2026-11-21T01:42:10.123 ',
  ];
  for (const format of formats) expect(readInstant(format), String(format)).toBe(at * 1000);
});

test('microseconds are kept', () => {
  expect(readInstant('2026-11-21T01:42:10.123456Z')).toBe(at * 1000 + 456);
});

test('what is no moment can not be read', () => {
  for (const text of [
    '',
    'soon',
    '2026-13-01',
    '2026-02-30',
    '2025-02-29',
    '2026-11-21T25:00Z',
    '2026-11-21T01:42:10+15:00',
    'NaN',
    '1e99',
    true,
    null,
    undefined,
    [],
    {},
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e17,
  ])
    expect(readInstant(text as never), String(text)).toBeNull();
  expect(readInstant('2024-02-29')).toBe(Date.UTC(2024, 1, 29) * 1000);
});

test('text without an offset is read in the zone, standard time where it is ambiguous', () => {
  expect(readInstant('2026-11-21T10:00:00', 'Asia/Tokyo')).toBe(Date.UTC(2026, 10, 21, 1) * 1000);
  expect(readInstant('2026-07-01 12:00', 'Europe/Paris')).toBe(Date.UTC(2026, 6, 1, 10) * 1000);
  // The clocks go back at 03:00 on 25 October 2026 and forward at 02:00 on 29 March 2026 in Paris.
  expect(readInstant('2026-10-25 02:30', 'Europe/Paris')).toBe(Date.UTC(2026, 9, 25, 1, 30) * 1000);
  expect(readInstant('2026-03-29 02:30', 'Europe/Paris')).toBe(Date.UTC(2026, 2, 29, 1, 30) * 1000);
});

test('the first century is the first century in every zone', () => {
  expect(readInstant('0050-06-01 12:00:00', 'Asia/Tokyo')! / 1000).toBeLessThan(Date.UTC(1000, 0));
});

test('every ISO text of a date is read back, and matches the pattern that databases are given', () => {
  fc.assert(
    fc.property(
      fc.date({min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true}),
      date => {
        const text = date.toISOString();
        expect(text).toMatch(new RegExp(isoPattern));
        expect(readInstant(text)).toBe(date.getTime() * 1000);
      },
    ),
  );
});

test('what the patterns take is read, and nothing else is, whatever the text', () => {
  const pieces = fc.stringMatching(/^[0-9TZ:+. -]{0,30}$/);
  fc.assert(
    fc.property(fc.oneof(pieces, fc.string()), text => {
      const readable =
        new RegExp(isoPattern).test(text) ||
        (new RegExp(epochPattern).test(text) && Math.abs(Number(text)) <= 8.64e15);
      expect(readInstant(text) !== null).toBe(readable);
    }),
    {numRuns: 2000},
  );
});
