/** The table of runs: nothing is cut where there is room, and two runs of one minute are told apart. */
import {describe, expect, test} from 'vitest';
import {displayWidth} from '../../source/sanitise.js';
import type {RunSummary} from '../../source/types.js';
import {runColumns} from '../../views/run-columns.js';
import {tableWidth} from '../../views/table.js';
import {frameOf, openLooked} from '../support/screen.js';

const run = (values: Partial<RunSummary>): RunSummary => ({
  run: '20261121T014210Z-7f30',
  at: '2026-11-21T01:42:10.000Z',
  by: 'operator@bastion-1',
  check: 'rides/stale-sessions',
  action: 'cancel',
  state: 'done',
  planned: 3,
  applied: 3,
  skipped: 0,
  failed: 0,
  unknown: 0,
  note: 'ticket 4711: blocked customers',
  undoes: null,
  ...values,
});
const runs = [
  run({run: 'second', at: '2026-11-21T01:42:51.000Z', state: 'interrupted'}),
  run({check: 'gym/device-sessions', action: 'keep-latest-background'}),
];
const shown = async (columns: number, rows: number): Promise<string> => {
  const screen = await openLooked({columns, rows});
  screen.press('7');
  await screen.settle();
  screen.send({type: 'history', runs, now: screen.state().now});
  return frameOf(screen);
};

test('at 160 columns who, why, check and action are there in full', async () => {
  const frame = await shown(160, 45);
  const texts = [
    '2026-11-21 01:42:51',
    '2026-11-21 01:42:10',
    'rides/stale-sessions',
    'keep-latest-background',
    'operator@bastion-1',
    'ticket 4711: blocked customers',
  ];
  for (const text of texts) expect(frame).toContain(text);
  expect(frame).not.toContain('…');
  await expect(`${frame}\n`).toMatchFileSnapshot('frames/runs-wide.txt');
});

test('at 80 columns two runs of one minute are told apart by their seconds', async () => {
  const frame = await shown(80, 24);
  expect(frame).toContain('01:42:51');
  expect(frame).toContain('01:42:10');
  expect(frame).toContain('INTERRUPTED');
});

test('the details of a stopped install say what stopped it', async () => {
  const stopped =
    'still in the way after cleaning: 1 payload-differs; what it had put in was taken out again';
  const screen = await openLooked({columns: 80, rows: 24});
  screen.press('7');
  await screen.settle();
  const failed = run({action: 'install-guards', state: 'failed', stopped});
  screen.send({type: 'history', runs: [failed], now: screen.state().now});
  screen.press('enter');
  const frame = (await frameOf(screen)).replaceAll(/\s+/g, ' ');
  expect(frame).toContain(`It was stopped: ${stopped}`);
});

describe('at every width', () => {
  const sets: [string, RunSummary[]][] = [
    ['short', [run({by: 'a@b', note: null})]],
    ['long', runs],
    [
      'endless',
      [run({check: 'c'.repeat(300), action: 'a'.repeat(300), by: '界'.repeat(80), note: 'n'.repeat(500)})],
    ],
  ];
  test.each(sets)('%s texts fill the table and no more, and a cut one has no room left', (_, items) => {
    for (let width = 60; width <= 220; width++) {
      const columns = runColumns(items, width);
      expect([width, tableWidth(columns)]).toEqual([width, width]);
      const isCut = (column: (typeof columns)[number]): boolean =>
        items.some(item => displayWidth(column.cell(item, true).text) > column.width);
      const hasGap = (column: (typeof columns)[number]): boolean =>
        [column.title, ...items.map(item => column.cell(item, true).text)].every(
          text => displayWidth(text) < column.width,
        );
      if (columns.some(isCut)) expect([width, columns.filter(hasGap).map(({id}) => id)]).toEqual([width, []]);
    }
  });
});
