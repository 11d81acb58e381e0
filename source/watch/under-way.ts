/**
 * That a check is being cleaned, on disk before the first run begins and until its round was told: so that after a
 * kill nothing stays half done, and nothing that was done stays untold. Read and written only by whose turn it is.
 */
import type {FullEngine} from '../engine/engine.js';
import {emptyResult} from '../engine/plan/planned.js';
import type {RunResult, RunSummary} from '../types.js';
import {addRun, type Cleaned, type Cleaning, carryOut} from './cleaning.js';
import type {Memory} from './memory.js';

/** `note`: what the watch's own runs are told by. */
type UnderWay = {since: string; note: string};

const nameOf = (check: string): string => `cleaning ${check}`;

/** The runs that a watch began for a check and nobody has told of, the oldest first. */
export const untold = async (engine: FullEngine, memory: Memory, check: string): Promise<RunSummary[]> => {
  const begun = await memory.read<UnderWay>(nameOf(check));
  if (!begun) return [];
  const runs = await engine.history();
  return runs
    .filter(run => run.check === check && run.note === begun.note && !run.undoes && run.at >= begun.since)
    .reverse();
};

export const markBegun = async (memory: Memory, check: string, note: string): Promise<void> => {
  await memory.update<UnderWay>(nameOf(check), before =>
    // What was found there is not told yet either.
    before?.note === note ? before : {since: new Date().toISOString(), note},
  );
};

export const markTold = async (memory: Memory, check: string): Promise<void> => {
  if (await memory.read(nameOf(check))) await memory.update<UnderWay | null>(nameOf(check), () => null);
};

const resultOf = (run: RunSummary): RunResult => {
  const {planned, applied, skipped, failed, unknown, check, action} = run;
  return {
    ...emptyResult(check, action),
    run: run.run,
    dryRun: false,
    planned,
    applied,
    skipped,
    failed,
    unknown,
    notes: ['it had ended before the watch was restarted'],
  };
};

/**
 * Finishes what was cut off, and tells what had ended. False when something is left that may go better later; what
 * can't be finished without a person (another configuration, more than what was confirmed) is told and left to them.
 */
export const recover = async (cleaning: Cleaning, memory: Memory, cleaned: Cleaned): Promise<boolean> => {
  const {engine, checker, signal} = cleaning;
  let isWhole = true;
  for (const run of await untold(engine, memory, checker.id)) {
    if (run.state === 'undone') continue;
    if (run.state !== 'interrupted') await addRun(cleaning, cleaned, resultOf(run));
    else {
      const plan = () => engine.planResume(run.run, {signal});
      // It is written down already.
      const known = {...cleaning, begin: async () => undefined};
      const carried = await carryOut(known, cleaned, `resume ${run.run}`, plan);
      if (carried === 'cut' || carried === 'later') isWhole = false;
    }
  }
  return isWhole;
};
