/** `apply FILE`: carries out a plan that `clean --out` wrote and somebody reviewed. */
import type {Context} from './context.js';
import {printRuns, runExitCode, runPlan} from './running.js';

const hour = 3_600_000;

export const apply = async (context: Context): Promise<number> => {
  const engine = await context.engine();
  const mostMs = context.flags.duration('max-age') ?? hour;
  const plan = await engine.planFile(context.words[0]!, mostMs, {signal: context.signal});
  const result = await runPlan(context, engine, plan);
  await printRuns(context, [result], false);
  return runExitCode([result]);
};
