/** The built program as a child process that dies, or whose files fail, at a chosen operation. */
import {spawn} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {cliPath, temporaryDirectory} from '../support/cli.js';
import type {Scenario} from './scenario.js';
import {dynamodbKeys} from './scenarios-dynamodb.js';

const preload = resolve(import.meta.dirname, 'steps.mjs');

export type Ended = {code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string};

/** What is to happen (see steps.mjs): at which operation, and what. */
export type Fault = {at: number; act: string; kinds?: string; last?: number};

/** A state directory of its own with a configuration beside it. */
export type Place = {directory: string; state: string; config: string; log: string};

export const newPlace = async (scenario: Scenario): Promise<Place> => {
  const directory = await temporaryDirectory();
  const config = join(directory, 'sesstui.yaml');
  await writeFile(config, JSON.stringify({environment: 'test', stores: scenario.stores}));
  return {directory, state: join(directory, 'state'), config, log: join(directory, 'steps.log')};
};

/** Calls `sesstui …` with a fault, or without one, and waits for its end. */
export const sesstui = (
  place: Place,
  args: string[],
  fault?: Fault,
  more: {env?: NodeJS.ProcessEnv; shell?: string} = {},
): Promise<Ended> =>
  new Promise((done, fail) => {
    const words = [
      ...(fault ? ['--import', preload] : []),
      cliPath,
      '--config',
      place.config,
      '--state-dir',
      place.state,
      ...args,
      '--json',
    ];
    const [file, rest] = more.shell
      ? ['/bin/sh', ['-c', `${more.shell}; exec "$0" "$@"`, process.execPath, ...words]]
      : [process.execPath, words];
    const child = spawn(file, rest, {
      env: {
        ...process.env,
        ...dynamodbKeys,
        ...(fault && {
          SESSTUI_STEPS_STATE: place.state,
          SESSTUI_STEPS_AT: String(fault.at),
          SESSTUI_STEPS_DO: fault.act,
          SESSTUI_STEPS_LOG: place.log,
          SESSTUI_STEPS_HASTE: '1',
          ...(fault.kinds && {SESSTUI_STEPS_KINDS: fault.kinds}),
          ...(fault.last !== undefined && {SESSTUI_STEPS_LAST: String(fault.last)}),
        }),
        ...more.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout!.on('data', chunk => {
      stdout += chunk;
    });
    child.stderr!.on('data', chunk => {
      stderr += chunk;
    });
    child.on('error', fail);
    child.on('close', (code, signal) => done({code, signal, stdout, stderr}));
  });

/** The operations that the last process counted, in order; empty when it came to none. */
export const stepsOf = async (place: Place): Promise<string[]> =>
  (await readFile(place.log, 'utf8').catch(() => '')).split('\n').filter(Boolean);

/** The command of a scenario's run. */
export const runWords = ({check, action, flags = []}: Scenario): string[] => [
  'clean',
  check,
  '--action',
  action,
  '--yes',
  ...flags,
];
