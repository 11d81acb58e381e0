/** Each key does what the contract says, and nothing else. */
import {describe, expect, test} from 'vitest';
import type {List} from '../../source/state/lists.js';
import {markCounts} from '../../source/state/marks.js';
import {currentList} from '../../source/state/places-of-state.js';
import {shown} from '../../source/state/shown.js';
import {answerLast, openLooked, type Screen, type ScreenOptions} from '../support/screen.js';

const list = (screen: Screen): List => currentList(screen.state())!;
const marked = (screen: Screen): string[] => {
  const {marks} = list(screen);
  return marks.all ? ['all'] : [...marks.ids.values()].map(finding => String(finding.group));
};
const opened = async (key: string, options?: ScreenOptions): Promise<Screen> => {
  const screen = await openLooked(options);
  screen.press(key);
  return screen;
};

describe('moving', () => {
  test.each([
    [['j'], 1],
    [['down', 'down'], 2],
    [['j', 'j', 'k'], 1],
    [['up'], 0],
    [['G'], 11],
    [['end', 'g'], 0],
    [['G', 'j'], 11],
    [['pgdn'], 11],
    [['pgdn', 'pgup'], 0],
  ])('%j', async (keys, index) => {
    const screen = await opened('2');
    screen.press(...keys);
    expect(list(screen).cursor.index).toBe(index);
  });
  test('a page is as many rows as the table has', async () => {
    const screen = await opened('2', {kite: 100});
    screen.press('pgdn', 'pgdn');
    expect(list(screen).cursor.index).toBe(30);
    expect(list(screen).top).toBe(16);
  });
});

describe('marks', () => {
  test('Space marks and takes the mark away', async () => {
    const screen = await opened('2');
    screen.press('space');
    expect(marked(screen)).toEqual(['acct-1040']);
    screen.press('space');
    expect(marked(screen)).toEqual([]);
  });
  test('v marks a range, in both directions; Esc gives it up', async () => {
    const screen = await opened('2');
    screen.press('j', 'j', 'v', 'k', 'k', 'v');
    expect(marked(screen).sort()).toEqual(['acct-1040', 'acct-1041', 'acct-1042']);
    screen.press('A', 'v', 'j', 'esc', 'j');
    expect(list(screen).anchor).toBeNull();
    expect(marked(screen)).toEqual([]);
  });
  test('a marks all but what is to be chosen by hand; Space marks that too', async () => {
    const screen = await opened('2');
    screen.press(']', 'a');
    expect(marked(screen)).toHaveLength(3);
    screen.press('G', 'space');
    expect(marked(screen)).toHaveLength(4);
  });
  test('a marks what the filter shows', async () => {
    const screen = await opened('2');
    screen.press('/', ...'1041', 'enter', 'a', 'esc');
    expect(marked(screen)).toEqual(['acct-1041']);
  });
  test('a on more than is loaded is a rule, not a list of ids', async () => {
    const screen = await opened('2', {kite: 1000});
    screen.press('a');
    expect(marked(screen)).toEqual(['all']);
    expect(markCounts(list(screen)).marked).toBe(1000);
    screen.press('x', 'enter');
    expect(screen.effects.at(-1)).toMatchObject({effect: 'plan', selection: {}});
  });
  test('i inverts, A takes all away', async () => {
    const screen = await opened('2');
    screen.press('space', 'i');
    expect(marked(screen)).toHaveLength(11);
    expect(marked(screen)).not.toContain('acct-1040');
    screen.press('A');
    expect(marked(screen)).toEqual([]);
  });
  test('marks outlive filters, other views and refreshes', async () => {
    const screen = await opened('2');
    screen.press('space', '/', ...'nothing', 'enter', '4', 'space', '2');
    screen.pass(6);
    await screen.settle();
    expect(marked(screen)).toEqual(['acct-1040']);
    expect(markCounts(list(screen))).toEqual({marked: 1, hidden: 1});
    screen.press('esc');
    expect(markCounts(list(screen))).toEqual({marked: 1, hidden: 0});
  });
});

describe('views', () => {
  test.each([
    ['1', 'overview'],
    ['2', 'duplicates'],
    ['3', 'null-ids'],
    ['4', 'stale'],
    ['5', 'devices'],
    ['7', 'runs'],
  ])('%s opens %s', async (key, view) => expect((await opened(key)).state().view).toBe(view));
  test('Tab and Shift-Tab go through the views, around the end', async () => {
    const screen = await openLooked();
    screen.press('shift+tab');
    expect(screen.state().view).toBe('runs');
    screen.press('tab', 'tab');
    expect(screen.state().view).toBe('duplicates');
  });
  test('] and [ go through the checks of a view, then to the next view', async () => {
    const screen = await opened('2');
    screen.press(']');
    expect([screen.state().view, list(screen).check]).toEqual(['duplicates', 'registry/duplicates']);
    screen.press(']');
    expect(screen.state().view).toBe('null-ids');
    screen.press('[');
    expect([screen.state().view, list(screen).check]).toEqual(['duplicates', 'registry/duplicates']);
  });
  test('Enter in the overview opens the check', async () => {
    const screen = await openLooked();
    screen.press('G', 'enter');
    expect(screen.state().view).toBe('stale');
  });
});

