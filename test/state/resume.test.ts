/** Interrupted runs: they are told apart, and finished or closed from the screen. */
import {describe, expect, test} from 'vitest';
import {footerBindings} from '../../source/state/keymap.js';
import type {RunResult, RunSummary} from '../../source/types.js';
import {answerLast, frameOf, openLooked, type Screen, type ScreenOptions} from '../support/screen.js';

/** A run of three changes that was stopped after the first. */
const interrupted = async (options?: ScreenOptions): Promise<Screen> => {
  const stop = new AbortController();
  const screen = await openLooked({...options, betweenChanges: async () => stop.abort()});
  const plan = await screen.engine.plan('kite/duplicates', 'keep-latest', {
    findings: ['kite:acct-1040', 'kite:acct-1041'],
  });
  await screen.engine.run(plan, {
    signal: stop.signal,
    confirmed: plan.confirmations.map(item => item.expected),
  });
  screen.press('7');
  await screen.settle();
  return screen;
};

test('stand out in the list, without colour too, and the screen says what to do', async () => {
  const screen = await interrupted();
  const frame = frameOf(screen);
  expect(frame).toContain('INTERRUPTED');
  expect(frame).toContain('1 run is not finished: r finishes what is left, u takes it back');
  expect(footerBindings(screen.state()).map(({id}) => id)).toContain('resume');
  screen.press('enter');
  expect(frameOf(screen)).toMatch(/Headless: sesstui resume 2026\S+ --yes/);
});

test.each([[['r']], [['enter', 'r']], [[':', ...'resume', 'enter']]])(
  'are finished by %s: the plan says what was settled and what is left',
  async keys => {
    const screen = await interrupted();
    const {run} = screen.state().runs.items![0]!;
    screen.press(...keys);
    expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-resume', run});
    await answerLast(screen);
    const plan = frameOf(screen);
    expect(plan).toContain(`the rest of run ${run}`);
    expect(plan).toContain('3 changes to kite-sessions: 1 applied, 2 delete');
    expect(plan).toContain('2 changes are left to make.');
    expect(plan).toContain('1 were made before it stopped.');
    screen.press('x');
    screen.send({type: 'armed'});
    expect(frameOf(screen)).toContain('Make the 2 changes left');
    screen.press('enter');
    expect(screen.effects.some(({effect}) => effect === 'run')).toBe(false);
  },
);

test('a finished run is one run, and done', async () => {
  const screen = await interrupted();
  screen.press('r');
  await answerLast(screen);
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press('tab', 'enter');
  await answerLast(screen);
  await screen.settle();
  const {items} = screen.state().runs;
  expect(items).toMatchObject([{state: 'done', applied: 3}]);
  expect(screen.state().mode).toMatchObject({name: 'results', result: {run: items![0]!.run}});
  expect(frameOf(screen)).not.toContain('not finished');
});

test('with nothing left the run is closed by running the plan', async () => {
  const screen = await interrupted();
  screen.press('r');
  const effect = screen.effects.at(-1)!;
  const plan = await screen.engine.planResume(screen.state().runs.items![0]!.run);
  plan.changes = plan.changes.map(change => ({...change, result: 'applied'}));
  screen.send({type: 'planned', ticket: effect.effect === 'plan-resume' ? effect.ticket : 0, plan});
  expect(frameOf(screen)).toContain('Nothing is left to change: going on closes the run.');
  screen.press('x');
  screen.send({type: 'armed'});
  expect(frameOf(screen)).toContain('[  Close the run  ]');
  screen.press('tab', 'enter');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'run'});
});

test('can be taken back instead, though the journal tells of no change', async () => {
  const screen = await interrupted();
  const runs = screen.state().runs.items!.map(run => ({...run, applied: 0, unknown: 0}));
  screen.send({type: 'history', runs, now: screen.state().now});
  screen.press('u');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-undo'});
});

test('in production it wants the name and the reason like any other plan', async () => {
  const screen = await interrupted({production: true});
  screen.press('r');
  await answerLast(screen);
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press('tab', 'enter');
  expect(screen.effects.some(({effect}) => effect === 'run')).toBe(false);
  screen.press(...'production', 'tab', 'w', 'tab', 'tab', 'enter');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'run', confirmed: ['production'], note: 'w'});
});

test.each([
  [{state: 'done', unknown: 0}, false],
  [{state: 'failed', unknown: 0}, false],
  [{state: 'undone', unknown: 2}, false],
  [{state: 'done', unknown: 2}, true],
  [{state: 'interrupted', unknown: 0}, true],
] as [Partial<RunSummary>, boolean][])('%o can be finished: %s', async (part, can) => {
  const screen = await interrupted();
  const runs = screen.state().runs.items!.map(run => ({...run, ...part}));
  screen.send({type: 'history', runs, now: screen.state().now});
  screen.press('r');
  expect(screen.effects.some(({effect}) => effect === 'plan-resume')).toBe(can);
  if (!can) expect(screen.state().toast?.text).toContain('nothing to finish');
});

describe('while it runs and after', () => {
  const running = async (): Promise<Screen> => {
    const screen = await openLooked();
    screen.press('2', 'x', 'enter');
    await answerLast(screen);
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press('tab', 'enter');
    return screen;
  };
  test('a wait says why, and is gone when it is over', async () => {
    const screen = await running();
    const text = 'replication lag is 12 s, more than 10 s';
    screen.send({type: 'progress', progress: {phase: 'waiting', done: 1, total: 3, text}});
    expect(frameOf(screen)).toContain('waiting for the server: 1 of 3');
    expect(frameOf(screen)).toContain(text);
    screen.send({type: 'progress', progress: {phase: 'changes', done: 2, total: 3}});
    expect(frameOf(screen)).not.toContain(text);
  });
  test('Ctrl-Z does not stop the program in the middle of a run', async () => {
    const screen = await running();
    screen.press('ctrl+z');
    expect(screen.effects.some(({effect}) => effect === 'suspend')).toBe(false);
    expect(screen.state().toast?.text).toContain('Ctrl-C');
  });
  test('what is unknown, what failed and what else went wrong is told, with what to do', async () => {
    const screen = await running();
    const {plan} = screen.effects.at(-1) as {plan: {changes: RunResult['changes']}};
    const change = plan.changes[0]!;
    const result: RunResult = {
      run: '20261121T014210Z-7f30',
      dryRun: false,
      check: 'kite/duplicates',
      action: 'keep-latest',
      planned: 3,
      applied: 0,
      skipped: 1,
      failed: 1,
      unknown: 1,
      remaining: null,
      changes: [
        {...change, result: 'skipped', why: 'changed'},
        {...change, result: 'failed', error: 'deadlock detected'},
        {...change, result: 'unknown', error: 'the reply was lost'},
      ],
      notes: [],
      faults: ['the journal could not be written'],
      interrupted: true,
    };
    screen.send({type: 'ran', result});
    const frame = frameOf(screen);
    for (const text of [
      '0 applied, 1 skipped, 1 failed, 1 unknown of 3 planned changes',
      '1 unknown, found out by reading: sesstui resume 20261121T014210Z-7f30',
      'Stopped before its end: 7 and then r finishes it.',
      'the journal could not be written',
      'changed',
      'deadlock detected',
      'the reply was lost',
    ])
      expect(frame).toContain(text);
  });
});
