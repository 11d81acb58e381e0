import fc from 'fast-check';
import {expect, test} from 'vitest';
import {toCsv} from '../../source/output/csv.js';
import {jsonLine, toJsonText} from '../../source/output/json.js';
import {toNdjson} from '../../source/output/ndjson.js';

const columns = [{name: 'id'}, {name: 'value'}];

test('CSV quotes what needs it, and writes what is not text as JSON', () => {
  expect(
    toCsv(columns, [
      {id: 'a,b', value: 'say "hi"'},
      {id: null, value: {status: 'waiting'}},
    ]),
  ).toBe('id,value\n"a,b","say ""hi"""\n,"{""status"":""waiting""}"\n');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1'])(
  'a text that a spreadsheet would run is not: %j',
  text => {
    expect(toCsv([{name: 'value'}], [{value: text}]).split('\n')[1]).toMatch(/^'/);
  },
);

test('numbers are no formulas', () => {
  expect(toCsv(columns, [{id: -5, value: -0.5}])).toBe('id,value\n-5,-0.5\n');
});

test('CSV holds no control character but the ends of its lines', () => {
  expect(toCsv([{name: 'value'}], [{value: 'a\x1b[2J\r\nb\x9b'}])).toBe('value\na\\x1b[2J\\r\\nb\\x9b\n');
});

test('JSON on a terminal is safe, and loses nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({unit: 'binary'}), (value, text) => {
      const line = jsonLine({value, text});
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify({value, text})));
      expect(line).not.toMatch(/[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/);
    }),
  );
});

test('NDJSON has a line for each row, and a document has one', () => {
  expect(toNdjson([{a: 'x\ny'}, {a: '\u202e'}])).toBe('{"a":"x\\ny"}\n{"a":"\\u202e"}\n');
  expect(toNdjson([])).toBe('');
  expect(toJsonText({a: 1})).toBe('{"a":1}\n');
});
