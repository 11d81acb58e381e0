/** Texts of the program itself are not cut at 80 columns. */
import {expect, test} from 'vitest';
import {answerLast, frameOf, openLooked} from '../support/screen.js';

test('the palette tells each command to its end', async () => {
  for (const view of ['1', '2', '5', '7']) {
    const screen = await openLooked({rows: 60});
    screen.press(view, ':');
    expect(frameOf(screen)).not.toContain('…');
    screen.press(...'write');
    expect(frameOf(screen)).toContain('asks for the name');
  }
});

test('why a plan can’t be run is told to its end, beside marks too', async () => {
  for (const [columns, rows] of [
    [80, 24],
    [70, 20],
  ] as const) {
    const screen = await openLooked({columns, rows, production: true, readOnlyBy: 'production'});
    screen.press('2', 'a', 'x', 'enter');
    await answerLast(screen);
    screen.press('x');
    const said = frameOf(screen).split('\n').at(-2);
    expect(said).toContain('Read-only: the default in production. Esc, then :write lifts it.');
  }
});

test('the title has the number of stores, with everything else that it can say', async () => {
  for (const readOnlyBy of ['production', undefined] as const) {
    const screen = await openLooked({production: true, readOnlyBy, standIns: ['chat is a stand-in.']});
    const [first] = screen.state().stores;
    const stores = Array.from({length: 17}, (_, index) => ({...first!, store: `store-${index}`}));
    screen.send({type: 'status', stores});
    if (!readOnlyBy) screen.send({type: 'writing', readOnlyBy: null, until: screen.state().now + 900_000});
    expect(frameOf(screen).split('\n')[0]).toContain('17 stores up');
    screen.press('p');
    expect(frameOf(screen).split('\n')[0]).toContain('17 stores up');
  }
});
