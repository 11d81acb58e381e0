/** The tables on the screen are ink-table's: without its render there are none. */
import {render} from 'ink-testing-library';
import {createElement, type ReactElement} from 'react';
import {afterEach, expect, test, vi} from 'vitest';
import {Table} from '../../views/ink-table.js';
import {DataTable} from '../../views/table.js';
import {frameOf, openLooked} from '../support/screen.js';

afterEach(() => vi.restoreAllMocks());

const columns = [
  {id: 'name', title: 'Name', width: 6},
  {id: 'count', title: 'Rows', width: 4, align: 'right' as const},
];

const drawn = (rows: {name: string; count: string}[]): string => {
  const data = rows.map((row, index) => ({
    id: String(index),
    cells: {name: {text: row.name}, count: {text: row.count}},
  }));
  const app = render(<DataTable columns={columns} rows={data} color={false} />);
  const frame = app.lastFrame() ?? '';
  app.unmount();
  return frame;
};

test('ink-table builds the frame, the heading and the rows', () => {
  expect(
    drawn([
      {name: 'kite', count: '2'},
      {name: 'gym', count: '10'},
    ]),
  ).toBe(
    [
      '┌────────┬──────┐',
      '│ Name   │ Rows │',
      '│ kite   │    2 │',
      '│ gym    │   10 │',
      '└────────┴──────┘',
    ].join('\n'),
  );
});

test('wide characters, escapes and text that is too long leave the columns where they are', () => {
  expect(
    drawn([
      {name: '東京東京', count: '1'},
      {name: 'a\x1b[2Jb', count: '2'},
      {name: 'e\u0301te', count: '3'},
    ])
      .split('\n')
      .slice(2, 5),
  ).toEqual(['│ 東京…  │    1 │', '│ a\\x1b… │    2 │', '│ e\u0301te    │    3 │']);
});

test('without ink-table’s render no view has a table', async () => {
  const screen = await openLooked();
  const views = ['1', '2', '3', '4', '5'];
  for (const key of views) {
    screen.press(key);
    expect(frameOf(screen)).toMatch(/┌─.*┐/);
  }
  vi.spyOn(Table.prototype, 'render').mockImplementation((): ReactElement => createElement('ink-box'));
  for (const key of views) {
    screen.press(key);
    expect(frameOf(screen)).not.toMatch(/┌─|kite\/duplicates {2,}│|acct-1040 {2,}│/);
  }
});
