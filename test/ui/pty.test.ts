/** The screen in a real terminal: one whole cleanup and its undo, and every way out. */
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {buildFake, type FakeProgram} from '../support/fake-program.js';
import {openPty, type Pty, type PtyOptions} from '../support/pty.js';

let program: FakeProgram;

beforeAll(async () => {
  program = await buildFake();
});
afterAll(() => program.remove());

const open = (args: string[] = [], options?: PtyOptions): Pty =>
  openPty(process.execPath, [program.path, ...args], options);

const opened = async (args?: string[], options?: PtyOptions): Promise<Pty> => {
  const pty = open(args, options);
  await pty.until('12 warning');
  return pty;
};

const restored = {alternate: false, paste: false, wrap: true, cursorHidden: false};

test('marks, plans, confirms, runs, looks at the result and takes it back', async () => {
  const pty = await opened();
  expect(pty.modes()).toEqual({alternate: true, paste: true, wrap: false, cursorHidden: true});
  pty.write('2');
  await pty.until(/> {2}│ warning {2}│ acct-1040/);
  pty.write(' j ');
  await pty.until('2 marked');
  pty.write('x');
  await pty.until('keep-latest  applies to 2, the safe default');
  pty.write('\r');
  await pty.until('3 changes to kite-sessions');
  pty.write('x');
  await pty.until('Tab or arrows move');
  expect(pty.screen()).toContain('[> Cancel <]');
  pty.write('\t');
  await pty.until('[> Make 3 changes <]');
  pty.write('\r');
  await pty.until('Done: keep-latest on kite/duplicates');
  expect(pty.screen()).toContain('3 applied, 0 skipped, 0 failed, 0 unknown');
  pty.write('\r');
  await pty.until(/row \d+ of 10/);
  pty.write('7');
  await pty.until(/kite\/duplicat.*done/);
  pty.write('u');
  await pty.until('Plan: undo of run');
  pty.write('x');
  await pty.until('Tab or arrows move');
  pty.write('\x1b[C');
  await pty.until('[> Undo 3 changes <]');
  pty.write('\r');
  await pty.until('Done: undo of run');
  pty.write('\x1b');
  await pty.until(/undo {2,}│ done/);
  expect(pty.screen()).toMatch(/keep-l.* undone/);
  pty.write('2');
  await pty.until(/row \d+ of 12/);
  pty.write('q');
  expect(await pty.ended).toBe(0);
  await expect.poll(() => pty.modes()).toEqual(restored);
});

test('what is pasted runs nothing', async () => {
  const pty = await opened();
  pty.write('2');
  await pty.until('acct-1040');
  pty.write('\x1b[200~xxxyyy\r\x1b[201~');
  await pty.until('Pasted text was ignored');
  pty.write('xxxyyy\r');
  await pty.until('Plan: keep-latest');
  pty.write('xxxyyy\r\t\r\ty\r');
  await pty.until('Tab or arrows move');
  expect(pty.screen()).toContain('[> Cancel <]');
  pty.write('\r');
  await pty.until('nothing was changed');
  pty.write('q');
  expect(await pty.ended).toBe(0);
});

test('an escape sequence that is cut in two is one key', async () => {
  const pty = await opened();
  pty.write('2');
  await pty.until('row 1 of 12');
  pty.write('\x1b');
  pty.write('[B');
  await pty.until('row 2 of 12');
  pty.write('q');
  await pty.ended;
});

test('another size is drawn at once, whole', async () => {
  const pty = await opened();
  pty.write('2');
  await pty.until('row 1 of 12');
  pty.resize(120, 30);
  await pty.until(/^.{119}┐$/m);
  pty.resize(50, 12);
  await pty.until('This terminal is 50×12.');
  pty.resize(80, 24);
  await pty.until(/^.{79}┐$/m);
  await pty.until('row 1 of 12');
  pty.write('q');
  expect(await pty.ended).toBe(0);
});

test('works without colour', async () => {
  const pty = await opened(['--no-color']);
  pty.write('2 ');
  await pty.until('>● │');
  expect(pty.written()).not.toMatch(/\x1b\[[1-9][0-9;]*m/);
  pty.write('\x03');
  await pty.ended;
});

describe('every way out leaves the terminal as it was', () => {
  test('Ctrl-C', async () => {
    const pty = await opened();
    pty.write('\x03');
    expect(await pty.ended).toBe(130);
    await expect.poll(() => pty.modes()).toEqual(restored);
  });
  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('%s', async (signal, code) => {
    const pty = await opened();
    pty.kill(signal);
    expect(await pty.ended).toBe(code);
    await expect.poll(() => pty.modes()).toEqual(restored);
  });
  test('a fault while drawing, in a handler, and one that nobody caught', async () => {
    for (const fault of ['--throw-in-render', '--throw-in-handler', '--throw-uncaught']) {
      const pty = open([fault]);
      expect([fault, await pty.ended]).toEqual([fault, 1]);
      await expect.poll(() => pty.modes()).toEqual(restored);
      await expect.poll(() => pty.screen()).toContain('broken on purpose');
    }
  });
  test('the terminal’s own settings: echo and line editing are back', async () => {
    const command = `${process.execPath} ${program.path}; stty -a | tr ';' '\\n' | tr ' ' '\\n' | grep -E '^-?(icanon|echo|isig)$' | tr '\\n' ,`;
    const pty = openPty('sh', ['-c', command]);
    await pty.until('12 warning');
    pty.write('q');
    await pty.until('isig,icanon,echo,');
  });
  test('not a terminal', async () => {
    const call = promisify(execFile)(process.execPath, [program.path]);
    await expect(call).rejects.toMatchObject({code: 2, stderr: 'not a terminal\n'});
  });
});
