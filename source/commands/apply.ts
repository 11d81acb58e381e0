/** `apply FILE`: carries out a plan that `clean --out` wrote and somebody reviewed. */
import {stat} from 'node:fs/promises';
import {SesstuiError} from '../errors.js';
import type {Context} from './context.js';
import {printRuns} from './printing.js';
import {runExitCode, runPlan} from './running.js';

const hour = 3_600_000;

/** Whatever else keeps the file from being read, reading it tells. */
const refuseDirectory = async (path: string): Promise<void> => {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory())
    throw new SesstuiError('usage', `${path} is a directory`, 'Name the file of `clean --out`.');
};

export const apply = async (context: Context): Promise<number> => {
  const engine = await context.engine();
  await refuseDirectory(context.words[0]!);
  const mostMs = context.flags.duration('max-age') ?? hour;
  const plan = await engine.planFile(context.words[0]!, mostMs, {signal: context.signal});
  const result = await runPlan(context, engine, plan);
  await printRuns(context, [result]);
  return runExitCode([result]);
};
