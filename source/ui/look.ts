/** Reads a page of what a check has, as messages for the state machine. */
import {asSesstuiError} from '../errors.js';
import {PAGE_SIZE, type Summary} from '../state/lists.js';
import type {Message} from '../state/messages.js';
import type {CheckError, CheckResult, Engine, Finding} from '../types.js';
import {asFinding} from './sessions.js';

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

/** Rows of a check from `offset`. For device checks every session, healthy ones too. Throws what the store did. */
export const readSlice = async (
  engine: Engine,
  id: string,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<Slice | CheckError> => {
  const check = engine.checks.find(item => item.id === id)!;
  const sessions = check.kind === 'device-sessions';
  const result = await engine.check(id, sessions ? {offset: 0, limit: 1, signal} : {offset, limit, signal});
  if (result.status === 'error') {
    return result.error ?? {code: 'internal', message: `${id} could not be read`, hint: ''};
  }
  const summary = summaryOf(result);
  if (!sessions) return {items: result.findings, total: result.total, summary};
  const page = await engine.sessions(id, {offset, limit, signal});
  return {items: page.rows.map(row => asFinding(check, row)), total: page.total, summary};
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
  const result = await engine.check(check, {
    selection: {findings: ids},
    offset: 0,
    limit: ids.length,
    signal,
  });
  // Where it can't be told, they are taken to be there: "gone" is only said of what is.
  return result.status === 'error' ? ids : result.findings.map(finding => finding.id);
};
