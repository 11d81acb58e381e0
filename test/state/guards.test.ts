/** Guards on the screen: when they are read, what may be planned, and that nothing is written without being asked. */
import {describe, expect, test} from 'vitest';
import type {Effect} from '../../source/state/messages.js';
import type {RunSummary} from '../../source/types.js';
import {
  answerLast,
  frameOf,
  openLooked,
  openScreen,
  type Screen,
  type ScreenOptions,
} from '../support/screen.js';

const guards = async (options?: ScreenOptions): Promise<Screen> => {
  const screen = await openLooked(options);
  screen.press('6');
  await screen.settle();
  return screen;
};
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
const runs = (screen: Screen): Effect[] => screen.effects.filter(({effect}) => effect === 'run-guards');
const readings = (screen: Screen): number => screen.engine.asked.filter(item => item === 'guards').length;
const mode = (screen: Screen): string => screen.state().mode.name;

describe('reading', () => {
  test('when the view opens, then once an interval, and with R; not under another view', async () => {
    const screen = await openLooked();
    screen.pass(60);
    await screen.settle();
    expect(readings(screen)).toBe(0);
    screen.press('6');
    await screen.settle();
    expect(readings(screen)).toBe(1);
    screen.pass(4);
    await screen.settle();
    expect(readings(screen)).toBe(1);
    screen.pass(1);
    await screen.settle();
    expect(readings(screen)).toBe(2);
    screen.press('R');
    await screen.settle();
    expect(readings(screen)).toBe(3);
    screen.press('p');
    screen.pass(60);
    await screen.settle();
    expect(readings(screen)).toBe(3);
  });
  test('one at a time: nothing is asked while an answer is awaited', async () => {
    const screen = await openLooked();
    screen.press('6', 'R');
    screen.pass(60);
    screen.press('R');
    await screen.settle();
    expect(readings(screen)).toBe(1);
  });
  test('an answer to a question from before an install is thrown away', async () => {
    const screen = await asked(3);
    const old = screen.state().guards.question;
    const before = await screen.engine.guards();
    screen.press('tab', 'enter');
    await answerLast(screen);
    screen.send({type: 'guards', question: old, guards: before, now: screen.state().now});
    expect(screen.state().guards.items?.[3]).toMatchObject({guard: 'one-background', state: 'installed'});
    await screen.settle();
    expect(screen.state().guards.loading).toBe(false);
  });
  test('the cursor stays on its guard when others come before it', async () => {
    const screen = await guards();
    screen.press('G');
    screen.engine.guardItems.shift();
    screen.press('R');
    await screen.settle();
    expect(frameOf(screen)).toMatch(/> │ ✔ installed {3}│ rides/);
  });
  test('an error keeps what was read, and says so', async () => {
    const screen = await guards();
    const error = {code: 'internal' as const, message: 'the catalogue broke', hint: 'Report it.'};
    screen.press('R');
    screen.send({type: 'guards-failed', question: screen.state().guards.question, error, now: 0});
    expect(frameOf(screen)).toContain('the catalogue broke');
    expect(frameOf(screen)).toContain('auto-cancel');
  });
  test('an error at the first reading says what to do', () => {
    const screen = openScreen();
    screen.press('6');
    const error = {code: 'internal' as const, message: 'the catalogue broke', hint: 'Report it.'};
    screen.send({type: 'guards-failed', question: screen.state().guards.question, error, now: 0});
    expect(frameOf(screen)).toContain('The guards could not be read.');
    expect(frameOf(screen)).toContain('Report it.');
  });
});

