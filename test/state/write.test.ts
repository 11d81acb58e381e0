/** `:write`: production's read-only is lifted by its name, for a while, and by nothing else (safety.md, S12 and S13). */
import {describe, expect, test} from 'vitest';
import {answerLast, frameOf, openLooked, type Screen, type ScreenOptions} from '../support/screen.js';

const production: ScreenOptions = {production: true, readOnlyBy: 'production'};
const command = (screen: Screen, name: string): void => screen.press(':', ...name, 'enter');
const unlocks = (screen: Screen): number => screen.effects.filter(({effect}) => effect === 'unlock').length;
const runs = (screen: Screen): number => screen.effects.filter(({effect}) => effect === 'run').length;
const asked = async (options = production): Promise<Screen> => {
  const screen = await openLooked(options);
  command(screen, 'write');
  screen.send({type: 'armed'});
  return screen;
};
const lifted = async (options = production): Promise<Screen> => {
  const screen = await asked(options);
  screen.press(...'production', 'tab', 'tab', 'enter');
  await answerLast(screen);
  return screen;
};
/** What source/ui.ts tells each second; `left`: milliseconds that it is lifted for. */
const told = (screen: Screen, left: number): void =>
  screen.send({
    type: 'writing',
    readOnlyBy: left > 0 ? null : 'production',
    until: left > 0 ? screen.state().now + left : null,
  });
const confirmOpen = async (screen: Screen): Promise<void> => {
  screen.press('2', 'x', 'enter');
  await answerLast(screen);
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press(...'production', 'tab', 'w', 'tab', 'tab');
};

describe('the dialog', () => {
  test('has the focus on Cancel; held Enter changes nothing', async () => {
    const screen = await asked();
    screen.press('enter', 'enter', 'enter', 'enter');
    expect(unlocks(screen)).toBe(0);
    expect(screen.state().mode.name).not.toBe('unlock');
  });
  test('drops what was typed before it was seen', async () => {
    const screen = await openLooked(production);
    screen.press(':', ...'write', 'enter', ...'production', 'tab', 'tab', 'enter');
    screen.send({type: 'paste', text: 'production'});
    expect(screen.state().mode).toMatchObject({
      name: 'unlock',
      focus: 'cancel',
      armed: false,
      fields: [{text: ''}],
    });
    expect(unlocks(screen)).toBe(0);
  });
  test.each(['', 'producton', 'PRODUCTION', 'production ', 'staging'])(
    'takes no other name: “%s”',
    async text => {
      const screen = await asked();
      screen.press(
        'tab',
        'tab',
        ...[...text].map(key => (key === ' ' ? 'space' : key)),
        'tab',
        'tab',
        'enter',
      );
      expect(screen.state().mode).toMatchObject({name: 'unlock', focus: 'run', fields: [{text}]});
      expect(unlocks(screen)).toBe(0);
    },
  );
  test('Enter after the name goes on to Allow it, and a second one alone presses it', async () => {
    const screen = await asked();
    screen.press(...'producton', 'enter');
    expect(frameOf(screen)).toContain('Type production exactly.');
    screen.press('backspace', 'backspace', ...'ion', 'enter', 'enter', 'enter');
    expect(screen.state().mode).toMatchObject({name: 'unlock', focus: 'run'});
    expect(unlocks(screen)).toBe(0);
    screen.send({type: 'armed'});
    expect(frameOf(screen)).toContain('Enter presses Allow it.');
    screen.press('enter');
    expect(unlocks(screen)).toBe(1);
  });
  test('takes no pasted name', async () => {
    const screen = await asked();
    screen.press('p', 'backspace');
    screen.send({type: 'paste', text: 'production'});
    screen.press('tab', 'tab', 'enter');
    expect(unlocks(screen)).toBe(0);
  });
  test('Esc leaves it read-only', async () => {
    const screen = await asked();
    screen.press(...'production', 'esc');
    expect(screen.state()).toMatchObject({mode: {name: 'browse'}, readOnlyBy: 'production'});
  });
  test('is opened by the command of that name alone', async () => {
    for (const name of ['writ', 'readonly', 'lift']) {
      const screen = await openLooked(production);
      screen.press(':', ...name);
      const first = frameOf(screen)
        .split('\n')
        .find(line => line.startsWith('>'));
      expect([name, first?.split(/\s+/)[1]]).toEqual([name, name === 'readonly' ? 'readonly' : 'write']);
    }
  });
});

