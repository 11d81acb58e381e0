/** Carries out what a run holds, a chunk at a time. One that is interrupted finishes its chunk and journals it. */
import {decideKeeper} from '../../checks/keeper.js';
import type {Connector, Outcome} from '../../connector.js';
import {asSesstuiError, type SesstuiError} from '../../errors.js';
import type {RunOutcome} from '../disk/run-files.js';
import type {OpenRun} from './open-run.js';
import {Pacer} from './pacing.js';
import {type Recorded, RunRecorder, type RunReport} from './run-recorder.js';
import {chunks, type Work} from './work.js';

export type RunRequest = Recorded & {
  work: AsyncIterable<Work>;
  /** Outcomes that were found out before any writing (a run that is resumed). */
  known?: Map<string, RunOutcome>;
  /** At most this many changes a second, over the run. */
  ratePerSecond?: number;
  signal?: AbortSignal;
};

/**
 * A call that threw may have written: unknown, unless the connector says that it refused before, or this program kept
 * it from committing.
 */
const applyChunk = async (
  connector: Connector,
  chunk: Work[],
  recorder: RunRecorder,
): Promise<{outcomes: Outcome[][]; fault?: SesstuiError}> => {
  const units = chunk.map(({unit}) => unit);
  try {
    return {outcomes: await connector.apply(units, {decideKeeper, prepared: recorder.prepared(chunk)})};
  } catch (error) {
    const fault = asSesstuiError(error);
    const mayBeWritten = fault.code === 'internal' && recorder.fault === undefined;
    const result = mayBeWritten ? ('unknown' as const) : ('failed' as const);
    return {outcomes: units.map(unit => unit.changes.map(() => ({result, error: fault.message}))), fault};
  }
};

/** Chunks in a row that failed whole, after which the rest is not tried: the store is gone, locked or refuses. */
const mostBarren = 3;
const isGone = (fault: SesstuiError | undefined): boolean =>
  fault !== undefined && ['unreachable', 'refused', 'read-only'].includes(fault.code);

const isTroubled = (outcome: Outcome): boolean => outcome.result === 'failed' || outcome.result === 'unknown';

const isWritten = (outcome: Outcome): boolean => outcome.result === 'applied' || outcome.result === 'unknown';

type Ended = {
  how: 'done' | 'stopped' | 'barren';
  /** Set where the store refused what was tried, and nothing was written before. */
  refused?: SesstuiError;
};

/** Writes chunk after chunk, to the end or until there is a reason to stop before the next. */
const writeChunks = async (
  connector: Connector,
  work: AsyncIterable<Work>,
  {pacer, recorder, signal}: {pacer: Pacer; recorder: RunRecorder; signal: AbortSignal},
): Promise<Ended> => {
  let barren = 0;
  let written = false;
  for await (const chunk of chunks(work, pacer)) {
    await pacer.pause();
    if (barren >= mostBarren) return {how: 'barren'};
    if (signal.aborted) return {how: 'stopped'};
    await recorder.intend(chunk);
    const began = performance.now();
    const {outcomes, fault} = await applyChunk(connector, chunk, recorder);
    const all = outcomes.flat();
    pacer.after({ms: performance.now() - began, changes: all.length, troubled: all.some(isTroubled)});
    if (isGone(fault)) barren = mostBarren;
    else barren = all.every(isTroubled) ? barren + 1 : 0;
    // Its changes stay open, as those of the chunks that are not tried do: a resume makes them.
    if (fault?.code === 'refused' && !written) return {how: 'barren', refused: fault};
    written ||= all.some(isWritten);
    await recorder.outcomes(chunk, outcomes);
  }
  return {how: 'done'};
};

/** Writes what is left of an open run, and closes it. */
export const carryOut = async (
  connector: Connector,
  run: OpenRun,
  request: RunRequest,
): Promise<RunReport> => {
  const signal = request.signal ? AbortSignal.any([request.signal, run.lost]) : run.lost;
  const recorder = new RunRecorder(run, request);
  const pacer = new Pacer({
    unitsPerApply: connector.capabilities.unitsPerApply,
    ratePerSecond: request.ratePerSecond,
    strain: connector.strain && (ending => connector.strain!(ending)),
    onWait: text => recorder.progress('waiting', {text}),
    onGo: () => recorder.progress('changes'),
    signal,
  });
  let interrupted = true;
  let refused: SesstuiError | undefined;
  try {
    await recorder.begin(request.known);
    const ended = await writeChunks(connector, request.work, {pacer, recorder, signal});
    refused = ended.refused;
    if (ended.how === 'barren')
      recorder.faults.push(
        `the last changes all failed, so the rest was not tried: \`sesstui resume ${run.header.run}\` goes on with it when the store takes them again`,
      );
    await recorder.end(ended.how === 'done' ? 'done' : 'interrupted');
    interrupted = ended.how !== 'done';
  } catch (error) {
    await recorder.failed(error);
  } finally {
    await run.close();
  }
  return {...recorder.report(interrupted), refused};
};
