/** The screen under fire, in a real terminal: pastes, held keys, sizes, suspension, a terminal that goes away. */
import {spawn} from 'node:child_process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {buildFake, type FakeProgram} from '../support/fake-program.js';
import {openPty, type Pty, type PtyOptions} from '../support/pty.js';

let program: FakeProgram;

beforeAll(async () => {
  program = await buildFake();
});
afterAll(() => program.remove());

const restored = {alternate: false, paste: false, wrap: true, cursorHidden: false};

const opened = async (args: string[] = [], options?: PtyOptions): Promise<Pty> => {
  const pty = openPty(process.execPath, [program.path, ...args], options);
  await pty.until('12 warning');
  return pty;
};

/** The plan of one group, in production. */
const planned = async (args: string[] = []): Promise<Pty> => {
  const pty = await opened(['--production', ...args]);
  pty.write('2');
  await pty.until('row 1 of 12');
  pty.write('x');
  await pty.until('keep-latest  applies to 1');
  pty.write('\r');
  await pty.until('Plan: keep-latest');
  return pty;
};
const confirming = async (args?: string[]): Promise<Pty> => {
  const pty = await planned(args);
  pty.write('x');
  await pty.until('Tab or arrows move');
  return pty;
};
const leave = async (pty: Pty): Promise<void> => {
  pty.write('\x03');
  expect(await pty.ended).toBe(130);
  await expect.poll(() => pty.modes()).toEqual(restored);
};
/** Writes byte by byte, each once the one before it can have been read. */
const trickle = async (pty: Pty, text: string): Promise<void> => {
  for (const character of text) {
    pty.write(character);
    await new Promise(setImmediate);
  }
};
/** Back to the lists, with Esc from whatever is open. */
const toLists = async (pty: Pty): Promise<void> => {
  while (!pty.screen().includes('q quit')) {
    const before = pty.screen();
    pty.write('\x1b');
    await expect.poll(() => pty.screen()).not.toBe(before);
  }
};
/** Nothing was run: the runs say so. */
const ranNothing = async (pty: Pty): Promise<void> => {
  expect(pty.written()).not.toMatch(/Running keep-latest|Done: keep-latest/);
  await toLists(pty);
  await expect
    .poll(() => {
      pty.write('7');
      return pty.screen();
    })
    .toContain('Nothing has been changed yet');
};

const bracketed = (text: string): string => `\x1b[200~${text}\x1b[201~`;