test.each([
  ['flag', '--read-only was given', 'without --read-only'],
  ['configuration', 'readOnly: true', 'change readOnly in the configuration'],
] as const)('%s: nothing lifts it, and the screen says why and what to do', async (by, why, what) => {
  for (const inProduction of [true, false]) {
    const screen = await openLooked({production: inProduction, readOnlyBy: by});
    command(screen, 'write');
    expect(screen.state().mode).toMatchObject({name: 'failure', error: {code: 'read-only'}});
    expect(frameOf(screen)).toContain(why);
    expect(frameOf(screen)).toContain(what);
    expect(screen.effects).toEqual([]);
  }
});

test('where nothing is read-only there is nothing to lift or to end', async () => {
  const screen = await openLooked();
  command(screen, 'write');
  expect(screen.state()).toMatchObject({mode: {name: 'browse'}, toast: {text: 'Nothing here is read-only.'}});
  command(screen, 'readonly');
  expect(screen.effects).toEqual([]);
  expect(screen.state().readOnlyBy).toBeNull();
});

describe('while it is lifted', () => {
  test('plans run, each after its own confirmation', async () => {
    const screen = await lifted();
    expect(screen.engine.asked).toContain('unlock production');
    await confirmOpen(screen);
    screen.press('enter');
    expect(runs(screen)).toBe(1);
    await answerLast(screen);
    expect(screen.state().mode).toMatchObject({name: 'results', result: {applied: 1}});
  });
  test('the head says for how long, in words', async () => {
    const screen = await lifted();
    for (const [left, text] of [
      [900_000, 'production: writing for 15 min'],
      [840_000, 'production: writing for 14 min'],
      [61_000, 'production: writing for 2 min'],
      [42_000, 'production: writing for 42 s'],
    ] as const) {
      told(screen, left);
      expect(frameOf(screen).split('\n')[0]).toContain(text);
    }
    expect(frameOf(screen)).not.toContain('read-only');
  });
  test('its end is told, and the screen is read-only again', async () => {
    const screen = await lifted();
    told(screen, 1000);
    told(screen, 0);
    expect(screen.state()).toMatchObject({readOnlyBy: 'production', writableUntil: null});
    const frame = frameOf(screen);
    expect(frame).toContain('The time is over: read-only again. :write lifts it.');
    expect(frame.split('\n')[0]).toMatch(/production {2}.*read-only/);
  });
  test('its end while a dialog is open: the plan does not run, and the dialog says why', async () => {
    const screen = await lifted();
    await confirmOpen(screen);
    told(screen, 0);
    expect(frameOf(screen)).toMatch(/Read-only: the default in production\. Esc, then :write/);
    screen.press('enter');
    expect(runs(screen)).toBe(0);
    expect(screen.state()).toMatchObject({mode: {name: 'confirm'}, toast: {tone: 'bad'}});
    screen.press('esc', 'x');
    expect(screen.state().mode.name).toBe('plan');
    expect(runs(screen)).toBe(0);
  });
  test(':readonly ends it early, in the engine too, and what the engine says later lifts nothing', async () => {
    const screen = await lifted();
    command(screen, 'readonly');
    expect(screen.effects.at(-1)).toEqual({effect: 'lock'});
    told(screen, 800_000);
    expect(screen.state()).toMatchObject({readOnlyBy: 'production', writableUntil: null});
    screen.press('2', 'x', 'enter');
    await answerLast(screen);
    screen.press('x');
    expect(screen.state().mode.name).toBe('plan');
    told(screen, 0);
    screen.press('esc');
    command(screen, 'write');
    screen.send({type: 'armed'});
    screen.press(...'production', 'tab', 'tab', 'enter');
    await answerLast(screen);
    told(screen, 900_000);
    expect(screen.state().readOnlyBy).toBeNull();
  });
  test('a run that has begun goes on to its end', async () => {
    const screen = await lifted();
    await confirmOpen(screen);
    screen.press('enter');
    told(screen, 0);
    expect(screen.state().mode.name).toBe('running');
  });
});

test('an engine that refuses the name leaves it read-only', async () => {
  const screen = await asked();
  screen.press(...'production', 'tab', 'tab', 'enter');
  const error = {code: 'confirmation' as const, message: 'this is not the name', hint: 'Type it exactly.'};
  screen.send({type: 'unlock-failed', error});
  expect(screen.state()).toMatchObject({mode: {name: 'failure'}, readOnlyBy: 'production'});
});
