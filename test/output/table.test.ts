import fc from 'fast-check';
import stringWidth from 'string-width';
import {expect, test} from 'vitest';
import {renderTable} from '../../source/output/table.js';

const columns = [
  {name: 'check', header: 'CHECK'},
  {name: 'total', header: 'TOTAL', align: 'right' as const},
  {name: 'text', header: 'WHAT'},
];
const rows = [
  {check: 'rides/stale-sessions', total: 2, text: 'two sessions that nobody waits for'},
  {check: 'gym/device-sessions', total: 120, text: null},
];

test('a pipe gets aligned columns, nothing cut, and no spaces at the ends', () => {
  expect(renderTable(columns, rows, {width: null, color: false})).toBe(
    [
      'CHECK                 TOTAL  WHAT',
      'rides/stale-sessions      2  two sessions that nobody waits for',
      'gym/device-sessions     120',
      '',
    ].join('\n'),
  );
});

test('a narrow terminal takes from the widest columns first', () => {
  expect(renderTable(columns, rows, {width: 44, color: false})).toBe(
    [
      'CHECK              TOTAL  WHAT',
      'rides/stale-sess…      2  two sessions that…',
      'gym/device-sessi…    120',
      '',
    ].join('\n'),
  );
});

test('a column keeps its min, and takes no more than its max', () => {
  const [check, total, text] = columns;
  const table = renderTable([{...check!, min: 20}, total!, {...text!, max: 12}], rows, {
    width: 60,
    color: false,
  });
  expect(table.split('\n')[1]).toBe('rides/stale-sessions      2  two session…');
});

test('wide characters keep the columns aligned', () => {
  const table = renderTable(
    columns,
    [
      {check: '日本/会話', total: 1, text: 'x'},
      {check: 'a', total: 2, text: 'y'},
    ],
    {width: null, color: false},
  );
  expect(table).toBe('CHECK      TOTAL  WHAT\n日本/会話      1  x\na              2  y\n');
});

test('on a terminal the cursor is put to its column after what terminals draw differently', () => {
  const table = renderTable(columns.slice(0, 2), [{check: '日a', total: 1}], {width: 80, color: false});
  expect(table).toBe('CHECK  TOTAL\n日\x1b[3Ga        1\n');
});

test('a value of a megabyte is not printed whole, and half a character never', () => {
  const text = `${'x'.repeat(4095)}${'😀'.repeat(300_000)}`;
  const [, line] = renderTable([{name: 'a', header: 'A'}], [{a: text}], {width: null, color: false}).split(
    '\n',
  );
  expect(line).toBe(`${'x'.repeat(999)}…`);
  const [, wide] = renderTable([{name: 'a', header: 'A'}], [{a: '\u0301'.repeat(5000) + text}], {
    width: null,
    color: false,
  }).split('\n');
  expect(wide!.length).toBeLessThanOrEqual(1000);
});

test('colour is on headers and painted cells only when it is wanted', () => {
  const painted = [
    {name: 'severity', header: 'SEVERITY', paint: (text: string) => `\x1b[31m${text}\x1b[39m`},
  ];
  expect(renderTable(painted, [{severity: 'critical'}], {width: 80, color: true})).toBe(
    '\x1b[1mSEVERITY\x1b[22m\n\x1b[31mcritical\x1b[39m\n',
  );
  expect(renderTable(painted, [{severity: 'critical'}], {width: 80, color: false})).toBe(
    'SEVERITY\ncritical\n',
  );
});

test('nothing from a row reaches the terminal as a control, and a row is one line', () => {
  const table = renderTable([{name: 'a', header: 'A'}], [{a: 'x\x1b[2J\ny\u202e'}, {a: {b: '\x07'}}], {
    width: null,
    color: false,
  });
  expect(table).toBe('A\nx\\x1b[2J\\ny\\u202e\n{"b":"\\u0007"}\n');
});

test('no line is wider than the terminal, whatever is in the rows', () => {
  const cell = fc.oneof(fc.string({unit: 'grapheme', maxLength: 40}), fc.integer(), fc.constant(null));
  fc.assert(
    fc.property(
      fc.integer({min: 1, max: 60}),
      fc.integer({min: 1, max: 12}),
      fc.array(fc.array(cell, {minLength: 12, maxLength: 12}), {maxLength: 4}),
      (width, count, cells) => {
        const many = Array.from({length: count}, (_, index) => ({
          name: `c${index}`,
          header: `COLUMN ${index}`,
        }));
        const table = renderTable(
          many,
          cells.map(row => Object.fromEntries(row.map((value, index) => [`c${index}`, value]))),
          {width, color: false},
        );
        const lines = table.split('\n');
        expect(lines.length).toBe(cells.length + 2);
        for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});
