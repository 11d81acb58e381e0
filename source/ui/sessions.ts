/** Sessions of a device check in the shape of findings, so that one kind of list shows both. */
import {markOf} from '../connector.js';
import type {CheckInfo, Finding, FindingRow, SessionPage, Severity} from '../types.js';

type Session = SessionPage['rows'][number];

const order: Severity[] = ['critical', 'warning', 'info'];
const prefix = 'session ';

/** True of the id of a session that stands for itself, which no check can be asked about. */
export const isSessionId = (id: string): boolean => id.startsWith(prefix);

/** Known to be an unprotected device session; `columns` are email, type, expiry, protection and id. */
const canLogOut = ({columns}: CheckInfo, {values}: FindingRow): boolean => {
  const [, type, , protection] = columns;
  return (
    type !== undefined &&
    protection !== undefined &&
    values[type] === 'device' &&
    values[protection] === false
  );
};

/** The findings that each row is in, by the row's mark. */
export const findingsByRow = (findings: readonly Finding[]): Map<string, Finding[]> => {
  const byRow = new Map<string, Finding[]>();
  for (const finding of findings) {
    for (const row of finding.rows) {
      const mark = markOf(row.table, row.identity);
      byRow.set(mark, [...(byRow.get(mark) ?? []), finding]);
    }
  }
  return byRow;
};

/** A session with the reasons that it and its findings have, and only the actions that are chosen by hand. */
export const asFinding = (
  check: CheckInfo,
  session: Session,
  byRow: ReadonlyMap<string, readonly Finding[]>,
): Finding => {
  const {reasons: own, group, ageSeconds, ...plain} = session;
  const mark = markOf(plain.table, plain.identity);
  const findings = byRow.get(mark) ?? [];
  const names = new Set([...own, ...findings.flatMap(finding => finding.reasons)]);
  const reasons = check.reasons.filter(reason => names.has(reason.name));
  const judged = findings
    .flatMap(finding => finding.rows)
    .find(row => markOf(row.table, row.identity) === mark);
  const told = judged ? {verdict: judged.verdict, why: judged.why} : {};
  const why = reasons.map(reason => reason.text).join(' ');
  const row: FindingRow = {...plain, ...(reasons.length > 0 && !judged ? {why} : told)};
  return {
    id: `${prefix}${mark}`,
    reasons: reasons.map(reason => reason.name),
    severity: order.find(severity => reasons.some(reason => reason.severity === severity)) ?? 'info',
    group,
    ageSeconds,
    rows: [row],
    actions: canLogOut(check, row)
      ? check.actions.filter(action => action.byId).map(action => action.name)
      : [],
    byHand: true,
  };
};

/** False for a session that a finding shows already, unless only its own line offers what can be done with it. */
export const standsAlone = (
  check: CheckInfo,
  session: Session,
  byRow: ReadonlyMap<string, readonly Finding[]>,
): boolean => {
  const findings = byRow.get(markOf(session.table, session.identity)) ?? [];
  const byId = check.actions.filter(action => action.byId).map(action => action.name);
  return (
    findings.length === 0 ||
    (canLogOut(check, session) &&
      !findings.some(finding => finding.actions.some(action => byId.includes(action))))
  );
};
