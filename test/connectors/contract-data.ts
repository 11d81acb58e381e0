/** What the contract suite fills tables with: strings and moments that stores get wrong. */
import fc from 'fast-check';
import {Time, type ValueMap} from '../../source/values.js';
import type {ColumnType} from './harness.js';

export const rowsTable = 'contract_rows';
export const partnersTable = 'contract_partners';

export const rowColumns: Record<string, ColumnType> = {
  id: 'text',
  name: 'text',
  email: 'text',
  n: 'int',
  flag: 'bool',
  at: 'time',
  iso: 'text',
  tags: 'texts',
};

export const partnerColumns: Record<string, ColumnType> = {id: 'text', owner: 'text', kind: 'text'};

/** 2026-11-20 10:00 UTC: what the suite calls now, so that ages don't depend on the clock. */
export const nowMicros = Date.UTC(2026, 10, 20, 10) * 1000;

const nasty = [
  '',
  ' ',
  'a',
  'A',
  'b',
  'é',
  'e\u0301',
  'É',
  'İ',
  'i\u0307',
  'ı',
  'ΑΣ',
  'ας',
  'ασ',
  'ß',
  'a\u00a0',
  '\ufeffa',
  '\u2003A\t',
  "o'b",
  '"',
  '\\',
  '$a',
  '$$NOW',
  '{n}',
  'a.b',
  '%',
  '1',
  '01',
  '1.0',
  '-0',
  'true',
  'null',
  '😀',
  '👩‍👩‍👧',
  '\u202ea',
  'x\ny',
  '6f1c9b1e-6f5f-4b53-9c4e-0d8f5a1b2c3d',
  '6F1C9B1E-6F5F-4B53-9C4E-0D8F5A1B2C3D',
  'nan',
  'Infinity',
];

const emails = [
  'ann@example.com',
  ' Ann@Example.com',
  'ANN@EXAMPLE.COM\u00a0',
  'İdil@example.com',
  'i\u0307dil@example.com',
  'ΝΙΚΟΣ@example.gr',
  'νικος@example.gr',
  'bob@example.com',
  '',
];

const moments = [
  '2026-11-20T09:00:00Z',
  '2026-11-20 09:00:00.123456+00',
  '2026-11-20T10:00:00+01:00',
  '2026-11-20t09:00:00z',
  ' 2026-11-20 ',
  '2026-11-20T10:00 +0530',
  '2026-11-20T09:00:00,5Z',
  '2026-11-20T09:00:00.000000500Z',
  '2026-02-29',
  '2024-02-29',
  '2026-13-01',
  '2026-11-20T24:00:00Z',
  '2026-10-25 02:30:00',
  '2026-03-29 02:30:00',
  '0000-01-01',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999Z',
  '1795165200',
  '1795165200000',
  '1795165200.25',
  '+5',
  '-5',
  '1e9',
  '999999999999999',
  '99999999999',
  '100000000000',
  'infinity',
  'yesterday',
  '',
  '2026-11-20T09:00:00Z\u00a0',
];

const text = fc.oneof(
  {weight: 4, arbitrary: fc.constantFrom(...nasty)},
  {weight: 1, arbitrary: fc.string({unit: 'grapheme', maxLength: 6}).filter(value => !value.includes('\0'))},
);

/** Absent in both ways: null, and not there at all. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof(
    {weight: 6, arbitrary},
    {weight: 1, arbitrary: fc.constant(null)},
    {weight: 1, arbitrary: fc.constant(undefined)},
  );

const minutes = fc.integer({min: -90, max: 30});

const row = fc.record({
  name: maybe(text),
  email: maybe(fc.constantFrom(...emails)),
  n: maybe(fc.oneof(fc.integer({min: -2, max: 3}), fc.constantFrom(1_795_165_200, 1_795_165_200_000))),
  flag: maybe(fc.boolean()),
  at: maybe(minutes.map(offset => new Time(nowMicros + offset * 60e6))),
  iso: maybe(fc.constantFrom(...moments)),
  tags: maybe(
    fc.array(fc.oneof(fc.constantFrom('S1', 'S2', 's1', '', '"', 'a,b', 'NULL'), text), {maxLength: 3}),
  ),
});

/** Drops what is undefined: an attribute that is not there. */
const present = (values: ValueMap): ValueMap =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const withIds = (rows: ValueMap[], prefix: string): ValueMap[] =>
  rows.map((values, index) => present({id: `${prefix}${index}`, ...values}));

export const rowsArbitrary = fc
  .array(row, {minLength: 1, maxLength: 40, size: 'max'})
  .map(rows => withIds(rows, 'r'));

/** A table with enough rows to page through. */
export const manyRowsArbitrary = fc
  .array(row, {minLength: 30, maxLength: 30})
  .map(rows => withIds(rows, 'r'));

export const partnersArbitrary = fc
  .array(
    fc.record({
      owner: maybe(fc.oneof(text, fc.constantFrom(...emails), fc.constantFrom('r0', 'r1', 'r2', 'r3'))),
      kind: maybe(fc.constantFrom('open', 'shut')),
    }),
    {maxLength: 12},
  )
  .map(rows => withIds(rows, 'p'));
