/** Golden frames: what each view and state looks like, kept as text in test/views/frames. */
import {describe, expect, test} from 'vitest';
import {demoStandIns} from '../../source/demo/config.js';
import {
  answerLast,
  frameOf,
  openLooked,
  openScreen,
  type Screen,
  type ScreenOptions,
} from '../support/screen.js';
import {golden} from './golden.js';

const wide: ScreenOptions = {columns: 160, rows: 45};
const standIns = ['chat runs on a stand-in that speaks MongoDB’s wire protocol, not on MongoDB.'];

const planned = async (screen: Screen): Promise<Screen> => {
  screen.press('x', 'enter');
  await answerLast(screen);
  return screen;
};

describe('overview', () => {
  test('the first frame, before any store has answered', () => golden('overview-first', openScreen()));
  test('with findings, in the demo', async () => golden('overview', await openLooked({standIns})));
  test('with every sentence about the demo’s stand-ins, down to the last', async () => {
    const screen = await openLooked({standIns: demoStandIns});
    const last = demoStandIns.at(-1)!.split(' ').at(-1)!;
    expect(frameOf(screen)).toContain(last);
    await golden('overview-stand-ins', screen);
  });
  test('on a wide terminal', async () => golden('overview-wide', await openLooked({...wide, standIns})));
  test('with a store that is down', async () => {
    const screen = openScreen();
    screen.engine.setDown('rides', true);
    screen.pass(0);
    await screen.settle();
    screen.press('G');
    await golden('overview-down', screen);
  });
  test('when all is well', async () => {
    const screen = openScreen();
    for (const id of Object.keys(screen.engine.findings)) screen.engine.findings[id] = [];
    screen.pass(0);
    await screen.settle();
    await golden('overview-healthy', screen);
  });
});

describe('lists', () => {
  for (const [key, name] of [
    ['2', 'duplicates'],
    ['3', 'null-ids'],
    ['4', 'stale'],
    ['5', 'devices'],
  ] as const) {
    test(`${name}`, async () => {
      const screen = await openLooked();
      screen.press(key);
      await golden(name, screen);
    });
    test(`${name} on a wide terminal`, async () => {
      const screen = await openLooked(wide);
      screen.press(key);
      await golden(`${name}-wide`, screen);
    });
  }
  test('loading', async () => {
    const screen = openScreen();
    screen.pass(0);
    screen.press('4');
    await golden('stale-loading', screen);
  });
  test('empty says what is good', async () => {
    const screen = openScreen();
    screen.engine.findings['kite/duplicates'] = [];
    screen.pass(0);
    await screen.settle();
    screen.pass(3);
    screen.press('2');
    await golden('duplicates-empty', screen);
  });
  test('a store that never answered', async () => {
    const screen = openScreen();
    screen.engine.setDown('rides', true);
    screen.pass(0);
    await screen.settle();
    screen.press('4');
    await golden('stale-error', screen);
  });
  test('a store that went down keeps its data, with its age', async () => {
    const screen = await openLooked();
    screen.press('4');
    screen.engine.setDown('rides', true);
    screen.pass(42);
    await screen.settle();
    screen.press('x');
    await golden('stale-down', screen);
  });
  test('marked, with marks that the filter hides', async () => {
    const screen = await openLooked();
    screen.press('2', 'space', 'j', 'space', 'j', 'space', '/', ...'1041', 'enter');
    await golden('duplicates-marked', screen);
  });
  test('a marked row that is gone', async () => {
    const screen = await openLooked();
    screen.press('2', 'space', 'j', 'j');
    screen.engine.findings['kite/duplicates']!.shift();
    screen.pass(6);
    await screen.settle();
    await golden('duplicates-gone', screen);
  });
  test('rows that have not come yet', async () => {
    const screen = await openLooked({kite: 1000});
    screen.press('2', 'G');
    await golden('duplicates-unloaded', screen);
  });
  test('details', async () => {
    const screen = await openLooked();
    screen.press('2', 'j', 'enter', 'j', 'space');
    await golden('details', screen);
  });
  test('details on a wide terminal', async () => {
    const screen = await openLooked(wide);
    screen.press('2', 'j', 'enter');
    await golden('details-wide', screen);
  });
});

