/** After a run, Runs is about that run: `u` there takes back no other. */
import {expect, test} from 'vitest';
import {answerLast, frameOf, openLooked, type Screen} from '../support/screen.js';

/** Carries out the plan of the row under the cursor, up to its results. */
const ran = async (screen: Screen): Promise<string> => {
  screen.press('2', 'x', 'enter');
  await answerLast(screen);
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press('tab', 'enter');
  await answerLast(screen);
  const {mode} = screen.state();
  return mode.name === 'results' ? mode.result.run! : '';
};
const twice = async (): Promise<{screen: Screen; first: string; second: string}> => {
  const screen = await openLooked();
  const first = await ran(screen);
  await screen.settle();
  screen.press('7');
  await screen.settle();
  expect(screen.state().runs.run).toBe(first);
  return {screen, first, second: await ran(screen)};
};

test('7 and then u in the results plans to take that very run back', async () => {
  const {screen, second} = await twice();
  expect(frameOf(screen)).toContain(`Run ${second}: 7 and then u takes it back.`);
  await screen.settle();
  screen.press('7');
  expect(screen.state()).toMatchObject({view: 'runs', mode: {name: 'browse'}, runs: {run: second}});
  screen.press('u');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-undo', run: second});
});

test('before the list has the run, u takes back no other; once it has, the cursor is there', async () => {
  const {screen, first, second} = await twice();
  screen.press('7', 'u');
  expect(screen.effects.at(-1)).not.toMatchObject({effect: 'plan-undo'});
  // The answer to a question that was asked before the run.
  const runs = (await screen.engine.history()).filter(item => item.run === first);
  screen.send({type: 'history', runs, now: screen.state().now});
  expect(screen.state().runs).toMatchObject({run: second, awaited: true});
  screen.press('u');
  expect(screen.effects.at(-1)).not.toMatchObject({effect: 'plan-undo'});
  screen.pass(1);
  await screen.settle();
  expect(screen.state().runs).toMatchObject({run: second, awaited: false});
  screen.press('u');
  expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-undo', run: second});
});

test('whoever moves the cursor has it where it was moved', async () => {
  const {screen, first} = await twice();
  await screen.settle();
  screen.press('7', 'j');
  screen.pass(10);
  await screen.settle();
  expect(screen.state().runs.run).toBe(first);
});

test('a run far down or new at the top is scrolled to', async () => {
  const {screen, first} = await twice();
  await screen.settle();
  const [run] = await screen.engine.history();
  const many = Array.from({length: 60}, (_, index) => ({...run!, run: `other-${index}`}));
  screen.press('7', 'j');
  screen.send({type: 'history', runs: [...many, {...run!, run: first}], now: screen.state().now});
  const {runs} = screen.state();
  expect(runs.run).toBe(first);
  expect(runs.top).toBeGreaterThan(30);
  expect(frameOf(screen)).toMatch(/│ > │/);
});
