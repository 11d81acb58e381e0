/** The modes of the terminal: switched on at the beginning, and off again on every way out. */
import {writeSync} from 'node:fs';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[2J';
/** An update that was begun is ended, and colours and modes are put back, before the old screen comes back. */
const LEAVE = '\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l';

export type Terminal = {
  enter(): void;
  /** Synchronous, because it is the last thing that a process does. */
  leave(): void;
  /** Leaves, and does nothing on exit any more. */
  dispose(): void;
};

/** The modes of a terminal. They are put back when the process ends in any way that lets it do anything at all. */
export const createTerminal = (stdout: {readonly fd: number}): Terminal => {
  let entered = false;
  const write = (text: string): void => {
    try {
      writeSync(stdout.fd, text);
    } catch {
      // The terminal is gone (EPIPE, EIO) or full (EAGAIN): there is nobody to tell.
    }
  };
  const leave = (): void => {
    if (!entered) return;
    entered = false;
    write(LEAVE);
  };
  process.on('exit', leave);
  // Before Node prints the error, which would go down with the alternate screen.
  process.on('uncaughtExceptionMonitor', leave);
  return {
    enter() {
      entered = true;
      write(ENTER);
    },
    leave,
    dispose() {
      leave();
      process.off('exit', leave);
      process.off('uncaughtExceptionMonitor', leave);
    },
  };
};

/** True when both ends are a terminal, without which the screen can't be opened. */
export const isTerminal = (stdin: {isTTY?: boolean}, stdout: {isTTY?: boolean}): boolean =>
  stdin.isTTY === true && stdout.isTTY === true;
