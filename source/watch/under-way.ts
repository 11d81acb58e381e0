/**
 * That a check is being cleaned, on disk before the first run begins and until its round was told: so that after a
 * kill nothing stays half done, and nothing that was done stays untold. Read and written only by whose turn it is.
 */
import {readRunIfThere, runNameAt, runNames, summaryOf} from '../engine/disk/run-files.js';
import {emptyResult} from '../engine/plan/planned.js';
import type {RunResult, RunSummary} from '../types.js';
import {addRun, type Cleaned, type Cleaning, carryOut} from './cleaning.js';
import type {Memory} from './memory.js';

/** `note`: what the watch's own runs are told by. */
type UnderWay = {since: string; note: string};

/** Which check, and whose: configurations of several environments may share a state directory, and the checks' ids. */
export type Subject = {environment: string; check: string; stateDirectory: string; memory: Memory};

/** What turns and marks of a check go by. */
export const workName = ({environment, check}: Pick<Subject, 'environment' | 'check'>): string =>
  `${environment} ${check}`;

const nameOf = (subject: Subject): string => `cleaning ${workName(subject)}`;

/** The runs that a watch began for a check and nobody has told of, the oldest first. Reads no runs of before. */
export const untold = async (subject: Subject): Promise<RunSummary[]> => {
  const {environment, check, stateDirectory, memory} = subject;
  const begun = await memory.read<UnderWay>(nameOf(subject));
  if (!begun) return [];
  const first = runNameAt(new Date(begun.since));
  const names = (await runNames(stateDirectory)).filter(name => name >= first);
  const found: RunSummary[] = [];
  for (const name of names) {
    const record = await readRunIfThere(stateDirectory, name);
    if (record?.header.environment !== environment) continue;
    const run = summaryOf(record);
    if (run.check === check && run.note === begun.note && !run.undoes && run.at >= begun.since)
      found.push(run);
  }
  return found.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
};

export const markBegun = async (subject: Subject, note: string): Promise<void> => {
  await subject.memory.update<UnderWay>(nameOf(subject), before =>
    // What was found there is not told yet either.
    before?.note === note ? before : {since: new Date().toISOString(), note},
  );
};

export const markTold = async (subject: Subject): Promise<void> => {
  const {memory} = subject;
  if (await memory.read(nameOf(subject))) await memory.update<UnderWay | null>(nameOf(subject), () => null);
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
export const recover = async (cleaning: Cleaning, subject: Subject, cleaned: Cleaned): Promise<boolean> => {
  const {engine, signal} = cleaning;
  let isWhole = true;
  for (const run of await untold(subject)) {
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
