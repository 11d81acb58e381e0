/** Sessions of a device check in the shape of findings, so that one kind of list shows both. */
import {markOf} from '../connector.js';
import type {CheckInfo, Finding, SessionPage, Severity} from '../types.js';

const order: Severity[] = ['critical', 'warning', 'info'];

/** A session with the reasons that it has; healthy ones have none, and only actions that are chosen by hand. */
export const asFinding = (check: CheckInfo, session: SessionPage['rows'][number]): Finding => {
  const reasons = check.reasons.filter(reason => session.reasons.includes(reason.name));
  const byId = check.actions.filter(action => action.byId).map(action => action.name);
  const {reasons: names, group, ageSeconds, ...row} = session;
  return {
    id: markOf(row.table, row.identity),
    reasons: names,
    severity: order.find(severity => reasons.some(reason => reason.severity === severity)) ?? 'info',
    group,
    ageSeconds,
    rows: [row],
    actions: [...new Set([...reasons.flatMap(reason => reason.actions), ...byId])],
    byHand: reasons.every(reason => reason.actions.length === 0),
  };
};
