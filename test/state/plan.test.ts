/** From marks to a plan, a run, its results, and back. */
import {expect, test} from 'vitest';
import type {State} from '../../source/state/state.js';
import {answerLast, frameOf, openLooked, type Screen} from '../support/screen.js';

const confirm = (screen: Screen): void => {
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press('tab', 'enter');
};
const text = ({toast}: State): string => toast?.text ?? '';

test('without marks a plan takes the row under the cursor', async () => {
  const screen = await openLooked();
  screen.press('4', 'j', 'x', 'enter');
  expect(screen.effects.at(-1)).toMatchObject({
    effect: 'plan',
    check: 'rides/stale-sessions',
    action: 'cancel',
    selection: {findings: [expect.stringContaining('rides:')]},
  });
});

test('marks that the filter hides are taken only when the user says so', async () => {
  const screen = await openLooked();
  screen.press('2', 'space', 'j', 'space', '/', ...'1041', 'enter', 'x', 'enter');
  expect(screen.effects.at(-1)).toMatchObject({selection: {findings: ['kite:acct-1041']}});
  screen.press('esc', 'x', 'h', 'enter');
  expect(screen.effects.at(-2)).toMatchObject({effect: 'cancel-plan'});
  expect(screen.effects.at(-1)).toMatchObject({selection: {findings: ['kite:acct-1040', 'kite:acct-1041']}});
});

test('the keeper that was chosen goes with the plan', async () => {
  const screen = await openLooked();
  screen.press('2', 'enter', 'space', 'x', 'enter');
  const keeper = screen.engine.findings['kite/duplicates']![0]!.rows[0]!;
  expect(screen.effects.at(-1)).toMatchObject({selection: {keepers: {'kite:acct-1040': keeper.identity}}});
  await answerLast(screen);
  expect(screen.state().mode).toMatchObject({
    plan: {changes: [{op: 'delete', key: {sessionId: 'sess_acct-1040'}}]},
  });
});

test('the same keeper chosen again leaves it to the rule', async () => {
  const screen = await openLooked();
  screen.press('2', 'enter', 'space', 'space');
  expect(screen.state().lists['kite/duplicates']!.keepers).toEqual({});
});

test('data that is older than a refresh is read again before it is planned from', async () => {
  const screen = await openLooked();
  screen.press('2', 'p', 'space', 'j', 'space');
  screen.pass(60);
  screen.engine.findings['kite/duplicates']!.shift();
  screen.press('x', 'enter');
  expect(screen.effects).toEqual([]);
  expect(screen.state().mode).toMatchObject({name: 'planning', reading: true});
  await screen.settle();
  expect(screen.effects).toMatchObject([{effect: 'plan', selection: {findings: ['kite:acct-1041']}}]);
});

test('nothing is planned on a store that is down, and the reason is said', async () => {
  const screen = await openLooked();
  screen.press('4');
  screen.engine.setDown('rides', true);
  screen.press('x');
  expect(screen.state().mode.name).toBe('browse');
  expect(text(screen.state())).toContain('rides is down');
});

test('a store that goes down between plan and confirmation is not written to', async () => {
  const screen = await openLooked();
  screen.press('4', 'x', 'enter');
  await answerLast(screen);
  screen.engine.setDown('rides', true);
  screen.press('x');
  expect(screen.state().mode.name).toBe('plan');
});

test('an answer to a plan that was given up is thrown away', async () => {
  const screen = await openLooked();
  screen.press('2', 'x', 'enter');
  const effect = screen.effects.at(-1)!;
  screen.press('esc');
  const plan = await screen.engine.plan('kite/duplicates', 'keep-latest', {});
  screen.send({type: 'planned', ticket: effect.effect === 'plan' ? effect.ticket : 0, plan});
  expect(screen.state().mode.name).toBe('browse');
  expect(screen.effects.at(-1)).toEqual({effect: 'release', plan});
});

test('after a run its marks are used up, the check is looked at again, and the run can be taken back', async () => {
  const screen = await openLooked();
  screen.press('2', 'space', 'j', 'space', 'x', 'enter');
  await answerLast(screen);
  confirm(screen);
  await answerLast(screen);
  await screen.settle();
  expect(screen.state().mode).toMatchObject({name: 'results', result: {applied: 3}});
  expect(screen.state().lists['kite/duplicates']).toMatchObject({
    total: 10,
    ghosts: [],
    marks: {all: false, ids: new Map()},
  });
  screen.press('esc', '7');
  await screen.settle();
  screen.press('u');
  await answerLast(screen);
  confirm(screen);
  await answerLast(screen);
  await screen.settle();
  expect(screen.state().lists['kite/duplicates']!.total).toBe(12);
  screen.press('esc', 'G', 'u');
  expect(text(screen.state())).toContain('taken back already');
});

test('outcomes are counted while it runs; Ctrl-C stops it after the chunk, once', async () => {
  const screen = await openLooked();
  screen.press('2', 'x', 'enter');
  await answerLast(screen);
  confirm(screen);
  const [change] = (await screen.engine.plan('kite/duplicates', 'keep-latest', {})).changes;
  for (const result of ['applied', 'applied', 'failed'] as const) {
    screen.send({
      type: 'progress',
      progress: {phase: 'changes', done: 1, total: 3, outcome: {...change!, result}},
    });
  }
  expect(screen.state().mode).toMatchObject({
    name: 'running',
    outcomes: {applied: 2, skipped: 0, failed: 1, unknown: 0},
  });
  screen.press('q', 'esc', 'enter', 'ctrl+c', 'ctrl+c');
  expect(screen.effects.filter(({effect}) => effect === 'stop')).toHaveLength(1);
  expect(screen.effects.some(({effect}) => effect === 'quit')).toBe(false);
});

test('a signal during a run lets it come to the end of its chunk before the program ends', async () => {
  const screen = await openLooked();
  screen.press('2', 'x', 'enter');
  await answerLast(screen);
  confirm(screen);
  const run = screen.effects.at(-1)!;
  screen.send({type: 'terminate', code: 143});
  expect(screen.effects.at(-1)).toEqual({effect: 'stop'});
  if (run.effect === 'run') screen.send({type: 'ran', result: await screen.engine.run(run.plan)});
  expect(screen.effects.at(-1)).toEqual({effect: 'quit', code: 143});
});

test('each change of a plan can be read to its end, and nothing is written by looking', async () => {
  const screen = await openLooked();
  screen.press('2', 'space', 'j', 'space', 'x', 'enter');
  await answerLast(screen);
  const long = `${'0123456789'.repeat(40)}end`;
  const {mode} = screen.state();
  if (mode.name === 'plan') mode.plan.changes[1]!.before!.cookies = long;
  expect(frameOf(screen)).not.toContain('end');
  screen.press('j', 'enter');
  const frame = frameOf(screen);
  expect(frame).toContain('Change 2 of 3: delete in kite-sessions');
  screen.press('G');
  const shown = [frame, frameOf(screen)].join('').replaceAll(/\s/g, '');
  expect(shown).toContain('end');
  expect(frameOf(screen)).toContain('The row goes.');
  screen.press('enter', 'x', 'space');
  expect(screen.state().mode.name).toBe('change');
  screen.press('esc');
  expect(screen.state().mode).toMatchObject({name: 'plan', row: 1});
  screen.press('j', 'j', 'j', 'G');
  expect(screen.state().mode).toMatchObject({row: 2});
  expect(screen.effects.map(({effect}) => effect)).toEqual(['plan']);
});
