/** Nothing is written without a plan that was seen and a dialog that was answered (safety.md, S13). */
import {describe, expect, test} from 'vitest';
import {answerLast, draw, frameOf, openLooked, type Screen, type ScreenOptions} from '../support/screen.js';

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
  'in a safe place %s moves to the other button, Enter presses it',
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
  // Each key that was dropped makes it wait anew.
  expect(screen.effects.slice(1)).toEqual([
    {effect: 'arm'},
    ...Array.from({length: 6}, () => ({effect: 'hold'})),
  ]);
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

/** Keys for a text. */
const keys = (text: string): string[] => [...text].map(key => (key === ' ' ? 'space' : key));
/** From a field past the last one and Cancel to the button that writes. */
const toButton = ['tab', 'tab', 'enter'];

describe('typed confirmations', () => {
  test.each(['', 'producton', 'Production', 'productionx', 'production ', ' production'])(
    'production typed as “%s” runs nothing, however good the reason',
    async text => {
      const screen = await asked({production: true});
      screen.press('tab', 'tab', ...keys(text), 'tab', ...keys('ticket 4711'), ...toButton);
      expect(screen.state().mode).toMatchObject({
        name: 'confirm',
        focus: 'run',
        fields: [{text}, {text: 'ticket 4711'}],
      });
      expect(runs(screen)).toBe(0);
      expect(screen.state().toast?.text).toBe('Type production exactly first.');
    },
  );
  test('the name and a reason, with a slip put right', async () => {
    const screen = await asked({production: true});
    screen.press(...'producz', 'backspace', ...'tion', 'tab', ...keys(' ticket 4711 '), ...toButton);
    expect(screen.effects.at(-1)).toMatchObject({
      effect: 'run',
      confirmed: ['production'],
      note: 'ticket 4711',
    });
    await answerLast(screen);
    screen.press('enter', '7');
    await screen.settle();
    expect(screen.state().runs.items?.[0]).toMatchObject({note: 'ticket 4711'});
  });
  test.each(['', ' ', '   '])('without a reason (“%s”) nothing runs in production', async reason => {
    const screen = await asked({production: true});
    screen.press(...'production', 'tab', ...keys(reason), ...toButton);
    expect(runs(screen)).toBe(0);
    expect(screen.state().toast?.text).toContain('Say why first');
  });
  test('each of several has to be typed, the count too', async () => {
    const screen = await asked({production: true}, 3);
    expect(screen.state().mode).toMatchObject({plan: {action: 'purge'}});
    screen.press(...'production', 'tab', ...'kite-sessions:1', 'tab', 'w', ...toButton);
    expect(runs(screen)).toBe(0);
    expect(screen.state().toast?.text).toBe('Type kite-sessions:2 exactly first.');
    screen.press('tab', 'tab', 'backspace', '2', 'tab', ...toButton);
    expect(screen.effects.at(-1)).toMatchObject({
      effect: 'run',
      confirmed: ['production', 'kite-sessions:2'],
      note: 'w',
    });
  });
  test('a large plan wants the count with the name', async () => {
    const screen = await planOf({production: true});
    const {mode} = screen.state();
    if (mode.name === 'plan') mode.plan.confirmations[0]!.expected = 'production:1';
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press(...'production', 'tab', 'w', ...toButton);
    expect(runs(screen)).toBe(0);
    screen.press('tab', ...':1', 'tab', ...toButton);
    expect(screen.effects.at(-1)).toMatchObject({effect: 'run', confirmed: ['production:1']});
  });
  test('pasting is not typing; a reason may be pasted, its first line alone', async () => {
    const screen = await asked({production: true});
    screen.send({type: 'paste', text: 'production'});
    screen.press('p', 'backspace');
    screen.send({type: 'paste', text: 'production'});
    expect(screen.state().mode).toMatchObject({fields: [{text: ''}, {text: ''}]});
    screen.press(...'production', 'tab');
    screen.send({type: 'paste', text: 'ticket 4711\r\t\t\r'});
    expect(screen.state().mode).toMatchObject({focus: 1, fields: [{}, {text: 'ticket 4711'}]});
    expect(runs(screen)).toBe(0);
  });
  test('Enter in a field that is right goes on, at last to the button, and presses nothing', async () => {
    const screen = await asked({production: true});
    screen.press(...'production', 'enter');
    expect(screen.state().mode).toMatchObject({focus: 1});
    screen.press('w', 'enter');
    expect(screen.state().mode).toMatchObject({name: 'confirm', focus: 'run'});
    expect(screen.effects.at(-1)).toEqual({effect: 'arm', released: true});
    // Held down, it comes again and again until the key is let go.
    screen.press('enter', 'enter', 'enter');
    expect(runs(screen)).toBe(0);
    expect(screen.effects.at(-1)).toEqual({effect: 'hold'});
    screen.send({type: 'armed'});
    screen.press('enter');
    expect(screen.effects.at(-1)).toMatchObject({effect: 'run', confirmed: ['production'], note: 'w'});
  });
  test('while Enter may be held down, Tab and Esc work as ever, and Enter presses neither button', async () => {
    const screen = await asked({production: true});
    screen.press(...'production', 'enter', 'w', 'enter', 'left', 'enter');
    expect(screen.state().mode).toMatchObject({name: 'confirm', focus: 'cancel'});
    screen.press('esc');
    expect(screen.state().mode.name).toBe('plan');
    expect(runs(screen)).toBe(0);
  });
  test('Enter in a field that is not right stays there, and the dialog says what is wrong', async () => {
    const screen = await asked({production: true});
    screen.press(...'productoin', 'enter', 'enter');
    expect(screen.state().mode).toMatchObject({name: 'confirm', focus: 0});
    expect(frameOf(screen)).toContain('Type production exactly.');
    screen.press('backspace');
    expect(frameOf(screen)).not.toContain('Type production exactly.');
    screen.press('tab', 'enter');
    expect(screen.state().mode).toMatchObject({focus: 1});
    expect(frameOf(screen)).toContain('Say why: it goes into the audit log.');
    screen.press('w', 'enter');
    expect(screen.state().mode).toMatchObject({focus: 0});
    expect(runs(screen)).toBe(0);
  });
  test('letters and Backspace on a button go to the same field', async () => {
    const screen = await asked({production: true});
    screen.press(...'prodx', 'shift+tab', 'backspace');
    expect(screen.state().mode).toMatchObject({focus: 0, fields: [{text: 'prod'}, {}]});
    screen.press('shift+tab', ...'uction', 'tab', ...'wh', 'tab', 'backspace');
    expect(screen.state().mode).toMatchObject({focus: 1, fields: [{text: 'production'}, {text: 'w'}]});
    screen.press('tab', 'y');
    expect(screen.state().mode).toMatchObject({focus: 1, fields: [{}, {text: 'wy'}]});
  });
  test('the dialog says which keys go on, wherever the focus is', async () => {
    const screen = await asked({production: true});
    const says = (text: string): void => expect(frameOf(screen)).toContain(text);
    says('To go on, type production, then Enter.');
    says('production asks for its name: this is production.');
    says('Why (required, for the audit log)');
    screen.press('p');
    says('Type it exactly, then Enter.');
    screen.press(...'roduction');
    says('Enter goes on to the next field.');
    screen.press('enter');
    says('Say why, then Enter.');
    screen.press('w');
    says('Enter goes on to Make 1 change, and Enter again presses it.');
    screen.press('tab');
    says('To go on: Tab to Make 1 change, then Enter.');
    screen.press('tab');
    says('Enter presses Make 1 change.');
  });
  test('Space on a button types nothing and presses nothing', async () => {
    const screen = await asked({production: true});
    screen.press('space', 'tab', 'space');
    expect(runs(screen)).toBe(0);
    expect(screen.state().mode).toMatchObject({name: 'confirm'});
  });
});

