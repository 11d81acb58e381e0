// The processes of the soak: each with what it said, ended by its own id.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {appendFileSync, readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {createInterface} from 'node:readline';

const cli = resolve(import.meta.dirname, '../../dist/source/cli.js');
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `sesstui …`; `said` waits for a line of standard error or output, which is kept in the file `log`; `onLine` hears each line of standard output. */
export const start = (args, {cwd, log, onLine, env = {}}) => {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd,
    env: {...process.env, AWS_ACCESS_KEY_ID: 'demo', AWS_SECRET_ACCESS_KEY: 'demo', NO_COLOR: '1', ...env},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', chunk => {
      // What was said long ago is of no interest, and this program's memory is not what is measured.
      text = (text + chunk).slice(-200_000);
      if (log) appendFileSync(log, chunk);
      child.emit('heard');
    });
  if (onLine) createInterface({input: child.stdout}).on('line', onLine);
  const ended = once(child, 'close').then(() => running.delete(child));
  return {
    pid: child.pid,
    text: () => text,
    said: async pattern => {
      for (;;) {
        const found = pattern.exec(text);
        if (found) return found;
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`sesstui ${args.join(' ')} ended (${child.exitCode}): ${text.slice(-2000)}`);
        await Promise.race([once(child, 'heard'), ended]);
      }
    },
    end: async signal => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
      return child.exitCode;
    },
    /** Resident memory, megabytes; null once it has ended. */
    residentMb: () => {
      try {
        return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;
      } catch {
        return null;
      }
    },
  };
};

/** The end of a command, with its exit code and standard output. */
export const call = async (args, cwd) => {
  const child = spawn(process.execPath, [cli, ...args], {cwd, stdio: ['ignore', 'pipe', 'pipe']});
  let stdout = '';
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.resume();
  await once(child, 'close');
  return {code: child.exitCode, stdout};
};