describe('what is pasted runs nothing in production', () => {
  const texts = ['xxxyyy\r', 'x\rx\r\t\r', 'xproduction\twhy\t\t\r', 'x\r\nx\r\ny\r\n'];
  const pastes = texts.flatMap(text => [bracketed(text), text]);
  test('over a list', async () => {
    const pty = await opened(['--production']);
    for (const paste of pastes) {
      pty.write('2');
      await pty.until(/\[2 Duplicates.*\n.*\n.*\n┌/);
      pty.write(paste + paste);
      // Keys open the menu or what comes after it; all of it is left again.
      await pty.until(paste.startsWith('\x1b') ? 'Pasted text was ignored' : 'Esc back');
      await toLists(pty);
    }
    await ranNothing(pty);
    await leave(pty);
  });
  test('over the dialog', async () => {
    const pty = await planned();
    for (const paste of pastes) {
      pty.write('x');
      await pty.until('Tab or arrows move');
      pty.write(paste);
      await pty.until(/Pasted text is not taken|Enter was dropped/);
      pty.write(paste);
      pty.write('\x1b');
      await pty.until('x go on to the confirmation');
    }
    await ranNothing(pty);
    await leave(pty);
  });
  test('byte by byte, from the plan on: the dialog opens with nothing typed into it', async () => {
    const pty = await planned();
    await trickle(pty, 'xxxyyy\rproduction\twhy\t\t\r');
    await pty.until('Tab or arrows move');
    expect(pty.screen()).toMatch(/Type production : _\s/);
    expect(pty.screen()).toContain('[> Cancel <]');
    await ranNothing(pty);
    await leave(pty);
  });
});

test('Enter held down from the plan on runs nothing', async () => {
  const pty = await planned();
  pty.write('x');
  await pty.until('One moment');
  for (let count = 0; count < 20; count++) {
    pty.write('\r');
    await new Promise(setImmediate);
  }
  await pty.until('Tab or arrows move');
  expect(pty.screen()).toContain('[> Cancel <]');
  await ranNothing(pty);
  await leave(pty);
});

test('typed by hand, the name and the reason run the plan, and the run has the reason', async () => {
  const pty = await confirming();
  await trickle(pty, 'producton');
  pty.write('\t');
  await pty.until('> Why');
  await trickle(pty, 'ticket 4711');
  pty.write('\t');
  await pty.until('[> Cancel <]');
  pty.write('\t');
  await pty.until('[> Make 1 change <]');
  pty.write('\r');
  await pty.until('Type production exactly first');
  pty.write('\t');
  await pty.until('> Type production');
  pty.write('\x7f\x7f');
  await pty.until(/: product_/);
  await trickle(pty, 'ion');
  await pty.until(/production_? ✔/);
  pty.write('\x1b[D');
  await pty.until('[> Make 1 change <]');
  pty.write('\r');
  await pty.until('Done: keep-latest');
  pty.write('\r');
  await pty.until('row 1 of 11');
  pty.write('7');
  await pty.until(/kite\/duplicat.*done/);
  pty.write('\r');
  await pty.until(/note +ticket 4711/);
  await leave(pty);
});

test('Enter after the name and after the reason goes on, held down it runs nothing, and once more it runs', async () => {
  const pty = await confirming();
  await trickle(pty, 'producton');
  await pty.until(/: producton_/);
  pty.write('\r');
  await pty.until('Type production exactly.');
  pty.write('\x7f\x7f');
  await pty.until(/: product_/);
  await trickle(pty, 'ion');
  await pty.until(/production_ ✔/);
  pty.write('\r');
  await pty.until('> Why');
  await trickle(pty, 'ticket 4711');
  await pty.until('4711_ ✔');
  pty.write('\r');
  await pty.until('[> Make 1 change <]');
  for (let count = 0; count < 20; count++) {
    pty.write('\r');
    await new Promise(setImmediate);
  }
  await pty.until('Enter presses Make 1 change.');
  expect(pty.written()).not.toMatch(/Running keep-latest|Done: keep-latest/);
  pty.write('\r');
  await pty.until('Done: keep-latest');
  pty.write('7');
  await pty.until(/kite\/duplicat.*done/);
  pty.write('u');
  await pty.until('Plan: undo of run');
  await leave(pty);
});

describe(':write', () => {
  const lift = async (pty: Pty): Promise<void> => {
    pty.write(':');
    await pty.until(/^:_/m);
    await trickle(pty, 'write');
    await pty.until(/^> write/m);
    pty.write('\r');
    await pty.until('Tab or arrows move');
    await trickle(pty, 'production');
    await pty.until(/production_ ✔/);
    pty.write('\t');
    await pty.until('[> Cancel <]');
    pty.write('\t');
    await pty.until('[> Allow it <]');
    pty.write('\r');
    await pty.until(/production: writing for/);
  };
  test('lifts production’s read-only, and :readonly ends it', async () => {
    const pty = await opened(['--production', '--locked']);
    expect(pty.screen().split('\n')[0]).toContain('read-only');
    await lift(pty);
    pty.write(':');
    await pty.until(/^:_/m);
    await trickle(pty, 'readonly');
    await pty.until(/^> readonly/m);
    pty.write('\r');
    await pty.until('Read-only again');
    expect(pty.screen().split('\n')[0]).toContain('read-only');
    await leave(pty);
  });
  test('ends by itself while a dialog is open: nothing runs', async () => {
    const pty = await opened(['--production', '--locked', '--short']);
    await lift(pty);
    pty.write('2');
    await pty.until('row 1 of 12');
    pty.write('x');
    await pty.until('keep-latest  applies to 1');
    pty.write('\r');
    await pty.until('Plan: keep-latest');
    pty.write('x');
    await pty.until('Tab or arrows move');
    await pty.until('Read-only: the default in production');
    await trickle(pty, 'production');
    pty.write('\t');
    await pty.until('> Why');
    await trickle(pty, 'why');
    pty.write('\t');
    await pty.until('[> Cancel <]');
    pty.write('\t');
    await pty.until('[> Make 1 change <]');
    pty.write('\r');
    await pty.until(/^Read-only: the default/m);
    await ranNothing(pty);
    await leave(pty);
  });
  test('not --read-only, and says so without colour too', async () => {
    const pty = await opened(['--production', '--read-only', '--no-color']);
    pty.write(':');
    await pty.until(/^:_/m);
    await trickle(pty, 'write');
    await pty.until(/^> write/m);
    pty.write('\r');
    await pty.until('nothing lifts it');
    await leave(pty);
  });
});

test('another size while a dialog is open, down to 20×5 and back: what was typed is there, nothing ran', async () => {
  const pty = await confirming();
  await trickle(pty, 'product');
  await pty.until(/: product_/);
  pty.resize(160, 45);
  await pty.until(/: product_/);
  pty.resize(20, 5);
  await pty.until('This terminal');
  pty.write('\t\t\t\r');
  await trickle(pty, '\t\t\r');
  pty.resize(80, 24);
  await pty.until('Tab or arrows move');
  expect(pty.screen()).toMatch(/: product_/);
  await ranNothing(pty);
  await leave(pty);
});

test('Ctrl-Z in a dialog and back: the shell has its terminal, then the dialog is there as it was', async () => {
  const pty = openPty('bash', ['--norc', '-i'], {env: {PS1: 'shell$ '}});
  await pty.until('shell$');
  pty.write(`${process.execPath} ${program.path} --production\r`);
  await pty.until('12 warning');
  pty.write('2');
  await pty.until('row 1 of 12');
  pty.write('x');
  await pty.until('keep-latest  applies to 1');
  pty.write('\r');
  await pty.until('Plan: keep-latest');
  pty.write('x');
  await pty.until('Tab or arrows move');
  await trickle(pty, 'product');
  await pty.until(/: product_/);
  pty.write('\x1a');
  await pty.until(/Stopped/);
  expect(pty.modes()).toMatchObject({alternate: false, wrap: true, cursorHidden: false});
  pty.write('echo "still $((40 + 2))"\r');
  await pty.until('still 42');
  pty.write('fg\r');
  await pty.until('Tab or arrows move');
  expect(pty.screen()).toMatch(/: product_/);
  expect(pty.modes()).toEqual({alternate: true, paste: true, wrap: false, cursorHidden: true});
  pty.write('\x03');
  await pty.until('shell$');
  pty.write('exit\r');
  await pty.ended;
  expect(pty.modes()).toMatchObject({alternate: false, wrap: true, cursorHidden: false});
});

test('output that nobody reads any more ends the program, without a trace of a crash', async () => {
  const child = spawn(process.execPath, [program.path, '--any-output'], {stdio: ['pipe', 'pipe', 'pipe']});
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += String(data);
  });
  const ended = new Promise(done => child.on('exit', done));
  await new Promise<void>(seen => {
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += String(data);
      if (text.includes('12 warning')) seen();
    });
  });
  child.stdout.destroy();
  // Makes it draw.
  child.stdin.write('2');
  expect(await ended).toBe(129);
  expect(errors).toBe('');
});
