/**
 * Carries out a plan. The order is the promise (safety S4): plan and backup on disk, then for each chunk its
 * intent on disk, the writes, their outcomes on disk. An interrupted run finishes its chunk and journals it.
 */
import {hostname, userInfo} from 'node:os';
import {setTimeout} from 'node:timers/promises';
import {decideKeeper} from '../checks/keeper.js';
import {type Change, type Connector, canonicalJson, type Outcome, type Unit} from '../connector.js';
import {asSesstuiError} from '../errors.js';
import type {Progress, ShownChange} from '../types.js';
import type {Json} from '../values.js';
import {audit} from './audit.js';
import {type JournalLine, newRunId, type PlanHeader, RunFiles} from './run-files.js';
import {withOutcome} from './shown.js';

export type RunRequest = {
  stateDirectory: string;
  header: Omit<PlanHeader, 'run' | 'at' | 'by' | 'planned'>;
  units: Unit[];
  shown: ShownChange[];
  secrets: string[];
  /** At most this many changes a second, over the run. */
  ratePerSecond?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
};

export type RunReport = {
  run: string;
  changes: ShownChange[];
  interrupted: boolean;
  /** What the user must know besides the outcomes; with any of these a run did not end well. */
  faults: string[];
};

const whoami = (): string => {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // No entry for this user id, as in some containers.
    return `uid-${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
};

/** Ranges of units: at most what the connector takes, and not too many changes between two looks at the clock. */
function* chunks(units: Unit[], most: number): Iterable<[number, number]> {
  let from = 0;
  let changes = 0;
  for (const [index, unit] of units.entries()) {
    changes += unit.changes.length;
    if (index + 1 - from >= most || changes >= 1000) {
      yield [from, index + 1];
      from = index + 1;
      changes = 0;
    }
  }
  if (from < units.length) yield [from, units.length];
}

const outcomeLine = (unit: number, change: number, outcome: Outcome): JournalLine => ({
  event: 'outcome',
  at: new Date().toISOString(),
  unit,
  change,
  result: outcome.result,
  ...(outcome.result === 'skipped' ? {why: outcome.why} : {}),
  ...(outcome.result === 'failed' || outcome.result === 'unknown' ? {error: outcome.error} : {}),
  ...(outcome.result === 'applied'
    ? {after: outcome.after && {identity: outcome.after.identity, version: outcome.after.version}}
    : {}),
});

/** A call that threw may have written: unknown, unless the connector says that it refused before. */
const applyChunk = async (connector: Connector, units: Unit[]): Promise<Outcome[][]> => {
  try {
    return await connector.apply(units, {decideKeeper});
  } catch (error) {
    const fault = asSesstuiError(error);
    const result = fault.code === 'internal' ? ('unknown' as const) : ('failed' as const);
    return units.map(unit => unit.changes.map(() => ({result, error: fault.message})));
  }
};

/** Was a whole row written that the store then has otherwise? */
const isAltered = (change: Change, outcome: Outcome): boolean => {
  if (outcome.result !== 'applied' || !outcome.after) return false;
  const wanted = 'row' in change ? change.row : 'to' in change && !change.set ? change.to : undefined;
  return wanted !== undefined && canonicalJson(wanted) !== canonicalJson(outcome.after.image);
};

/** Waits until `done` changes fit the rate. */
const pace = async (
  started: number,
  done: number,
  perSecond: number,
  signal?: AbortSignal,
): Promise<void> => {
  const early = (done / perSecond) * 1000 - (performance.now() - started);
  if (early > 0) await setTimeout(early, undefined, {signal}).catch(() => undefined);
};

export const carryOut = async (connector: Connector, request: RunRequest): Promise<RunReport> => {
  const {stateDirectory, units, shown, secrets, signal, onProgress} = request;
  const at = new Date();
  const total = units.reduce((sum, unit) => sum + unit.changes.length, 0);
  const header: PlanHeader = {
    ...request.header,
    run: newRunId(at),
    at: at.toISOString(),
    by: whoami(),
    planned: total,
  };
  onProgress?.({phase: 'backup', done: 0, total});
  const files = await RunFiles.create(stateDirectory, header, units, secrets);
  const who = {
    run: header.run,
    by: header.by,
    check: header.check,
    action: header.action,
    environment: header.environment,
    server: header.server,
    note: header.note,
  };
  await audit(stateDirectory, {event: 'run', at: header.at, ...who, planned: total} as {
    [name: string]: Json;
  });
  const changes = [...shown];
  let done = 0;
  let interrupted = false;
  let altered = 0;
  const faults: string[] = [];
  const started = performance.now();
  const most = Math.max(
    1,
    Math.min(connector.capabilities.unitsPerApply, request.ratePerSecond ?? Number.POSITIVE_INFINITY),
  );
  try {
    for (const [from, to] of chunks(units, most)) {
      if (signal?.aborted) {
        interrupted = true;
        break;
      }
      if (request.ratePerSecond) await pace(started, done, request.ratePerSecond, signal);
      await files.journal([{event: 'intent', at: new Date().toISOString(), from, to}]);
      const outcomes = await applyChunk(connector, units.slice(from, to));
      const lines: JournalLine[] = [];
      for (const [offset, unitOutcomes] of outcomes.entries()) {
        for (const [index, outcome] of unitOutcomes.entries()) {
          lines.push(outcomeLine(from + offset, index, outcome));
          changes[done] = withOutcome(changes[done]!, outcome, secrets);
          done++;
          if (isAltered(units[from + offset]!.changes[index]!, outcome)) altered++;
          onProgress?.({phase: 'changes', done, total, outcome: changes[done - 1]});
        }
      }
      await files.journal(lines);
    }
    await files.journal([{event: interrupted ? 'interrupted' : 'done', at: new Date().toISOString()}]);
  } catch (error) {
    // What was written stays written: the run is told with the outcomes that are known here.
    interrupted = true;
    faults.push(
      `${asSesstuiError(error).message}: the run was stopped there; the rows as they were are in ${files.directory}/backup.jsonl`,
    );
  } finally {
    await files.close();
  }
  const count = (result: string): number => changes.filter(change => change.result === result).length;
  try {
    await audit(stateDirectory, {
      event: interrupted ? 'interrupted' : 'done',
      at: new Date().toISOString(),
      ...who,
      applied: count('applied'),
      skipped: count('skipped'),
      failed: count('failed'),
      unknown: count('unknown'),
    } as {[name: string]: Json});
  } catch (error) {
    faults.push(asSesstuiError(error).message);
  }
  if (altered > 0)
    faults.push(
      `${altered} rows were written back and are not as they were: a trigger of the store changed them`,
    );
  return {run: header.run, changes, interrupted, faults};
};
