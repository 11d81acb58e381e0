/** A program in a real pseudo-terminal, with an emulator that keeps the screen. */
import {type IPty, spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

export type Pty = {
  write(text: string): void;
  resize(columns: number, rows: number): void;
  kill(signal: string): void;
  /** The lines on the screen. */
  screen(): string;
  /** Everything that was written, escape sequences and all. */
  written(): string;
  /** Comes once the screen has the text or matches; fails with the screen in the message. */
  until(wanted: string | RegExp): Promise<void>;
  /** The exit code, once the program has ended. */
  ended: Promise<number>;
  /** Modes that a program has to put back. */
  modes(): {alternate: boolean; paste: boolean; wrap: boolean; cursorHidden: boolean};
  pid: number;
  /** The emulator itself, for what it can be asked besides. */
  terminal: xterm.Terminal;
};

export type PtyOptions = {columns?: number; rows?: number; env?: Record<string, string>; cwd?: string};

const LIMIT_MS = 20_000;

export const openPty = (command: string, args: string[], options: PtyOptions = {}): Pty => {
  const {columns = 80, rows = 24} = options;
  const emulator = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
  const child: IPty = spawn(command, args, {
    cols: columns,
    rows,
    cwd: options.cwd,
    env: {...process.env, TERM: 'xterm-256color', ...options.env} as Record<string, string>,
  });
  let written = '';
  /** What of it the emulator has drawn. */
  let drawn = '';
  let listeners: (() => void)[] = [];
  child.onData(data => {
    written += data;
    emulator.write(data, () => {
      drawn += data;
      for (const listener of listeners) listener();
    });
  });
  emulator.onData(answer => child.write(answer));
  const screen = (): string =>
    Array.from(
      {length: emulator.rows},
      (_, row) =>
        emulator.buffer.active.getLine(emulator.buffer.active.viewportY + row)?.translateToString(true) ?? '',
    ).join('\n');
  const has = (wanted: string | RegExp): boolean =>
    typeof wanted === 'string' ? screen().includes(wanted) : wanted.test(screen());
  return {
    pid: child.pid,
    terminal: emulator,
    write: text => child.write(text),
    resize(width, height) {
      emulator.resize(width, height);
      child.resize(width, height);
    },
    kill: signal => process.kill(child.pid, signal),
    screen,
    written: () => written,
    until: wanted =>
      new Promise((done, fail) => {
        const check = (): void => {
          // A frame comes in pieces: only what is between two synchronised updates is a screen.
          const whole = drawn.lastIndexOf('\x1b[?2026h') <= drawn.lastIndexOf('\x1b[?2026l');
          if (!whole || !has(wanted)) return;
          clearTimeout(limit);
          listeners = listeners.filter(listener => listener !== check);
          done();
        };
        const limit = setTimeout(
          () => fail(new Error(`“${wanted}” never came. The screen:\n${screen()}`)),
          LIMIT_MS,
        );
        listeners.push(check);
        check();
      }),
    ended: new Promise(done => child.onExit(({exitCode, signal}) => done(signal ? 128 + signal : exitCode))),
    modes: () => ({
      alternate: emulator.buffer.active.type === 'alternate',
      paste: emulator.modes.bracketedPasteMode,
      wrap: emulator.modes.wraparoundMode,
      cursorHidden: written.lastIndexOf('\x1b[?25l') > written.lastIndexOf('\x1b[?25h'),
    }),
  };
};
