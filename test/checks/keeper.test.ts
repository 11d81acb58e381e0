import fc from 'fast-check';
import {expect, test} from 'vitest';
import {compareByKey} from '../../source/checks/keeper.js';
import type {Row} from '../../source/connector.js';
import {Other, type Value} from '../../source/values.js';

const row = (id: Value): Row => ({
  table: 't',
  identity: {by: 'key', at: {id: String(id)}},
  values: {id},
  tags: [],
});
const lower = (a: Value, b: Value): boolean => compareByKey(row(a), row(b)) < 0;

test('the lowest key is the lowest number, whichever type holds it', () => {
  expect(lower(95, 9007199254740993n)).toBe(true);
  expect(lower(-9007199254740999n, -5)).toBe(true);
  expect(lower(95.5, new Other('numeric', '9007199254740993.5'))).toBe(true);
  expect(lower(new Other('numeric', '9007199254740993.10'), new Other('numeric', '9007199254740993.2'))).toBe(
    true,
  );
  expect(
    lower(new Other('numeric', '-12345678901234567890.2'), new Other('numeric', '-12345678901234567890.1')),
  ).toBe(true);
});

test('integers of any size are ordered as integers', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
      fc.pre(a !== b);
      const as = (value: bigint): Value => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
      expect(lower(as(a), as(b))).toBe(a < b);
    }),
  );
});
