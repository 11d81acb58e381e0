/**
 * A run that was cut off, finished or closed (safety S4, S5): what nobody wrote down is found out first, then only what
 * was not made is made, each change with the same conditions as at first.
 */
import type {Connector} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {Backup, Place} from '../disk/backup.js';
import {nameOf, type RunOutcome, type RunRecord, readRun, summaryOf} from '../disk/run-files.js';
import {auditLine, type OpenRun} from './open-run.js';
import {openSettled} from './open-settled.js';
import type {Settled} from './settle.js';
import {takenBack} from './taken-back.js';
import type {Work} from './work.js';

export type Resume = {
  record: RunRecord;
  /** null where the run never wrote its backup, and so nothing else. */
  backup: Backup | null;
  /** Outcomes that are certain now, by `nameOf`. */
  known: Map<string, RunOutcome>;
  /** How many changes are still to be made. */
  left: number;
  /** Of an undo: how many changes other undos of the same run have taken back. */
  takenBefore: number;
  close: () => Promise<void>;
};

/** Throws `usage` for a run that has ended, and `damaged` for one whose backup is not as it was written. */
export const makeResume = async (
  connector: Connector,
  stateDirectory: string,
  run: string,
  signal?: AbortSignal,
): Promise<Resume> => {
  const record = await readRun(stateDirectory, run);
  const {state, unknown} = summaryOf(record);
  if (state !== 'interrupted' && unknown === 0)
    throw new SesstuiError(
      'usage',
      `run ${run} is ${state}: there is nothing to resume`,
      state === 'undone' ? '' : `\`sesstui undo ${run}\` takes it back.`,
    );
  const opened = await openSettled(connector, stateDirectory, record, signal);
  if (!opened)
    return {record, backup: null, known: new Map(), left: 0, takenBefore: 0, close: async () => undefined};
  const {backup, settled} = opened;
  try {
    const takenBefore = await skipUndone(connector, stateDirectory, record, backup, settled);
    const known = new Map<string, RunOutcome>();
    for (const [name, outcome] of settled) if (outcome.result !== 'pending') known.set(name, outcome);
    const left = settled.size - known.size;
    return {record, backup, known, left, takenBefore, close: () => backup.close()};
  } catch (error) {
    await backup.close();
    throw error;
  }
};

/** What another undo of the same run has taken back since need not be, and without a key would come back twice. */
const skipUndone = async (
  connector: Connector,
  stateDirectory: string,
  {header}: RunRecord,
  backup: Backup,
  settled: Map<string, Settled>,
): Promise<number> => {
  if (!header.undoes) return 0;
  const others = await takenBack(connector, stateDirectory, header.undoes, header.run);
  for (const {unit, change, source} of backup.places) {
    const name = nameOf(unit, change);
    if (source && settled.get(name)?.result === 'pending' && others.done.has(nameOf(...source)))
      settled.set(name, {result: 'skipped', why: 'undone'});
  }
  return others.done.size;
};

/** The units of which something is left, with only what is left. */
export async function* workLeft(backup: Backup, known: Map<string, RunOutcome>): AsyncGenerator<Work> {
  let at = 0;
  for (const places of backup.units) {
    const first = at;
    at += places.length;
    const left = places.filter(({unit, change}) => !known.has(nameOf(unit, change)));
    if (left.length === 0) continue;
    const unit = await backup.unit(places);
    yield {
      unit: {...unit, changes: left.map(({change}) => unit.changes[change]!)},
      size: sizeOf(places),
      number: left[0]!.unit,
      changes: left.map(({change}) => change),
      shown: left.map(({change}) => first + change),
    };
  }
}

const sizeOf = (places: Place[]): number => places.reduce((sum, {length}) => sum + length, 0);

/** Ends a run that has changed nothing because it was cut off before its backup was on disk. */
export const closeUnbegun = async ({files, header, stateDirectory, close}: OpenRun): Promise<void> => {
  const skipped = {event: 'outcome', unit: 0, result: 'skipped', why: 'not-begun'} as const;
  try {
    const at = new Date().toISOString();
    const lines = Array.from({length: header.planned}, (_, change) => ({...skipped, at, change}));
    const counts = {applied: 0, skipped: header.planned, failed: 0, unknown: 0};
    await auditLine(stateDirectory, header, {event: 'done', ...counts});
    await files.journal([...lines, {event: 'done', at}]);
  } finally {
    await close();
  }
};