describe('what is out of sight', () => {
  test('in a terminal that became too small nothing is typed or pressed; q leaves the dialog, then the program', async () => {
    const screen = await asked({production: true});
    screen.press(...'production', 'tab', 'w', 'tab', 'tab');
    screen.send({type: 'resize', columns: 20, rows: 5});
    screen.press('enter', 'w', 'tab', 'esc');
    screen.send({type: 'paste', text: 'more'});
    expect(runs(screen)).toBe(0);
    expect(screen.state().mode).toMatchObject({name: 'confirm', focus: 'run', fields: [{}, {text: 'w'}]});
    screen.press('q', 'q', 'q');
    expect(screen.effects.at(-1)).toEqual({effect: 'quit', code: 0});
  });
  test.each([
    ['was too small', {type: 'resize', columns: 20, rows: 5}, {type: 'resize', columns: 80, rows: 24}],
    ['was suspended', {type: 'tick', now: 1}, {type: 'resumed'}],
  ] as const)('a dialog that %s is seen again before it takes input', async (_, away, back) => {
    const screen = await asked();
    screen.press('tab');
    screen.send(away);
    screen.send(back);
    expect(screen.effects.at(-1)).toEqual({effect: 'arm'});
    screen.press('enter');
    expect(runs(screen)).toBe(0);
    screen.send({type: 'armed'});
    screen.press('enter');
    expect(runs(screen)).toBe(1);
  });
  test('a change of size alone keeps the dialog as it is', async () => {
    const screen = await asked({production: true});
    screen.press(...'prod');
    screen.send({type: 'resize', columns: 160, rows: 45});
    expect(screen.state().mode).toMatchObject({armed: true, focus: 0, fields: [{text: 'prod'}, {}]});
  });
});

test('rows that went after the plan was made are skipped, and the dialog says how old the plan is', async () => {
  const screen = await planOf();
  screen.pass(180);
  expect(frameOf(screen)).toContain('Planned 3 min ago: rows that have changed since will be skipped.');
  screen.press('x');
  screen.send({type: 'armed'});
  expect(frameOf(screen)).toContain('Planned 3 min ago');
  screen.engine.findings['kite/duplicates']!.shift();
  screen.press('tab', 'enter');
  await answerLast(screen);
  expect(screen.state().mode).toMatchObject({name: 'results', result: {applied: 0, skipped: 1}});
  expect(frameOf(screen)).toMatch(/skipped .*gone/);
});

test('read-only shows plans and runs none', async () => {
  const screen = await planOf({readOnlyBy: 'flag'});
  screen.press('x', 'enter', 'tab', 'enter');
  expect(screen.state().mode.name).toBe('change');
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
  test('Enter that comes with other keys presses nothing, alone it does', async () => {
    const {screen, write, done} = await drawn();
    write('2x');
    await Promise.resolve();
    screen.press('enter');
    await answerLast(screen);
    screen.press('x');
    screen.send({type: 'armed'});
    await new Promise(setImmediate);
    write('\t\r');
    expect(screen.state()).toMatchObject({mode: {focus: 'run'}, toast: {tone: 'bad'}});
    await new Promise(setImmediate);
    write('\x1b[D');
    write('\x1b[D');
    write('\r');
    expect(runs(screen)).toBe(0);
    await new Promise(setImmediate);
    write('\r');
    expect(runs(screen)).toBe(1);
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
