/** A plan told as the result of a dry run. */
import {countResults, type Plan, type RunResult} from '../../types.js';

export const plannedResult = (plan: Plan): RunResult => ({
  run: null,
  dryRun: true,
  check: plan.check,
  action: plan.action,
  planned: plan.planned,
  applied: 0,
  skipped: countResults(plan.changes).skipped,
  failed: 0,
  unknown: 0,
  remaining: null,
  changes: plan.changes,
  notes: plan.notes,
});