describe('runs of guards', () => {
  const listed = async (values: Partial<RunSummary>): Promise<Screen> => {
    const screen = await openLooked();
    screen.press('7');
    await screen.settle();
    const item: RunSummary = {
      run: '20261121T014211Z-9c01',
      at: '2026-11-21T01:42:11.000Z',
      by: 'operator@bastion-1',
      check: 'kite/duplicates',
      action: 'install-guards',
      state: 'done',
      planned: 2,
      applied: 2,
      skipped: 0,
      failed: 0,
      unknown: 0,
      note: null,
      undoes: null,
      ...values,
    };
    screen.send({type: 'history', runs: [item], now: screen.state().now});
    return screen;
  };
  test('u opens the uninstall that takes the run back, and nothing is written before it is confirmed', async () => {
    const screen = await listed({});
    screen.press('u');
    await answerLast(screen);
    expect(screen.engine.asked).toContain('planGuardRun 20261121T014211Z-9c01 undo');
    expect(screen.state().mode).toMatchObject({
      name: 'guard-plan',
      request: {direction: 'uninstall'},
      plan: {of: '20261121T014211Z-9c01'},
    });
    screen.press('x');
    screen.send({type: 'armed'});
    expect(screen.state().mode).toMatchObject({name: 'guard-confirm', focus: 'cancel'});
    expect(runs(screen)).toEqual([]);
    screen.press('tab', 'enter');
    expect(runs(screen)).toHaveLength(1);
  });
  test('r goes on with one that was cut off', async () => {
    const screen = await listed({state: 'interrupted'});
    screen.press('r');
    await answerLast(screen);
    expect(screen.engine.asked).toContain('planGuardRun 20261121T014211Z-9c01 resume');
    expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-guards', request: {direction: 'install'}});
  });
});

describe('planning', () => {
  test('what no default action takes is told by x on the plan, and c does not get past it', async () => {
    const screen = await planned(2);
    const {mode: at} = screen.state();
    if (at.name !== 'guard-plan') throw new Error(at.name);
    const plan = {...at.plan, violations: ['1 finding is in the way of unique'], findings: {}};
    const ticket = screen.state().ticket + 1;
    screen.press('esc', 'x');
    screen.send({type: 'guards-planned', ticket, plan});
    screen.press('x');
    expect(mode(screen)).toBe('guard-plan');
    expect(frameOf(screen)).toContain('Somebody has to decide first: 1 finding');
  });
  test('x installs what is missing or drifted, and takes away what is installed', async () => {
    for (const [down, direction] of [
      [2, 'install'],
      [3, 'install'],
      [1, 'uninstall'],
    ] as const) {
      const screen = await planned(down);
      expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-guards', request: {direction}});
      expect(mode(screen)).toBe('guard-plan');
    }
  });
  test('an opt-in guard is planned by its name', async () => {
    const screen = await planned(4);
    expect(screen.effects.at(-1)).toMatchObject({request: {guards: ['row-security']}});
  });
  test('X plans those of the check that are not opt-in', async () => {
    const screen = await planned(4, {}, 'X');
    expect(screen.state().mode).toMatchObject({name: 'guard-plan', plan: {guards: ['one-background']}});
  });
  test('the palette takes away a drifted one, and says that a missing one is not there', async () => {
    const screen = await guards();
    screen.press('j', 'j', ':', ...'uninstall-guard', 'enter');
    expect(screen.state().toast?.text).toContain('nothing to take away');
    screen.press('j', ':', ...'uninstall-guard', 'enter');
    expect(screen.effects.at(-1)).toMatchObject({
      request: {direction: 'uninstall', guards: ['one-background']},
    });
  });
  test('nothing is planned for one that can’t be had, or whose store is down; both say why', async () => {
    const screen = await guards();
    screen.press('x');
    expect(screen.state().toast?.text).toContain('DynamoDB has no unique constraint');
    screen.engine.setDown('rides', true);
    screen.press('G', 'x');
    expect(screen.state().toast?.text).toContain('rides is down');
    screen.press('X');
    expect(screen.effects.filter(({effect}) => effect === 'plan-guards')).toEqual([]);
  });
  test('Esc gives a plan up that is being made, and its answer is thrown away', async () => {
    const screen = await guards();
    screen.press('j', 'j', 'x');
    const asking = screen.effects.at(-1) as Extract<Effect, {effect: 'plan-guards'}>;
    screen.press('esc');
    expect(screen.effects.at(-1)).toEqual({effect: 'cancel-plan'});
    const plan = await screen.engine.planGuards('chat/null-ids', 'install');
    screen.send({type: 'guards-planned', ticket: asking.ticket, plan});
    expect(mode(screen)).toBe('browse');
  });
  test('a plan that fails says why', async () => {
    const screen = await guards();
    screen.press('j', 'j', 'x');
    const error = {code: 'unsupported' as const, message: 'it is a view', hint: 'Use the table.'};
    screen.send({type: 'plan-failed', ticket: screen.state().ticket, error});
    expect(frameOf(screen)).toContain('it is a view');
  });
});

