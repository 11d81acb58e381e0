/**
 * Runs that cancelled sessions and that no round tells of: somebody made them by hand or over HTTP, in the same state
 * directory. What is on disk is the truth of a run.
 */

import {countsOf, type RunRecord, readRunIfThere, runNameAt, runNames} from '../../engine/disk/run-files.js';
import type {FullEngine} from '../../engine/engine.js';
import {customersCancelled} from '../../engine/run/cancelled.js';
import type {Told} from './alerts.js';
import {dayMs, keptRuns} from './cancelled.js';
import type {CancellingRun} from './types.js';

/** Names begin with the second of the run. */
const secondMs = 1000;

const hasEnded = ({journal}: RunRecord): boolean => journal.at(-1)?.event === 'done';

/**
 * What `openAlerts` asks for runs that are not told: those of the last day, since the alerts began, that have ended and
 * were not taken back. A run whose store can't be asked now is found again the next time.
 */
export const openMissed = (
  stateDirectory: string,
  engine: Pick<FullEngine, 'environment' | 'checks' | 'checker'>,
  now: () => number = Date.now,
): ((told: Told) => Promise<CancellingRun[]>) => {
  /** Runs that will never be of interest. */
  const dull = new Set<string>();
  return async ({started, runs}) => {
    const from = Math.max(Date.parse(started) - secondMs, now() - dayMs);
    // The list of what was told is bounded: what is older than its oldest was told, or comes too late.
    const oldest = runs.size >= keptRuns ? [...runs].sort()[0]! : '';
    const names = (await runNames(stateDirectory)).filter(
      name => name >= runNameAt(new Date(from)) && name > oldest,
    );
    const current = new Set(names);
    for (const name of dull) if (!current.has(name)) dull.delete(name);
    const found: CancellingRun[] = [];
    for (const name of names) {
      if (runs.has(name) || dull.has(name)) continue;
      const record = await readRunIfThere(stateDirectory, name);
      // Others may be writing it now: it is looked at again the next time.
      if (!record) continue;
      const {header, journal} = record;
      const checker = engine.checks.some(({id}) => id === header.check) ? engine.checker(header.check) : null;
      const isDull =
        // A state directory may be shared: customers of another environment are told by its own watch.
        header.environment !== engine.environment ||
        header.action !== 'cancel' ||
        header.undoes !== null ||
        header.at < started ||
        checker?.check.kind !== 'stale-sessions' ||
        journal.some(({event}) => event === 'undone');
      const {applied} = countsOf(record);
      if (isDull || (hasEnded(record) && applied === 0)) dull.add(name);
      else if (hasEnded(record)) {
        const customers = await customersCancelled(checker!, stateDirectory, name).catch(() => null);
        if (!customers) continue;
        const {store, check, at} = header;
        found.push({run: name, at, store, check, applied, customers});
      }
    }
    return found;
  };
};
