/** What takes an install or uninstall of guards back, or goes on with one that was cut off. */
import {SesstuiError} from '../../errors.js';
import type {GuardPlan} from '../../guards.js';
import {readRun, summaryOf} from '../disk/run-files.js';
import type {Planning} from '../plan/held-plan.js';
import {requireFree} from '../run/run-lock.js';
import {prepareGuards} from './prepare.js';

/** null for a run of rows. Throws `usage` for one that there is nothing to be done about. */
export const planGuardRun = async (
  planning: Planning,
  run: string,
  what: 'undo' | 'resume',
  signal?: AbortSignal,
): Promise<GuardPlan | null> => {
  const record = await readRun(planning.stateDirectory, run);
  const {check, guards} = record.header;
  if (!guards) return null;
  const {state} = summaryOf(record);
  if (what === 'undo' ? state === 'undone' : state !== 'interrupted')
    throw new SesstuiError(
      'usage',
      what === 'undo'
        ? `run ${run} was taken back already`
        : `run ${run} is ${state}: there is nothing to resume`,
      `\`sesstui guards ${check}\` shows its guards.`,
    );
  await requireFree(planning.stateDirectory, run);
  const other = guards.direction === 'install' ? 'uninstall' : 'install';
  const {plan} = await prepareGuards(planning, check, what === 'undo' ? other : guards.direction, {
    guards: guards.names,
    clean: guards.clean,
    of: run,
    signal,
  });
  return plan;
};
