/** Nothing is written without a plan that was seen and a dialog that was answered (safety.md, S13). */
import {describe, expect, test} from 'vitest';
import {answerLast, draw, openLooked, type Screen, type ScreenOptions} from '../support/screen.js';

const planOf = async (options?: ScreenOptions, down = 0): Promise<Screen> => {
  const screen = await openLooked(options);
  screen.press('2', 'x', ...Array.from({length: down}, () => 'down'), 'enter');
  await answerLast(screen);
  return screen;
};
const asked = async (options?: ScreenOptions, down = 0): Promise<Screen> => {
  const screen = await planOf(options, down);
  screen.press('x');
  screen.send({type: 'armed'});
  return screen;
};
const runs = (screen: Screen): number => screen.effects.filter(({effect}) => effect === 'run').length;

test('Cancel has the focus: Enter alone changes nothing', async () => {
  const screen = await asked();
  screen.press('enter', 'enter', 'enter');
  expect(runs(screen)).toBe(0);
  expect(screen.state().mode.name).not.toBe('confirm');
});

test.each(['tab', 'right', 'left', 'down', 'up', 'shift+tab'])(
  '%s moves to the other button, Enter presses it',
  async key => {
    const screen = await asked();
    screen.press(key, 'enter');
    expect(runs(screen)).toBe(1);
  },
);

test('all input is dropped until the dialog has been on the screen for a moment', async () => {
  const screen = await planOf();
  screen.press('x', 'tab', 'enter', 'tab', 'tab', 'enter');
  screen.send({type: 'paste', text: 'yes'});
  expect(screen.state().mode).toMatchObject({name: 'confirm', focus: 'cancel', armed: false});
  expect(runs(screen)).toBe(0);
  expect(screen.effects.at(-1)).toEqual({effect: 'arm'});
});

test('Esc goes back to the plan, and q too where nothing is typed', async () => {
  for (const key of ['esc', 'q']) {
    const screen = await asked();
    screen.press(key);
    expect(screen.state().mode.name).toBe('plan');
    screen.press('esc');
    expect(screen.effects.at(-1)).toMatchObject({effect: 'release'});
  }
});

describe('typed confirmations', () => {
  test('the text has to be exactly what is expected', async () => {
    for (const text of ['', 'producton', 'Production', 'productionx', 'production ']) {
      const screen = await asked({production: true});
      screen.press(...[...text].map(key => (key === ' ' ? 'space' : key)), 'tab', 'enter');
      expect([text, runs(screen)]).toEqual([text, 0]);
    }
    const screen = await asked({production: true});
    screen.press(...'producz', 'backspace', ...'tion', 'tab', 'enter');
    expect(screen.effects.at(-1)).toMatchObject({effect: 'run', confirmed: ['production']});
  });
  test('each of several has to be typed', async () => {
    const screen = await asked({production: true}, 3);
    expect(screen.state().mode).toMatchObject({plan: {action: 'purge'}});
    screen.press(...'production', 'tab', 'enter');
    expect(runs(screen)).toBe(0);
    screen.press(...'kite-sessions:2', 'enter');
    expect(screen.effects.at(-1)).toMatchObject({
      effect: 'run',
      confirmed: ['production', 'kite-sessions:2'],
    });
  });
  test('pasting is not typing', async () => {
    const screen = await asked({production: true});
    screen.send({type: 'paste', text: 'production'});
    screen.press('tab', 'enter');
    expect(runs(screen)).toBe(0);
  });
});

test('read-only shows plans and runs none', async () => {
  const screen = await planOf({readOnly: true});
  screen.press('x', 'enter', 'tab', 'enter');
  expect(screen.state().mode.name).toBe('plan');
  expect(runs(screen)).toBe(0);
});

test('no key outside a dialog writes', async () => {
  const keys = [
    'enter',
    'space',
    'tab',
    'up',
    'down',
    'esc',
    ...'abcdefghijklmnoprstuvwyzABCDEFGHIJKLMNOPRSTUVWXYZ1234567890[]+-=/?:;.,<>',
  ];
  const views = ['1', '2', '3', '4', '5', '7'];
  for (const view of views) {
    for (const key of [...keys, ...'abdefghijklmnopqrstuvwxyz'].map(name => name)) {
      const screen = await openLooked();
      screen.press(view, key, 'enter');
      expect(runs(screen)).toBe(0);
      expect(screen.effects.every(({effect}) => effect !== 'run')).toBe(true);
    }
  }
});

describe('what a terminal sends together', () => {
  const drawn = async (): Promise<{screen: Screen; write(text: string): void; done(): void}> => {
    const screen = await openLooked();
    const app = draw(screen);
    return {screen, write: app.stdin.write, done: () => app.unmount()};
  };
  test('keys of one chunk are taken in order', async () => {
    const {screen, write, done} = await drawn();
    write('2 j j ');
    expect(screen.state()).toMatchObject({
      view: 'duplicates',
      lists: {'kite/duplicates': {cursor: {index: 2}}},
    });
    write('\x1b[A\x1b[A');
    expect(screen.state().lists['kite/duplicates']!.cursor.index).toBe(0);
    done();
  });
  test('xxxyyy and Enter in one chunk run nothing', async () => {
    const {screen, write, done} = await drawn();
    write('2');
    write('xxxyyy\r');
    await answerLast(screen);
    write('xxxyyy\r\t\r\ty\r');
    expect(screen.state().mode).toMatchObject({name: 'confirm', armed: false});
    expect(runs(screen)).toBe(0);
    done();
  });
  test('pasted text is no keys, even where it is cut in two', async () => {
    const {screen, write, done} = await drawn();
    write('2');
    write('\x1b[200~x\r\tx\r');
    write('\t\r\x1b[201~');
    expect(screen.effects).toEqual([]);
    expect(screen.state().mode.name).toBe('browse');
    write('/');
    write('\x1b[200~acct-1041\nsecond line\x1b[201~');
    expect(screen.state().lists['kite/duplicates']!.filter).toBe('acct-1041');
    done();
  });
});
