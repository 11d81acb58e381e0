/** The painter writes what changed and nothing else, and what it wrote is what the frame says. */
import xterm from '@xterm/headless';
import {expect, test} from 'vitest';
import {Painter} from '../../source/ui/painter.js';

/** A terminal's stream that an emulator shows. `full` stands for a terminal that doesn't take any more. */
const openOutput = (columns = 20, rows = 5) => {
  const emulator = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
  const writes: string[] = [];
  let onDrain: (() => void) | undefined;
  const output = {
    columns,
    rows,
    writableNeedDrain: false,
    write(text: string) {
      writes.push(text);
      emulator.write(text);
      return true;
    },
    once(_: string, listener: () => void) {
      onDrain = listener;
    },
  };
  const painter = new Painter(output as unknown as NodeJS.WriteStream);
  emulator.write('\x1b[?7l');
  const painted = (frame: string): Promise<void> =>
    new Promise(done => {
      painter.afterPaint(done);
      painter.write(frame);
    });
  const screen = async (): Promise<string[]> => {
    await new Promise<void>(done => emulator.write('', done));
    return Array.from({length: rows}, (_, row) =>
      emulator.buffer.active.getLine(row)!.translateToString(true),
    );
  };
  return {painter, output, writes, painted, screen, drain: () => onDrain?.()};
};

test('a frame is on the screen, to its last column and line', async () => {
  const {painted, screen} = openOutput();
  const lines = ['┌──────────────────┐', '│ kite             │', '', '12345678901234567890', 'the last'];
  await painted(lines.join('\n'));
  expect(await screen()).toEqual(lines);
});

test('only lines that changed are written, in one synchronised update', async () => {
  const {painted, writes, screen} = openOutput();
  await painted('one\ntwo\nthree');
  writes.length = 0;
  await painted('one\n2\nthree');
  expect(writes).toEqual(['\x1b[?2026h\x1b[2;1H\x1b[K2\x1b[0m\x1b[?2026l']);
  await painted('one');
  expect(await screen()).toEqual(['one', '', '', '', '']);
  writes.length = 0;
  await painted('one');
  expect(writes).toEqual([]);
});

test('of several frames in a row only the latest is written', async () => {
  const {painter, painted, writes, screen} = openOutput();
  painter.write('first');
  painter.write('second');
  await painted('third');
  expect(writes).toHaveLength(1);
  expect((await screen())[0]).toBe('third');
});

test('a terminal that is full gets the latest frame once it takes more', async () => {
  const {painter, painted, output, writes, drain, screen} = openOutput();
  output.writableNeedDrain = true;
  painter.write('old');
  const done = painted('new');
  await new Promise(setImmediate);
  expect(writes).toEqual([]);
  output.writableNeedDrain = false;
  drain();
  await done;
  expect((await screen())[0]).toBe('new');
});

test('after characters of doubtful width the cursor is put where the next one belongs', async () => {
  const {painted, writes} = openOutput();
  await painted('│ 東京 │');
  expect(writes.join('')).toContain('│ 東\x1b[5G京\x1b[7G │');
});
