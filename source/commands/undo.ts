/** `undo RUN`: takes a run back where nobody has changed its rows since. */
import type {Context} from './context.js';
import {carryOutGuards} from './guards-running.js';
import {printRuns} from './printing.js';
import {runExitCode, runPlan} from './running.js';

export const undo = async (context: Context): Promise<number> => {
  const engine = await context.engine();
  const guards = await engine.planGuardRun(context.words[0]!, 'undo', {signal: context.signal});
  if (guards) return carryOutGuards(context, engine, guards);
  const plan = await engine.planUndo(context.words[0]!, {signal: context.signal});
  const result = await runPlan(context, engine, plan);
  await printRuns(context, [result]);
  // A row that was changed since the run is a conflict: the user has to look at it.
  return !result.dryRun && result.skipped > 0 ? 4 : runExitCode([result]);
};
