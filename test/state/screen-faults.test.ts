/** What a stranger at the screen stumbled over: each of these was wrong once. */
import {describe, expect, test} from 'vitest';
import {footerBindings} from '../../source/state/keymap.js';
import {currentList} from '../../source/state/places-of-state.js';
import {shown, underCursor} from '../../source/state/shown.js';
import type {Finding, RunSummary} from '../../source/types.js';
import {kiteGroup} from '../support/fake-data.js';
import {answerLast, frameOf, openLooked, openScreen, type Screen} from '../support/screen.js';

const looked = async (change: (screen: Screen) => void): Promise<Screen> => {
  const screen = openScreen();
  change(screen);
  screen.pass(0);
  await screen.settle();
  return screen;
};
const list = (screen: Screen) => currentList(screen.state())!;
const rows = (screen: Screen): Finding[] =>
  Array.from({length: shown(list(screen)).count}, (_, index) => shown(list(screen)).at(index)).flatMap(row =>
    row.kind === 'finding' ? [row.finding] : [],
  );

describe('drastic actions', () => {
  test('are neither the default nor preselected where nothing else applies', async () => {
    const screen = await looked(({engine}) => {
      engine.findings['kite/duplicates'] = [
        {...kiteGroup(1, 1), reasons: ['missing-group-key'], actions: ['purge']},
      ];
    });
    screen.press('2', 'x');
    expect(screen.state().mode).toMatchObject({
      index: -1,
      choices: [{action: 'purge', drastic: true, isDefault: false}],
    });
    expect(frameOf(screen)).not.toContain('safe default');
    screen.press('enter');
    expect(screen.effects).toEqual([]);
    screen.press('up', 'enter');
    expect(screen.effects).toMatchObject([{effect: 'plan', action: 'purge'}]);
  });
  test('come after what is safe', async () => {
    const screen = await looked(({engine}) => {
      engine.findings['kite/duplicates'] = [{...kiteGroup(1, 2), actions: ['purge', 'keep-latest']}];
    });
    screen.press('2', 'x');
    expect(screen.state().mode).toMatchObject({
      index: 0,
      choices: [{action: 'keep-latest'}, {action: 'purge', isDefault: false}],
    });
  });
});

describe('devices', () => {
  const doubled = async (): Promise<Screen> =>
    looked(({engine}) => {
      const id = 'gym/device-sessions';
      engine.checks
        .find(check => check.id === id)!
        .reasons.push({
          name: 'duplicate-background',
          severity: 'critical',
          text: 'An email has several background sessions.',
          actions: ['delete-expired'],
        });
      const background = engine.findings[id]!.filter(
        item => item.rows[0]!.values.session_type === 'background',
      );
      const group: Finding = {
        ...background[0]!,
        id: 'doubled',
        reasons: ['duplicate-background'],
        severity: 'critical',
        rows: background.map(({rows: [row]}) => ({...row!, verdict: 'delete', why: 'older'})),
        actions: ['delete-expired'],
        byHand: false,
      };
      const {sessions} = engine;
      const all = engine.findings[id]!;
      engine.sessions = async (check, page) => {
        engine.findings[id] = all;
        const answer = await sessions(check, page);
        engine.findings[id] = [group, ...all];
        return answer;
      };
      engine.findings[id] = [group, ...all];
    });
  test('findings come first, each session once, and the total is of both', async () => {
    const screen = await doubled();
    screen.press('5');
    const found = rows(screen);
    expect(found[0]).toMatchObject({id: 'doubled', severity: 'critical'});
    expect(found).toHaveLength(list(screen).total!);
    const keys = found.flatMap(finding => finding.rows.map(row => String(row.key.id)));
    expect(new Set(keys).size).toBe(keys.length);
    screen.press('x', 'enter');
    expect(screen.effects).toMatchObject([{selection: {findings: ['doubled']}}]);
  });
  test('logout is offered for unprotected device sessions only', async () => {
    const screen = await openLooked();
    screen.press('5');
    for (const {rows: all, actions} of rows(screen)) {
      const [row] = all;
      expect([row!.key, actions.includes('logout')]).toEqual([
        row!.key,
        row!.values.session_type === 'device',
      ]);
    }
  });
});

describe('what was said', () => {
  test('stands beside the marks, and goes with the view, the mode and the range', async () => {
    const screen = await openLooked();
    screen.press('2', 'space', 'j', 'v');
    expect(frameOf(screen)).toMatch(/1 marked {2}Range begun/);
    for (const key of ['v', 'i', 'A', 'esc', '4', '?']) {
      const next = await openLooked();
      next.press('2', 'v');
      expect(next.state().toast).not.toBeNull();
      next.press(key);
      expect([key, next.state().toast]).toEqual([key, null]);
    }
  });
});

test('the plan and every row of the details follow the keeper that the user chose', async () => {
  const screen = await openLooked();
  screen.press('2', 'enter', 'space');
  expect(frameOf(screen)).toContain('keep (yours): chosen by hand');
  screen.press('j');
  expect(frameOf(screen)).toContain('delete: not the one you keep');
  screen.press('x', 'enter');
  await answerLast(screen);
  const key = String(screen.engine.findings['kite/duplicates']![0]!.rows[0]!.key.sessionId);
  expect(frameOf(screen)).toContain(`You keep ${key} instead of the latest`);
});

test('the cursor stays at the top until the user moved it', async () => {
  const screen = await openLooked();
  screen.press('2');
  const refresh = async (number: number): Promise<void> => {
    screen.engine.findings['kite/duplicates']!.unshift(kiteGroup(number, 2));
    screen.pass(6);
    await screen.settle();
  };
  await refresh(900);
  expect(list(screen)).toMatchObject({top: 0, cursor: {index: 0, id: 'kite:acct-1940'}});
  screen.press('x', 'esc');
  await refresh(901);
  expect(underCursor(list(screen))?.finding.id).toBe('kite:acct-1940');
  expect(list(screen).cursor.index).toBe(1);
});

test('Ctrl-Z suspends, wherever one is', async () => {
  for (const keys of [[], ['2', '/'], [':'], ['2', 'x'], ['2', 'enter'], ['?']]) {
    const screen = await openLooked();
    screen.press(...keys, 'ctrl+z');
    expect(screen.effects).toEqual([{effect: 'suspend'}]);
  }
});

test('the footer offers to undo only what can be taken back', async () => {
  const screen = await openLooked();
  screen.press('7');
  const offers = (): boolean => footerBindings(screen.state()).some(({id}) => id === 'undo');
  expect(offers()).toBe(false);
  for (const [state, can] of [
    ['done', true],
    ['failed', true],
    ['interrupted', true],
    ['undone', false],
  ] as const) {
    const run = {run: 'r', state, applied: 1} as RunSummary;
    screen.send({type: 'history', runs: [run], now: 0});
    expect([state, offers()]).toEqual([state, can]);
  }
});
