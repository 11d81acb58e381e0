/** Golden frames of the Guards view, its plans, dialogs and results. */
import {describe, expect, test} from 'vitest';
import {answerLast, frameOf, openLooked, type Screen, type ScreenOptions} from '../support/screen.js';
import {golden} from './golden.js';

const wide: ScreenOptions = {columns: 160, rows: 45};

const guards = async (options?: ScreenOptions): Promise<Screen> => {
  const screen = await openLooked(options);
  screen.press('6');
  await screen.settle();
  return screen;
};
/** With the plan for the guard this many rows down, or for its whole check (`X`). */
const planned = async (down: number, options?: ScreenOptions, key = 'x'): Promise<Screen> => {
  const screen = await guards(options);
  screen.press(...Array.from({length: down}, () => 'j'), key);
  await answerLast(screen);
  return screen;
};
const asked = async (...from: Parameters<typeof planned>): Promise<Screen> => {
  const screen = await planned(...from);
  screen.press('x');
  screen.send({type: 'armed'});
  return screen;
};

describe('the list', () => {
  test('every state', async () => golden('guards', await guards()));
  test('on a wide terminal', async () => {
    const screen = await guards(wide);
    screen.press('G');
    await golden('guards-wide', screen);
  });
  test('on the smallest', async () => golden('guards-smallest', await guards({columns: 60, rows: 16})));
  test('before it was read', async () => {
    const screen = await openLooked();
    screen.press('6');
    await golden('guards-first', screen);
  });
  test('a store that is down says so, and what to do, in its rows', async () => {
    const screen = await openLooked();
    screen.engine.setDown('rides', true);
    screen.press('6');
    await screen.settle();
    screen.press('G');
    await golden('guards-down', screen);
  });
  test('all installed says what is good', async () => {
    const screen = await openLooked();
    for (const item of screen.engine.guardItems)
      if (item.state !== 'unavailable' && !item.optIn) Object.assign(item, {state: 'installed', why: null});
    screen.press('6');
    await screen.settle();
    await golden('guards-healthy', screen);
  });
  test('in full, down to the last statement', async () => {
    const screen = await guards();
    screen.press('j', 'j', 'j', 'j', 'enter');
    await golden('guard-details', screen);
    screen.press('G');
    expect(frameOf(screen)).toContain('drop row-security;');
  });
  test('says the same without colour as with it', async () => {
    const plain = frameOf(await guards());
    expect(frameOf(await guards({color: true})).replaceAll(/\x1b\[[\d;]*m/g, '')).toBe(plain);
    for (const word of ['– unavailable', '✔ installed', '✘ missing', '⚠ drifted', '– missing'])
      expect(plain).toContain(word);
  });
});

describe('from plan to result', () => {
  test('plan, with findings in the way', async () => golden('guard-plan', await planned(5)));
  test('plan of all of the check, on a wide terminal', async () =>
    golden('guard-plan-wide', await planned(5, wide, 'X')));
  test('plan, with the cleaning', async () => {
    const screen = await planned(5);
    screen.press('c');
    await answerLast(screen);
    await golden('guard-plan-clean', screen);
    screen.press('x');
    screen.send({type: 'armed'});
    await golden('guard-confirm-clean', screen);
  });
  test('confirm in production', async () => {
    const screen = await asked(3, {production: true});
    screen.press(...'production', 'enter');
    await golden('guard-confirm-production', screen);
    screen.send({type: 'resize', columns: 60, rows: 16});
    await golden('guard-confirm-smallest', screen);
  });
  test('confirm taking one away', async () => golden('guard-confirm-uninstall', await asked(7)));
  test('plan, read-only', async () => golden('guard-plan-read-only', await planned(3, {readOnlyBy: 'flag'})));
  test('running, and what came of it', async () => {
    const screen = await asked(3);
    screen.press('tab', 'enter');
    const text = 'building the index: 41 %';
    screen.send({type: 'guard-progress', progress: {guard: 'one-background', step: 'index', text}});
    screen.pass(4);
    await golden('guard-running', screen);
    screen.press('ctrl+c');
    expect(frameOf(screen)).toContain('Stopping after this step');
    await answerRun(screen);
    await golden('guard-results', screen);
  });
  test('an error in the middle', async () => {
    const screen = await asked(3);
    screen.press('tab', 'enter');
    const result = await screen.engine.runGuards(planOf(screen));
    const error = {
      code: 'timeout',
      message: 'sessions was locked for 60 s',
      hint: 'Try again when it is quiet.',
    };
    screen.send({type: 'guards-ran', result: {...result, steps: result.steps.slice(0, 1), error}});
    await golden('guard-results-error', screen);
  });
  test('a cleaning says which guard would keep it from coming back', async () => {
    const screen = await openLooked();
    screen.press('3', 'x', 'enter');
    await answerLast(screen);
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press('tab', 'enter');
    await answerLast(screen);
    await screen.settle();
    await golden('results-guard', screen);
    screen.press('6');
    await screen.settle();
    expect(frameOf(screen)).toMatch(/> │ ✘ missing {5}│ chat/);
  });
});

const planOf = (screen: Screen) => {
  const {mode} = screen.state();
  if (mode.name !== 'guard-running') throw new Error(`in ${mode.name}`);
  return mode.plan;
};
const answerRun = async (screen: Screen): Promise<void> => {
  const result = await screen.engine.runGuards(planOf(screen));
  screen.send({type: 'guards-ran', result});
  await screen.settle();
};
