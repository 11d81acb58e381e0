/** Results of what was not run. */
import {countResults, type Plan, type RunResult} from '../../types.js';

/** A dry run in which there is nothing to do. */
export const emptyResult = (check: string, action: string): RunResult => ({
  run: null,
  dryRun: true,
  check,
  action,
  planned: 0,
  applied: 0,
  skipped: 0,
  failed: 0,
  unknown: 0,
  remaining: null,
  changes: [],
  notes: [],
});

/** A plan told as the result of a dry run. */
export const plannedResult = (plan: Plan): RunResult => ({
  ...emptyResult(plan.check, plan.action),
  planned: plan.planned,
  skipped: countResults(plan.changes).skipped,
  changes: plan.changes,
  notes: plan.notes,
});