describe('asking', () => {
  test('findings in the way refuse it until c plans to clean them', async () => {
    const screen = await asked(5);
    expect(mode(screen)).toBe('guard-plan');
    expect(screen.state().toast?.text).toBe('5 findings are in the way: c cleans them in the same go.');
    screen.press('c');
    expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-guards', request: {clean: true}});
    await answerLast(screen);
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press('tab', 'enter');
    expect(runs(screen)).toMatchObject([{plan: {clean: true}, confirmed: []}]);
    await answerLast(screen);
    await screen.settle();
    expect(screen.state().mode).toMatchObject({
      name: 'guard-results',
      result: {runs: ['20261121T014210Z-7f30']},
    });
    expect(frameOf(screen)).toContain('7 and then u takes it back');
    expect(screen.state().lists['registry/duplicates']?.total).toBe(0);
  });
  test('Cancel has the focus: Enter alone changes nothing', async () => {
    const screen = await asked(3);
    screen.press('enter', 'enter', 'enter');
    expect(runs(screen)).toEqual([]);
  });
  test.each(['tab', 'right', 'left', 'down', 'up', 'shift+tab'])('%s and Enter installs', async key => {
    const screen = await asked(3);
    screen.press(key, 'enter');
    expect(runs(screen)).toHaveLength(1);
  });
  test('all input is dropped until the dialog has been on the screen for a moment', async () => {
    const screen = await planned(3);
    screen.press('x', 'tab', 'enter', 'x', 'x', 'enter');
    screen.send({type: 'paste', text: 'yes\r'});
    expect(screen.state().mode).toMatchObject({name: 'guard-confirm', focus: 'cancel', armed: false});
    expect(runs(screen)).toEqual([]);
    expect(screen.effects.slice(1)).toEqual([
      {effect: 'arm'},
      ...Array.from({length: 6}, () => ({effect: 'hold'})),
    ]);
  });
  test('what was typed ahead or pasted in one piece installs nothing, from any place', async () => {
    for (const before of [[], ['x'], ['x', 'x']]) {
      const screen = await guards();
      screen.press('j', 'j', 'j');
      for (const key of [...before, ...'xxxyyy', 'enter', 'tab', 'enter'])
        screen.send({type: 'key', key, together: true});
      expect(runs(screen)).toEqual([]);
    }
    const screen = await asked(3);
    screen.press('tab');
    screen.send({type: 'key', key: 'enter', together: true});
    expect(runs(screen)).toEqual([]);
  });
  test('production wants its name and a reason, typed', async () => {
    const screen = await asked(3, {production: true});
    screen.press('tab', 'enter', 'tab');
    expect(runs(screen)).toEqual([]);
    screen.send({type: 'paste', text: 'production'});
    expect(screen.state().mode).toMatchObject({fields: [{text: ''}, {}]});
    screen.press(...'production', 'tab', ...'ticket', 'tab', 'tab', 'enter');
    expect(runs(screen)).toMatchObject([{confirmed: ['production'], note: 'ticket'}]);
    await answerLast(screen);
    expect(screen.engine.asked.at(-1)).toContain('because ticket');
  });
  test('read-only: the plan is shown, and not asked for', async () => {
    const screen = await asked(3, {readOnlyBy: 'flag'});
    expect(mode(screen)).toBe('guard-plan');
    expect(screen.state().toast?.text).toContain('Read-only');
  });
  test('read-only that comes back, or a store that goes down, while the dialog is open', async () => {
    const screen = await asked(3);
    screen.send({type: 'writing', readOnlyBy: 'production', until: null});
    screen.press('tab', 'enter');
    screen.send({type: 'writing', readOnlyBy: null, until: null});
    screen.engine.setDown('gym', true);
    screen.press('enter');
    expect(runs(screen)).toEqual([]);
    screen.engine.setDown('gym', false);
    screen.press('enter');
    expect(runs(screen)).toHaveLength(1);
  });
  test('Esc goes back to the plan, and then to the list', async () => {
    const screen = await asked(3);
    screen.press('esc');
    expect(mode(screen)).toBe('guard-plan');
    screen.press('esc');
    expect(mode(screen)).toBe('browse');
  });
});

