/** The command line as a child process, as a user calls it. */
import {spawn} from 'node:child_process';
import {mkdtemp} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

export const cliPath = resolve(import.meta.dirname, '../../dist/source/cli.js');

export type Called = {code: number | null; stdout: string; stderr: string};

export type CliOptions = {cwd?: string; env?: NodeJS.ProcessEnv; input?: string};

/** Calls `sesstui …` and waits for its end. */
export const cli = (args: string[], {cwd, env, input}: CliOptions = {}): Promise<Called> =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [cliPath, ...args], {
      cwd,
      env: {...process.env, ...env},
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    // A chunk may end in the middle of a character.
    child.stdout.setEncoding('utf8');
    child.stderr.setEncoding('utf8');
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    child.stderr.on('data', chunk => {
      stderr += chunk;
    });
    child.on('error', fail);
    child.on('close', code => done({code, stdout, stderr}));
    child.stdin.end(input ?? '');
  });

/** One JSON document on standard output, and the exit code. */
export const cliJson = async <T>(
  args: string[],
  options?: CliOptions,
): Promise<{code: number | null; json: T; stderr: string}> => {
  const {code, stdout, stderr} = await cli([...args, '--json'], options);
  try {
    return {code, json: JSON.parse(stdout) as T, stderr};
  } catch {
    throw new Error(
      `not one JSON document (exit ${code}): ${stdout.slice(0, 500)}\n${stderr.slice(0, 2000)}`,
    );
  }
};

export const temporaryDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'sesstui-test-'));
