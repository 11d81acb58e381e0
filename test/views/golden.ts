/** Frames kept as text in test/views/frames. */
import {expect} from 'vitest';
import {frameOf, type Screen} from '../support/screen.js';

/** The frame of the screen is the one of that name, and no larger than the screen. */
export const golden = async (name: string, screen: Screen): Promise<void> => {
  const frame = frameOf(screen);
  const {columns, rows} = screen.state().size;
  const lines = frame.split('\n');
  expect(lines.length).toBeLessThanOrEqual(rows);
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
  await expect(`${frame}\n`).toMatchFileSnapshot(`frames/${name}.txt`);
};
