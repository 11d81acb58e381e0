/** What was said is not left standing beside what it is not about. */
import {expect, test} from 'vitest';
import {answerLast, frameOf, openLooked} from '../support/screen.js';

test.each(['j', 'k', 'G', 'space', 'v', 'a', 'A', 'i', 'pgdn'])(
  '“Cancelled: it stays read-only.” is gone after %s',
  async key => {
    const screen = await openLooked({production: true, readOnlyBy: 'production'});
    screen.press('2', ':', ...'write', 'enter');
    screen.send({type: 'armed'});
    screen.press('enter');
    expect(frameOf(screen)).toContain('Cancelled: it stays read-only.');
    screen.press(key);
    expect(frameOf(screen)).not.toContain('Cancelled');
  },
);

test('what is said of a run is gone once the cursor moves', async () => {
  const screen = await openLooked();
  screen.press('2', 'x', 'enter');
  await answerLast(screen);
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press('tab', 'enter');
  await answerLast(screen);
  screen.press('7');
  await screen.settle();
  const [run] = screen.state().runs.items!;
  const runs = [
    {...run!, state: 'undone' as const},
    {...run!, run: 'other'},
  ];
  screen.send({type: 'history', runs, now: screen.state().now});
  screen.press('u');
  expect(frameOf(screen)).toContain('This run was taken back already.');
  screen.press('j');
  expect(frameOf(screen)).not.toContain('taken back already');
});

test('in a dialog it is gone once something is typed or the focus moves', async () => {
  for (const key of ['p', 'backspace', 'tab']) {
    const screen = await openLooked({production: true, readOnlyBy: 'production'});
    screen.press(':', ...'write', 'enter');
    screen.send({type: 'armed'});
    screen.press('tab', 'enter');
    expect(screen.state().toast?.text).toBe('Type production exactly first.');
    screen.press(key);
    expect(screen.state().toast).toBeNull();
  }
});

test('a key that says something new has its say', async () => {
  const screen = await openLooked({production: true, readOnlyBy: 'production'});
  screen.press('2', 'space', 'x', 'enter');
  await answerLast(screen);
  screen.press('j', 'x');
  expect(frameOf(screen)).toContain('Read-only: the default in production. Esc, then :write lifts it.');
});