describe('filter and order', () => {
  test('Esc clears the filter, and at the top it does nothing', async () => {
    const screen = await opened('2');
    screen.press('/', ...'1041', 'enter');
    expect(shown(list(screen)).count).toBe(1);
    screen.press('esc');
    expect(shown(list(screen)).count).toBe(12);
    const before = screen.state();
    screen.press('esc');
    expect(screen.state()).toEqual(before);
    expect(screen.effects).toEqual([]);
  });
  test('letters typed into the filter are no commands', async () => {
    const screen = await opened('2');
    screen.press('/', ...'xqa', 'backspace');
    expect(screen.state().mode.name).toBe('filter');
    expect(list(screen).filter).toBe('xq');
  });
  test('values, keys and reasons are looked through', async () => {
    const screen = await opened('2');
    for (const [text, count] of [
      ['pixel', 12],
      ['non-canonical', 4],
      ['sess_acct-1050', 1],
      ['pixel non-can', 4],
    ] as const) {
      screen.press('/', ...[...text].map(key => (key === ' ' ? 'space' : key)), 'enter');
      expect([text, shown(list(screen)).count]).toEqual([text, count]);
      screen.press('esc');
    }
  });
  test('s sorts by the next column and S turns it round, without losing the row', async () => {
    const screen = await opened('2');
    screen.press('j', 's', 's');
    expect(list(screen).sort).toBe('age');
    expect(list(screen).cursor).toEqual({index: 10, id: 'kite:acct-1041'});
    screen.press('S');
    expect(list(screen).cursor).toEqual({index: 1, id: 'kite:acct-1041'});
  });
});

describe('refresh', () => {
  test('p pauses: nothing is asked until it goes on', async () => {
    const screen = await opened('2');
    screen.press('p');
    screen.engine.asked.length = 0;
    screen.pass(60);
    await screen.settle();
    expect(screen.engine.asked).toEqual([]);
    screen.press('p');
    screen.pass(1);
    await screen.settle();
    expect(screen.engine.asked).toContain('check kite/duplicates 0');
  });
  test('+ and - change the pause between refreshes', async () => {
    const screen = await opened('2');
    screen.press('+');
    expect(screen.state().refreshMs).toBe(10_000);
    screen.press('-', '-');
    expect(screen.state().refreshMs).toBe(2000);
  });
  test('R looks again at once, but not twice at a time', async () => {
    const screen = await opened('2');
    screen.engine.asked.length = 0;
    screen.press('R', 'R', 'R');
    await screen.settle();
    expect(screen.engine.asked.sort()).toEqual(['check kite/duplicates 0', 'check registry/duplicates 0']);
  });
  test('a check that fails is asked less and less often', async () => {
    const screen = await opened('4');
    screen.engine.setDown('rides', true);
    screen.engine.asked.length = 0;
    for (let second = 0; second < 120; second++) {
      screen.pass(1);
      await screen.settle();
    }
    const asked = (id: string): number => screen.engine.asked.filter(text => text.includes(id)).length;
    expect(asked('kite')).toBe(24);
    expect(asked('rides')).toBeLessThan(8);
    expect(asked('rides')).toBeGreaterThan(2);
  });
});

describe('leaving', () => {
  test('q quits, and asks when rows are marked', async () => {
    const screen = await opened('2');
    screen.press('space', 'q');
    expect(screen.state().mode.name).toBe('quit');
    screen.press('enter');
    expect(screen.state().mode.name).toBe('browse');
    screen.press('q', 'tab', 'enter');
    expect(screen.effects).toEqual([{effect: 'quit', code: 0}]);
  });
  test('q and Esc go back from the details', async () => {
    const screen = await opened('2');
    for (const key of ['q', 'esc']) {
      screen.press('enter');
      expect(screen.state().mode.name).toBe('details');
      screen.press(key);
      expect(screen.state().mode.name).toBe('browse');
    }
    expect(screen.effects).toEqual([]);
  });
  test('Ctrl-C quits at once, wherever one is', async () => {
    for (const keys of [[], ['2', 'space'], ['2', '/'], [':'], ['2', 'x']]) {
      const screen = await openLooked();
      screen.press(...keys, 'ctrl+c');
      expect(screen.effects).toEqual([{effect: 'quit', code: 130}]);
    }
  });
});

test('y copies the group, and in the details the key of the row', async () => {
  const screen = await opened('2');
  screen.press('y', 'enter', 'j', 'y');
  expect(screen.effects).toEqual([
    {effect: 'copy', text: 'acct-1040'},
    {effect: 'copy', text: 'sess_acct-1040'},
  ]);
});

test('e writes nothing before a format is chosen', async () => {
  const screen = await opened('2');
  screen.press('e');
  expect(screen.effects).toEqual([]);
  screen.press('down', 'enter');
  expect(screen.effects).toEqual([{effect: 'export', check: 'kite/duplicates', format: 'json', filter: ''}]);
});

test('the palette finds a command by its words and does what its key does', async () => {
  const screen = await opened('2');
  screen.press(':', ...'mark-all', 'enter');
  expect(marked(screen)).toHaveLength(12);
});

test('customer is offered only where the engine can tell about one', async () => {
  const screen = await opened('2');
  screen.press('c');
  expect(screen.state().mode.name).toBe('browse');
});

test('sessions of devices are chosen by their keys, healthy ones for logging out only', async () => {
  const screen = await opened('5');
  const at = shown(list(screen));
  const index = Array.from({length: at.count}, (_, place) => at.at(place)).findIndex(
    row => row.kind === 'finding' && row.finding.reasons.length === 0 && row.finding.actions.length > 0,
  );
  screen.press(...Array.from({length: index}, () => 'j'), 'space', 'x');
  expect(screen.state().mode).toMatchObject({name: 'menu', choices: [{action: 'logout', applies: 1}]});
  screen.press('enter');
  expect(screen.effects.at(-1)).toMatchObject({
    effect: 'plan',
    action: 'logout',
    selection: {ids: [expect.any(String)]},
  });
  await answerLast(screen);
  expect(screen.state().mode).toMatchObject({name: 'plan', plan: {planned: 1}});
});
