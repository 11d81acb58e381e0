/** Lists under a live refresh: the cursor and the marks stay on their rows, and size costs nothing. */
import {expect, test} from 'vitest';
import {type List, PAGE_SIZE} from '../../source/state/lists.js';
import {currentList} from '../../source/state/places-of-state.js';
import {shown, underCursor} from '../../source/state/shown.js';
import {kiteGroup} from '../support/fake-data.js';
import {openLooked, type Screen} from '../support/screen.js';

const id = 'kite/duplicates';
const list = (screen: Screen): List => currentList(screen.state())!;
const here = (screen: Screen): unknown => underCursor(list(screen))?.finding.group;

const opened = async (kite: number): Promise<Screen> => {
  const screen = await openLooked({kite});
  screen.press('2');
  return screen;
};

const refresh = async (screen: Screen): Promise<void> => {
  screen.pass(6);
  await screen.settle();
};

test('rows that come in above move neither the cursor nor the row on the screen', async () => {
  const screen = await opened(100);
  for (let step = 0; step < 40; step++) screen.press('j');
  const before = list(screen);
  const row = here(screen);
  screen.engine.findings[id]!.unshift(kiteGroup(900, 2), kiteGroup(901, 2), kiteGroup(902, 2));
  await refresh(screen);
  expect(here(screen)).toBe(row);
  expect(list(screen).cursor.index).toBe(before.cursor.index + 3);
  expect(list(screen).cursor.index - list(screen).top).toBe(before.cursor.index - before.top);
});

test('the row under the cursor that vanishes stays as gone until it is left', async () => {
  const screen = await opened(10);
  screen.press('j', 'j');
  screen.engine.findings[id]!.splice(2, 1);
  await refresh(screen);
  expect(underCursor(list(screen))).toMatchObject({gone: true, finding: {group: 'acct-1042'}});
  expect(shown(list(screen)).count).toBe(10);
  screen.press('x');
  expect(screen.state().mode.name).toBe('browse');
  screen.press('j');
  expect(here(screen)).toBe('acct-1043');
  expect(shown(list(screen)).count).toBe(9);
});

test('a marked row that vanishes stays until it is unmarked, and is no part of a plan', async () => {
  const screen = await opened(10);
  screen.press('space', 'j', 'space', 'j');
  screen.engine.findings[id]!.shift();
  await refresh(screen);
  expect(shown(list(screen)).count).toBe(10);
  screen.press('x', 'enter');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'plan', selection: {findings: ['kite:acct-1041']}});
  screen.press('esc', 'g', 'space', 'j');
  expect(shown(list(screen)).count).toBe(9);
});

test('a row that comes back is not gone any more', async () => {
  const screen = await opened(10);
  const [first] = screen.engine.findings[id]!;
  screen.press('space');
  screen.engine.findings[id]!.shift();
  await refresh(screen);
  expect(list(screen).ghosts).toHaveLength(1);
  screen.engine.findings[id]!.push(first!);
  await refresh(screen);
  expect(list(screen).ghosts).toEqual([]);
  expect(here(screen)).toBe('acct-1040');
});

test('a marked row that moved to a page that is not loaded is asked after, and not called gone', async () => {
  const screen = await opened(1000);
  screen.press('space', 'j');
  const [first] = screen.engine.findings[id]!.splice(0, 1);
  screen.engine.findings[id]!.push(first!);
  await refresh(screen);
  expect(list(screen).ghosts).toMatchObject([{gone: false, finding: {group: 'acct-1040'}}]);
  screen.engine.findings[id]!.pop();
  await refresh(screen);
  expect(list(screen).ghosts).toMatchObject([{gone: true}]);
});

test('only pages around the cursor are asked for, and only some are kept', async () => {
  const screen = await opened(20_000);
  screen.engine.asked.length = 0;
  screen.press('G');
  expect(shown(list(screen)).at(19_999)).toEqual({kind: 'pending'});
  await screen.settle();
  expect(here(screen)).toBe('acct-21039');
  expect(screen.engine.asked).toEqual([`check ${id} ${20_000 - PAGE_SIZE}`]);
  for (let page = 0; page < 400; page++) screen.press('pgup');
  await screen.settle();
  expect(list(screen).pages.size).toBeLessThanOrEqual(20);
});

test('a list of a million moves as fast as a list of ten', async () => {
  const time = async (total: number): Promise<number> => {
    const screen = await opened(10);
    const findings = screen.engine.findings[id]!.slice(0, 10);
    const summary = {
      status: 'fail' as const,
      total,
      byReason: {},
      bySeverity: {critical: 0, warning: 0, info: 0},
      tookMs: 1,
    };
    screen.send({
      type: 'loaded',
      check: id,
      page: 0,
      items: findings,
      total,
      summary,
      now: screen.state().now,
    });
    const begin = performance.now();
    for (let step = 0; step < 300; step++) {
      screen.press(step % 3 === 0 ? 'pgdn' : step % 50 === 0 ? 'G' : 'j');
      const rows = shown(list(screen));
      for (let row = 0; row < 30; row++) rows.at(list(screen).top + row);
    }
    return performance.now() - begin;
  };
  await time(10);
  const small = await time(10);
  const large = await time(1_000_000);
  expect(large).toBeLessThan(small * 20 + 50);
});

test('the filter says over how much it looked', async () => {
  const screen = await opened(1000);
  screen.press('/', ...'acct-1041', 'enter');
  expect(shown(list(screen))).toMatchObject({count: 1, loaded: PAGE_SIZE});
});
