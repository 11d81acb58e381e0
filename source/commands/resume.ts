/** `resume RUN`: finishes a run that was interrupted, or closes it. */
import type {Context} from './context.js';
import {carryOutGuards} from './guards-running.js';
import {printRuns} from './printing.js';
import {runExitCode, runPlan} from './running.js';

export const resume = async (context: Context): Promise<number> => {
  const engine = await context.engine();
  const guards = await engine.planGuardRun(context.words[0]!, 'resume', {signal: context.signal});
  if (guards) return carryOutGuards(context, engine, guards);
  const plan = await engine.planResume(context.words[0]!, {signal: context.signal});
  const result = await runPlan(context, engine, plan);
  await printRuns(context, [result], {resuming: true});
  return runExitCode([result]);
};
