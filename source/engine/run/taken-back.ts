/** What was taken back of a run, by any of its undos. */
import type {Connector} from '../../connector.js';
import {readAudit} from '../disk/audit.js';
import {Backup} from '../disk/backup.js';
import {listHeaders, nameOf, outcomesOf, readRun} from '../disk/run-files.js';
import {begunIn, settleRun} from './settle.js';

/** What earlier undos of a run took back, and what they may have (nobody can say). */
export type TakenBack = {done: Set<string>; perhaps: Set<string>};

/** `except`: an undo that is not looked at. */
export const takenBack = async (
  connector: Connector,
  stateDirectory: string,
  run: string,
  except?: string,
): Promise<TakenBack> => {
  const done = new Set<string>();
  const perhaps = new Set<string>();
  for (const other of await undosOf(stateDirectory, run)) {
    if (other === except) continue;
    const {journal} = await readRun(stateDirectory, other);
    const backup = await Backup.open(stateDirectory, other);
    if (!backup) continue;
    try {
      const settled = await settleRun(connector, journal, backup);
      for (const {unit, change, source} of backup.places) {
        const result = settled.get(nameOf(unit, change))?.result;
        if (source && result === 'applied') done.add(nameOf(...source));
        else if (source && result === 'unknown') perhaps.add(nameOf(...source));
      }
    } finally {
      await backup.close();
    }
  }
  return {done, perhaps};
};

/**
 * The undos of a run that may have written anything: those that the audit log knows, for it is told before. One whose
 * files are gone or can't be read is no reason to take back again what it took back: reading them throws then.
 */
const undosOf = async (stateDirectory: string, run: string): Promise<string[]> => {
  const audited = (await readAudit(stateDirectory))
    .filter(line => line.event === 'run' && line.undoes === run)
    .map(line => line.run as string);
  const listed = (await listHeaders(stateDirectory)).filter(({undoes}) => undoes === run);
  return [...new Set([...audited, ...listed.map(other => other.run)])];
};

/** Is nothing left of what a run did, or may have done? */
export const isTakenBack = async (
  connector: Connector,
  stateDirectory: string,
  run: string,
): Promise<boolean> => {
  const {journal} = await readRun(stateDirectory, run);
  const backup = await Backup.open(stateDirectory, run);
  if (!backup) return false;
  try {
    const told = outcomesOf(journal);
    const {done} = await takenBack(connector, stateDirectory, run);
    const {begun} = begunIn(journal);
    // Rows that the undo put back look as if they had never been gone: only what the journal tells counts here.
    return backup.places.every(({unit, change}) => {
      const name = nameOf(unit, change);
      const result = told.get(name)?.result;
      if (done.has(name)) return true;
      return result === undefined ? !begun.has(unit) : result === 'skipped' || result === 'failed';
    });
  } finally {
    await backup.close();
  }
};
