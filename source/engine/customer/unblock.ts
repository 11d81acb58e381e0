/** The smallest plans that unblock a customer: what is stale and blocks, nothing else of theirs, nobody else's. */
import {canonicalJson} from '../../connector.js';
import {masked} from '../../secrets.js';
import type {Finding, FindingRow, Selection, ShownChange} from '../../types.js';
import type {HeldPlan} from '../plan/held-plan.js';
import type {CustomerReport} from './report.js';

/** `only`: the rows of the findings; a customer may have more others than are worth reading. */
type MakePlan = (
  check: string,
  selection: Selection,
  only: Pick<FindingRow, 'table' | 'identity'>[],
) => Promise<HeldPlan>;

const isMasked = ({key}: ShownChange): boolean => Object.values(key).includes(masked);

/** Is every change made to a row that the report counts as theirs? An expired request takes its session along. */
const isTheirs = ({sessions}: CustomerReport, {check, changes}: HeldPlan): boolean =>
  changes.every(change =>
    // A key that can't be read can't be compared: then the row of the one finding alone is theirs.
    isMasked(change)
      ? changes.length === 1
      : sessions.some(
          session =>
            session.check === check &&
            session.table === change.table &&
            canonicalJson(session.key) === canonicalJson(change.key),
        ),
  );

const selectionOf = (findings: Finding[]): Selection => {
  const groups = [...new Set(findings.map(({group}) => group))];
  const [group] = groups;
  // Spares the store everybody else's findings; the ids alone choose.
  const customer =
    groups.length === 1 && typeof group === 'string' && group !== masked ? {customer: group} : {};
  return {findings: findings.map(({id}) => id), ...customer};
};

const rowsOf = (findings: Finding[]): FindingRow[] => findings.flatMap(({rows}) => rows);

/** One plan a check, looked up anew; [] when nothing that blocks is stale, or it is in doubt whose it is. */
export const unblockPlans = async (report: CustomerReport, makePlan: MakePlan): Promise<HeldPlan[]> => {
  if (report.doubtful) return [];
  const plans: HeldPlan[] = [];
  const discard = async (plan: HeldPlan): Promise<void> => plan.held.units.close();
  const checks = new Set(report.blockedBy.flatMap(({check, finding}) => (finding === null ? [] : [check])));
  for (const check of checks) {
    const ids = new Set(report.blockedBy.map(({finding}) => finding));
    let findings: Finding[] = report.findings.filter(item => item.check === check && ids.has(item.id));
    let plan = await makePlan(check, selectionOf(findings), rowsOf(findings));
    if (!isTheirs(report, plan)) {
      await discard(plan);
      const own: Finding[] = [];
      for (const finding of findings) {
        const alone = await makePlan(check, selectionOf([finding]), rowsOf([finding]));
        if (isTheirs(report, alone)) own.push(finding);
        await discard(alone);
      }
      if (own.length === 0) continue;
      findings = own;
      plan = await makePlan(check, selectionOf(own), rowsOf(own));
    }
    if (plan.planned > 0) plans.push(plan);
    else await discard(plan);
  }
  return plans;
};
