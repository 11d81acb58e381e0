/** A command that runs until it is stopped, as a service does. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {cliPath} from './cli.js';

export type Service = {
  child: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  /** Comes when standard error has said so; rejects when the command has ended before. */
  said: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** The same for standard output. */
  printed: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Sends the signal and waits for the end; the exit code, null after SIGKILL. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
};

/** Starts `sesstui …`. */
export const startService = (
  args: string[],
  options: {cwd?: string; env?: NodeJS.ProcessEnv} = {},
): Service => {
  const child = spawn(process.execPath, [cliPath, ...args], {
    cwd: options.cwd,
    env: {...process.env, ...options.env},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = {stdout: '', stderr: ''};
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', chunk => {
      text[name] += chunk;
      child.emit('heard');
    });
  const ended = once(child, 'close');
  const until = async (name: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(text[name]);
      if (found) return found;
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`it ended (${child.exitCode}) without ${pattern}: ${text.stderr.slice(-2000)}`);
      await Promise.race([once(child, 'heard'), ended]);
    }
  };
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    said: pattern => until('stderr', pattern),
    printed: pattern => until('stdout', pattern),
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
};
