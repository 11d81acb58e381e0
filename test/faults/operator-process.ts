/** The operators as processes of the system: what a test says to one, and what it answers. */
import {type ChildProcess, fork} from 'node:child_process';
import {join} from 'node:path';
import type {RunResult, ShownChange} from '../../source/types.js';

/** What an operator is told to do; `byHand`: keepers that a person chose, which are not those of the rule. */
export type Task = {check: string; action: string; selection?: {reasons?: string[]}; byHand?: boolean};

export type Operator = {
  open(config: object, stateDirectory: string): Promise<void>;
  /** Makes a plan and keeps it; the changes that it holds. */
  plan(task: Task): Promise<ShownChange[]>;
  /** Carries the plan out. */
  run(): Promise<RunResult>;
  /** Takes a run back. */
  undo(run: string): Promise<RunResult>;
  end(): Promise<void>;
};

type Answer = {done: string; error?: {code: string; message: string; stack: string}} & Record<
  string,
  unknown
>;

/** What the engine threw, with its code. */
export class OperatorError extends Error {
  readonly code: string;
  constructor(what: string, {code, stack}: NonNullable<Answer['error']>) {
    super(`${what}: ${stack}`);
    this.code = code;
  }
}

const ask = (child: ChildProcess, message: {do: string; [more: string]: unknown}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`an operator ended with code ${code}`));
    child.once('exit', onExit);
    child.once('message', (answer: Answer) => {
      child.off('exit', onExit);
      if (answer.error) reject(new OperatorError(message.do, answer.error));
      else resolve(answer);
    });
    child.send(message);
  });

/** Starts one; it lives until `end`. */
export const startOperator = (): Operator => {
  const child = fork(join(import.meta.dirname, 'operator.mjs'), {
    // Vitest's own loader options are not for it.
    execArgv: [],
    env: {...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true'},
  });
  const ended = new Promise(resolve => child.once('exit', resolve));
  return {
    open: async (config, stateDirectory) => {
      await ask(child, {do: 'open', config, stateDirectory});
    },
    plan: async task => (await ask(child, {do: 'plan', ...task})).changes as ShownChange[],
    run: async () => (await ask(child, {do: 'run'})).result as RunResult,
    undo: async run => (await ask(child, {do: 'undo', run})).result as RunResult,
    end: async () => {
      if (child.exitCode !== null) return;
      await ask(child, {do: 'close'}).catch(() => undefined);
      child.disconnect();
      await ended;
    },
  };
};