describe('from action to result', () => {
  const marked = async (options?: ScreenOptions): Promise<Screen> => {
    const screen = await openLooked(options);
    screen.press('2', 'space', 'j', 'space');
    return screen;
  };
  test('menu', async () => {
    const screen = await marked();
    screen.press('x');
    await golden('menu', screen);
  });
  test('menu with marks that the filter hides', async () => {
    const screen = await marked();
    screen.press('/', ...'1041', 'enter', 'x');
    await golden('menu-hidden', screen);
  });
  test('plan', async () => golden('plan', await planned(await marked())));
  test('plan on a wide terminal', async () => golden('plan-wide', await planned(await marked(wide))));
  test('a change in full', async () => {
    const screen = await planned(await marked());
    screen.press('j', 'enter');
    await golden('change', screen);
  });
  test('plan, read-only', async () =>
    golden('plan-read-only', await planned(await marked({readOnlyBy: 'flag'}))));
  test('confirm, not armed yet', async () => {
    const screen = await planned(await marked());
    screen.press('x');
    await golden('confirm-unarmed', screen);
  });
  test('confirm in production, half typed', async () => {
    const screen = await planned(await marked({production: true}));
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press(...'prod');
    await golden('confirm-production', screen);
  });
  test('confirm in production with two fields and a long reason', async () => {
    const screen = await openLooked({production: true});
    screen.press('2', 'x', 'down', 'down', 'down', 'enter');
    await answerLast(screen);
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press(...'production', 'tab', ...'kite-sessions:2', 'tab');
    screen.send({
      type: 'paste',
      text: 'ticket 4711: accounts that were merged on Monday kept both of their sessions',
    });
    screen.press('tab', 'tab');
    await golden('confirm-purge', screen);
    screen.send({type: 'resize', columns: 60, rows: 16});
    await golden('confirm-smallest', screen);
  });
  test('running', async () => {
    const screen = await planned(await marked());
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press('tab', 'enter');
    screen.send({type: 'progress', progress: {phase: 'changes', done: 1, total: 3}});
    screen.pass(4);
    await golden('running', screen);
  });
  test('results, runs, the undo of a run', async () => {
    const screen = await planned(await marked());
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press('tab', 'enter');
    await answerLast(screen);
    await screen.settle();
    await golden('results', screen);
    screen.press('enter', '7');
    await screen.settle();
    await golden('runs', screen);
    screen.press('enter');
    await golden('run-details', screen);
    screen.press('u');
    await answerLast(screen);
    await golden('plan-undo', screen);
  });
  test('a run that waits for its server', async () => {
    const screen = await planned(await marked());
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press('tab', 'enter');
    const text = 'replication lag is 12 s, more than 10 s';
    screen.send({type: 'progress', progress: {phase: 'waiting', done: 1, total: 3, text}});
    screen.pass(4);
    await golden('running-waiting', screen);
  });
  test('a run that was interrupted, in the list, in full, and what is left of it', async () => {
    const stop = new AbortController();
    const screen = await marked({betweenChanges: async () => stop.abort()});
    const plan = await screen.engine.plan('kite/duplicates', 'keep-latest', {
      findings: ['kite:acct-1040', 'kite:acct-1041'],
    });
    await screen.engine.run(plan, {signal: stop.signal});
    screen.press('7');
    await screen.settle();
    await golden('runs-interrupted', screen);
    screen.press('enter');
    await golden('run-details-interrupted', screen);
    screen.press('r');
    await answerLast(screen);
    await golden('plan-resume', screen);
    screen.press('x');
    screen.send({type: 'armed'});
    await golden('confirm-resume', screen);
  });
  test('failure', async () => {
    const screen = await marked();
    screen.press('x', 'enter');
    const error = {
      code: 'timeout' as const,
      message: 'kite did not answer within 30 s',
      hint: 'Raise --timeout.',
    };
    screen.send({type: 'plan-failed', ticket: screen.state().ticket, error});
    await golden('failure', screen);
  });
});

describe('writing in production', () => {
  const production: ScreenOptions = {production: true, readOnlyBy: 'production'};
  const asked = async (options: ScreenOptions): Promise<Screen> => {
    const screen = await openLooked(options);
    screen.press(':', ...'write', 'enter');
    screen.send({type: 'armed'});
    return screen;
  };
  test('asks for the environment', async () => {
    const screen = await asked(production);
    await golden('unlock', screen);
    screen.send({type: 'resize', columns: 60, rows: 16});
    screen.press(...'prod');
    await golden('unlock-smallest', screen);
  });
  test('while it is lifted', async () => {
    const screen = await asked(production);
    screen.press(...'production', 'tab', 'tab', 'enter');
    await answerLast(screen);
    await golden('writing', screen);
  });
  test('where nothing lifts it', async () =>
    golden('unlock-never', await asked({production: true, readOnlyBy: 'flag'})));
  test('a plan that can’t be run before it is lifted', async () => {
    const screen = await openLooked(production);
    screen.press('2');
    await golden('plan-locked', await planned(screen));
  });
});

describe('the rest', () => {
  const pressed = async (...keys: string[]): Promise<Screen> => {
    const screen = await openLooked();
    screen.press(...keys);
    await screen.settle();
    return screen;
  };
  test('runs, none yet', async () => golden('runs-empty', await pressed('7')));
  test('help', async () => golden('help', await pressed('?')));
  test('help, scrolled to its end', async () => golden('help-end', await pressed('?', 'G')));
  test('palette', async () => golden('palette', await pressed('2', ':', ...'mark')));
  test('export', async () => golden('export', await pressed('2', 'e')));
  test('quit with marks', async () => golden('quit', await pressed('2', 'space', 'q')));
  test('too small', async () => golden('too-small', await openLooked({columns: 59, rows: 16})));
  test('the smallest that works', async () => {
    const screen = await openLooked({columns: 60, rows: 16});
    screen.press('2');
    await golden('smallest', screen);
  });
});
