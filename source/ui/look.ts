/** Reads a page of what a check has, as messages for the state machine. */
import {asSesstuiError} from '../errors.js';
import {PAGE_SIZE, type Summary} from '../state/lists.js';
import type {Message} from '../state/messages.js';
import type {CheckError, CheckInfo, CheckResult, Engine, Finding} from '../types.js';
import {asFinding, findingsByRow, isSessionId, standsAlone} from './sessions.js';

const summaryOf = (result: CheckResult): Summary => ({
  status: result.status,
  total: result.total,
  byReason: result.byReason,
  bySeverity: result.bySeverity,
  tookMs: result.tookMs,
});

export type Slice = {items: Finding[]; total: number; summary: Summary};

/** What an error is to the screen: code, message and hint. */
export const errorOf = (thrown: unknown): CheckError => asSesstuiError(thrown).toJSON();

/** As many findings and sessions are read whole, so that no session is listed beside the finding that has it. */
const MOST = 1000;

/** The findings of a device check, then its sessions; of a larger table every session, those of findings too. */
const withSessions = async (
  engine: Engine,
  check: CheckInfo,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<Slice | CheckError> => {
  const result = await engine.check(check.id, {offset: 0, limit: MOST, signal});
  if (result.status === 'error') return faultOf(result);
  const summary = summaryOf(result);
  const page = await engine.sessions(check.id, {offset: 0, limit: MOST, signal});
  const byRow = findingsByRow(result.findings);
  if (result.total <= MOST && page.total <= MOST) {
    const alone = page.rows.filter(row => standsAlone(check, row, byRow));
    const items = [...result.findings, ...alone.map(row => asFinding(check, row, byRow))];
    return {items: items.slice(offset, offset + limit), total: items.length, summary};
  }
  const total = result.total + page.total;
  const found =
    offset < result.total ? await engine.check(check.id, {offset, limit, signal}) : {...result, findings: []};
  if (found.status === 'error') return faultOf(found);
  const left = limit - found.findings.length;
  const from = Math.max(0, offset - result.total);
  const rows = left > 0 ? (await engine.sessions(check.id, {offset: from, limit: left, signal})).rows : [];
  return {items: [...found.findings, ...rows.map(row => asFinding(check, row, byRow))], total, summary};
};

const faultOf = ({check, error}: CheckResult): CheckError =>
  error ?? {code: 'internal', message: `${check} could not be read`, hint: ''};

/** Rows of a check from `offset`. For device checks the sessions come after. Throws what the store did. */
export const readSlice = async (
  engine: Engine,
  id: string,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<Slice | CheckError> => {
  const check = engine.checks.find(item => item.id === id)!;
  if (check.kind === 'device-sessions') return withSessions(engine, check, offset, limit, signal);
  const result = await engine.check(id, {offset, limit, signal});
  if (result.status === 'error') return faultOf(result);
  return {items: result.findings, total: result.total, summary: summaryOf(result)};
};

/** One page, as the message that it came or that it didn't. */
export const look = async (
  engine: Engine,
  check: string,
  page: number,
  signal: AbortSignal,
): Promise<Message> => {
  try {
    const slice = await readSlice(engine, check, page * PAGE_SIZE, PAGE_SIZE, signal);
    const now = Date.now();
    return 'code' in slice
      ? {type: 'load-failed', check, page, error: slice, now}
      : {type: 'loaded', check, page, ...slice, now};
  } catch (thrown) {
    return {type: 'load-failed', check, page, error: errorOf(thrown), now: Date.now()};
  }
};

/** Which of these findings are still there, wherever they are now. */
export const lookFor = async (
  engine: Engine,
  check: string,
  ids: string[],
  signal: AbortSignal,
): Promise<string[]> => {
  const sessions = ids.filter(isSessionId);
  const findings = ids.filter(id => !isSessionId(id));
  if (findings.length === 0) return ids;
  const result = await engine.check(check, {
    selection: {findings},
    offset: 0,
    limit: findings.length,
    signal,
  });
  // Where it can't be told, they are taken to be there: "gone" is only said of what is.
  return result.status === 'error' ? ids : [...sessions, ...result.findings.map(finding => finding.id)];
};
