/** The command line on stores behind a proxy: a configuration and a state directory of its own. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {RunResult} from '../../source/types.js';
import {cliJson, temporaryDirectory} from '../support/cli.js';
import type {Task} from './operator-process.js';

export type Called = {code: number | null; json: RunResult & {error?: {code: string}}};

export type Caller = {
  stateDirectory: string;
  clean(task: Task, ...flags: string[]): Promise<Called>;
  undo(run: string): Promise<Called>;
};

export const openCaller = async (config: object): Promise<Caller> => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'sesstui.json');
  await writeFile(file, JSON.stringify(config));
  const stateDirectory = join(directory, 'state');
  const call = (args: string[]) =>
    cliJson<Called['json']>([...args, '--yes', '--config', file, '--state-dir', stateDirectory]);
  return {
    stateDirectory,
    clean: ({check, action, selection}, ...flags) => {
      const reasons = (selection?.reasons ?? []).flatMap(reason => ['--reason', reason]);
      return call(['clean', check, '--action', action, ...reasons, ...flags]);
    },
    undo: run => call(['undo', run]),
  };
};
