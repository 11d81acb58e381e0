/** What is left of a process that dies in the middle: one redacted message, and no memory or environment on disk (S16). */
import {writeFileSync, writeSync} from 'node:fs';
import {sanitise} from './sanitise.js';

/**
 * Keeps what Node and the kernel write of a dying process free of credentials. Node's diagnostic report holds the
 * environment and the command line, and the user's NODE_OPTIONS may have asked for one; a core file holds all
 * memory.
 */
export const leaveNoDumps = (): void => {
  const {report} = process;
  report.reportOnFatalError = false;
  report.reportOnSignal = false;
  report.reportOnUncaughtException = false;
  try {
    // No mapping of ours goes into a core file (core(5)); the process can't take its limit away by itself.
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // Not Linux, or no /proc.
  }
};

const framesOf = (error: unknown): string[] =>
  error instanceof Error ? (error.stack ?? '').split('\n').filter(line => /^ {4}at /.test(line)) : [];

/**
 * Tells an exception that nobody caught and ends the process with 3. Node itself would print the error with all
 * that hangs on it: the driver's details, the row, the options of the connection.
 */
export const onCrash = (tell: (error: unknown) => void, redact: () => (text: string) => string): void => {
  const crash = (error: unknown): void => {
    try {
      tell(error);
      for (const line of framesOf(error)) writeSync(2, `${sanitise(redact()(line))}\n`);
    } catch {
      // Nobody is left to tell.
    }
    process.exit(3);
  };
  process.on('uncaughtException', crash);
  // Thrown again, it is an exception that nobody caught: the screen puts the terminal back before it is told.
  process.on('unhandledRejection', error => {
    throw error;
  });
};
