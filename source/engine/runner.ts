/**
 * Carries out what a run holds. The order is the promise (safety S4): plan and backup are on disk; then for each chunk
 * its intent on disk, the writes, their outcomes on disk. An interrupted run finishes its chunk and journals it.
 */
import {decideKeeper} from '../checks/keeper.js';
import {
  type Change,
  type Connector,
  canonicalJson,
  type Outcome,
  type Prepared,
  type Unit,
} from '../connector.js';
import {asSesstuiError, type SesstuiError} from '../errors.js';
import type {Progress, ShownChange} from '../types.js';
import {auditLine, type OpenRun} from './open-run.js';
import {Pacer} from './pacing.js';
import type {JournalLine, RunOutcome} from './run-files.js';
import {withOutcome} from './shown.js';
import type {UnitSpool} from './units.js';

/**
 * A unit that is to be written: about how many bytes it takes up, its own number, those of its changes, and where
 * these stand among all that are shown.
 */
export type Work = {unit: Unit; size: number; number: number; changes: number[]; shown: number[]};

export type RunRequest = {
  work: AsyncIterable<Work>;
  /** Changes that `work` has, for progress. */
  total: number;
  /** Every change of the run as it is told, those that are not written now among them. */
  shown: ShownChange[];
  /** Outcomes that were found out before any writing (a run that is resumed). */
  known?: Map<string, RunOutcome>;
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

/** The whole of a spool as work. */
export async function* allWork(spool: UnitSpool): AsyncGenerator<Work> {
  let number = 0;
  let at = 0;
  for await (const {unit, size} of spool.sized()) {
    const changes = [...unit.changes.keys()];
    yield {unit, size, number, changes, shown: changes.map(index => at + index)};
    number++;
    at += changes.length;
  }
}

/** Large rows are written a few at a time (safety S19). */
const mostBytes = 4 << 20;

async function* chunks(work: AsyncIterable<Work>, pacer: Pacer): AsyncGenerator<Work[]> {
  let chunk: Work[] = [];
  let changes = 0;
  let size = 0;
  for await (const item of work) {
    chunk.push(item);
    changes += item.changes.length;
    size += item.size;
    if (chunk.length < pacer.next() && changes < pacer.mostChanges && size < mostBytes) continue;
    yield chunk;
    chunk = [];
    changes = 0;
    size = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** An outcome as the journal keeps it: without the row's image. */
const kept = (outcome: Outcome): RunOutcome => ({
  result: outcome.result,
  ...(outcome.result === 'skipped' ? {why: outcome.why} : {}),
  ...(outcome.result === 'failed' || outcome.result === 'unknown' ? {error: outcome.error} : {}),
  ...(outcome.result === 'applied'
    ? {after: outcome.after && {identity: outcome.after.identity, version: outcome.after.version}}
    : {}),
});

const at = (): string => new Date().toISOString();

/** The numbers of a chunk's units as ranges. */
const intents = (chunk: Work[]): JournalLine[] => {
  const ranges: {from: number; to: number}[] = [];
  for (const {number} of chunk) {
    const last = ranges.at(-1);
    if (last?.to === number) last.to++;
    else ranges.push({from: number, to: number + 1});
  }
  return ranges.map(range => ({event: 'intent', at: at(), ...range}));
};

/**
 * A call that threw may have written: unknown, unless the connector says that it refused before, or this program kept
 * it from committing.
 */
const applyChunk = async (
  connector: Connector,
  chunk: Work[],
  prepared: (transaction: Prepared) => Promise<void>,
  kept: () => boolean,
): Promise<{outcomes: Outcome[][]; fault?: SesstuiError}> => {
  const units = chunk.map(({unit}) => unit);
  try {
    return {outcomes: await connector.apply(units, {decideKeeper, prepared})};
  } catch (error) {
    const fault = asSesstuiError(error);
    const result = fault.code === 'internal' && !kept() ? ('unknown' as const) : ('failed' as const);
    return {outcomes: units.map(unit => unit.changes.map(() => ({result, error: fault.message}))), fault};
  }
};

/** Chunks in a row that failed whole, after which the rest is not tried: the store is gone, locked or refuses. */
const mostBarren = 3;
const isGone = (fault: SesstuiError | undefined): boolean =>
  fault !== undefined && ['unreachable', 'refused', 'read-only'].includes(fault.code);

/** Was a whole row written that the store then has otherwise? */
const isAltered = (change: Change, outcome: Outcome): boolean => {
  if (outcome.result !== 'applied' || !outcome.after) return false;
  const wanted = 'row' in change ? change.row : 'to' in change && !change.set ? change.to : undefined;
  return wanted !== undefined && canonicalJson(wanted) !== canonicalJson(outcome.after.image);
};

const isTroubled = (outcome: Outcome): boolean => outcome.result === 'failed' || outcome.result === 'unknown';

/** Writes what is left of an open run, and closes it. */
export const carryOut = async (
  connector: Connector,
  {files, header, stateDirectory, lost, check, close}: OpenRun,
  request: RunRequest,
): Promise<RunReport> => {
  const {secrets, total, onProgress, ratePerSecond} = request;
  const signal = request.signal ? AbortSignal.any([request.signal, lost]) : lost;
  const changes = [...request.shown];
  const faults: string[] = [];
  let done = 0;
  let altered = 0;
  let interrupted = false;
  let barren = 0;
  let isTold = false;
  let journalFault: unknown;
  const pacer = new Pacer({
    unitsPerApply: connector.capabilities.unitsPerApply,
    ratePerSecond,
    strain: connector.strain && (ending => connector.strain!(ending)),
    onWait: text => onProgress?.({phase: 'waiting', done, total, text}),
    onGo: () => onProgress?.({phase: 'changes', done, total}),
    signal,
  });
  /** When it can't be put on disk, the transaction is rolled back, and the run ends. */
  const prepared =
    (chunk: Work[]) =>
    async ({token, from, outcomes}: Prepared): Promise<void> => {
      const units = outcomes.map((list, index) => {
        const item = chunk[from + index]!;
        return {
          unit: item.number,
          outcomes: list.map((outcome, i) => ({change: item.changes[i]!, ...kept(outcome)})),
        };
      });
      try {
        await check();
        await files.journal([{event: 'prepared', at: at(), token, units}]);
      } catch (error) {
        journalFault = error;
        throw error;
      }
    };
  const told = (item: Work, outcomes: Outcome[]): JournalLine[] =>
    outcomes.map((outcome, index) => {
      const place = item.shown[index]!;
      changes[place] = withOutcome(changes[place]!, outcome, secrets);
      done++;
      if (isAltered(item.unit.changes[index]!, outcome)) altered++;
      onProgress?.({phase: 'changes', done, total, outcome: changes[place]});
      return {event: 'outcome', at: at(), unit: item.number, change: item.changes[index]!, ...kept(outcome)};
    });
  const count = (result: string): number => changes.filter(change => change.result === result).length;
  const tell = (event: 'done' | 'interrupted'): Promise<void> =>
    auditLine(stateDirectory, header, {
      event,
      applied: count('applied'),
      skipped: count('skipped'),
      failed: count('failed'),
      unknown: count('unknown'),
    });
  try {
    await check();
    await files.journal(knownLines(request.known));
    for await (const chunk of chunks(request.work, pacer)) {
      await pacer.pause();
      if (signal.aborted || barren >= mostBarren) {
        interrupted = true;
        break;
      }
      await check();
      await files.journal(intents(chunk));
      const began = performance.now();
      const {outcomes, fault} = await applyChunk(
        connector,
        chunk,
        prepared(chunk),
        () => journalFault !== undefined,
      );
      const all = outcomes.flat();
      pacer.after({ms: performance.now() - began, changes: all.length, troubled: all.some(isTroubled)});
      if (isGone(fault)) barren = mostBarren;
      else barren = all.every(isTroubled) ? barren + 1 : 0;
      const lines = chunk.flatMap((item, index) => told(item, outcomes[index]!));
      if (journalFault) throw journalFault;
      // Who has taken over has found out what was done here, and has the last word.
      await check();
      await files.journal(lines);
    }
    if (interrupted && barren >= mostBarren)
      faults.push(
        `the last changes all failed, so the rest was not tried: \`sesstui resume ${header.run}\` goes on with it when the store takes them again`,
      );
    await check();
    // The audit log first: a run that is told as done has been audited.
    await tell(interrupted ? 'interrupted' : 'done');
    isTold = true;
    await files.journal([{event: interrupted ? 'interrupted' : 'done', at: at()}]);
  } catch (error) {
    // What was written stays written: the run is told with the outcomes that are known here.
    faults.push(
      `${asSesstuiError(error).message}: the run was stopped there; the rows as they were are in ${files.directory}/backup.jsonl, and \`sesstui resume ${header.run}\` finishes it`,
    );
    interrupted = true;
    // Where another process has the run now, it is that one's to tell of.
    const isOurs = await check().then(
      () => true,
      () => false,
    );
    if (isOurs && !isTold)
      await tell('interrupted').catch(fault => faults.push(asSesstuiError(fault).message));
  } finally {
    await close();
  }
  if (altered > 0)
    faults.push(
      `${altered} rows were written back and are not as they were: a trigger of the store changed them`,
    );
  return {run: header.run, changes, interrupted, faults};
};

const knownLines = (known: RunRequest['known']): JournalLine[] =>
  [...(known ?? [])].map(([name, outcome]) => {
    const [unit, change] = name.split(' ').map(Number) as [number, number];
    return {event: 'outcome', at: at(), unit, change, ...outcome};
  });