describe('running', () => {
  const running = async (options?: ScreenOptions): Promise<Screen> => {
    const screen = await asked(3, options);
    screen.press('tab', 'enter');
    return screen;
  };
  test('Ctrl-C stops it after its step, once, and neither Ctrl-Z nor q leaves it', async () => {
    const screen = await running();
    screen.press('ctrl+z', 'q', 'esc', 'ctrl+c', 'ctrl+c');
    expect(mode(screen)).toBe('guard-running');
    expect(screen.effects.filter(({effect}) => effect === 'stop')).toHaveLength(1);
    expect(screen.effects.filter(({effect}) => effect === 'suspend' || effect === 'quit')).toEqual([]);
  });
  test('a signal stops it after its step, and then the program ends with its code', async () => {
    const screen = await running();
    screen.send({type: 'terminate', code: 143});
    expect(screen.effects.at(-1)).toEqual({effect: 'stop'});
    const {mode: now} = screen.state();
    if (now.name !== 'guard-running') throw new Error(now.name);
    screen.send({type: 'guards-ran', result: await screen.engine.runGuards(now.plan)});
    expect(screen.effects.at(-1)).toEqual({effect: 'quit', code: 143});
  });
  test('the guards are not read meanwhile, and are right after it, with the check and the runs', async () => {
    const screen = await running();
    const before = readings(screen);
    screen.pass(60);
    await screen.settle();
    expect(readings(screen)).toBe(before);
    screen.effects.push(screen.effects.findLast(({effect}) => effect === 'run-guards')!);
    await answerLast(screen);
    const after = screen.engine.asked.length;
    await screen.settle();
    expect(screen.engine.asked.slice(after)).toEqual(expect.arrayContaining(['guards', 'history']));
    screen.press('enter');
    expect(frameOf(screen)).toMatch(/> │ ✔ installed {3}│ gym/);
  });
  test('rows that are mended between the steps leave the step where it is', async () => {
    const screen = await running();
    const tell = (step: string, text: string) =>
      screen.send({type: 'guard-progress', progress: {guard: 'one-background', step, text}});
    tell('index', 'building the index: 41 %');
    tell('mend', 'cleaning 3 rows that came meanwhile');
    expect(screen.state().mode).toMatchObject({step: 1});
    expect(frameOf(screen)).toContain('cleaning 3 rows that came meanwhile');
  });
  test('a refusal before anything was written', async () => {
    const screen = await running();
    const error = {code: 'usage' as const, message: '3 findings are in the way', hint: 'Clean them.'};
    screen.send({type: 'guards-run-failed', error});
    expect(frameOf(screen)).toContain('The install could not be carried out');
    screen.press('enter');
    expect(mode(screen)).toBe('browse');
  });
});

test('what a store says can’t act on the terminal, wherever it is shown', async () => {
  const screen = await guards();
  const evil = 'a\x1b[2Jb\u202ec';
  Object.assign(screen.engine.guardItems[3]!, {why: evil, up: `${evil};\n`, prevents: evil});
  screen.press('R', 'j', 'j', 'j');
  await screen.settle();
  const frames = [frameOf(screen)];
  screen.press('enter');
  frames.push(frameOf(screen));
  for (const frame of frames) {
    expect(frame).not.toMatch(/\x1b|\u202e/);
    expect(frame).toContain('\\x1b[2Jb\\u202ec');
  }
});

test('y copies the script that installs it, or takes it away', async () => {
  const screen = await guards();
  screen.press('j', 'y');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'copy', text: expect.stringContaining('drop')});
  screen.press('j', 'enter', 'y');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'copy', text: expect.stringContaining('create')});
});

test('under the demo’s traffic: what became of the faulty writes to the store of the row', async () => {
  const screen = await guards();
  const none = {stored: 0, refused: 0, mended: 0, never: null};
  screen.send({type: 'traffic', writes: {gym: {...none, stored: 14, refused: 9}, chat: none}});
  expect(frameOf(screen)).not.toContain('faulty writes');
  screen.press('j', 'j', 'j');
  expect(frameOf(screen)).toContain('faulty writes: 14 stored, 9 refused');
  screen.press('x');
  await answerLast(screen);
  expect(frameOf(screen)).toContain('faulty writes: 14 stored, 9 refused');
});
