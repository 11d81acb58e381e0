/** Whose sessions a run cancelled, from its own files: another process may have carried it out. */
import {isAbsent, toText} from '../../values.js';
import type {Checker} from '../checker.js';
import {Backup, changeOf} from '../disk/backup.js';
import {nameOf, outcomesOf, readRun} from '../disk/run-files.js';
import {imageOf} from '../plan/units.js';

/**
 * The customers, each once and in the order of the changes; empty for a check that cancels nothing. Throws what
 * reading the files or asking the store throws.
 */
export const customersCancelled = async (
  checker: Checker,
  stateDirectory: string,
  run: string,
): Promise<string[]> => {
  if (checker.check.kind !== 'stale-sessions') return [];
  const outcomes = outcomesOf((await readRun(stateDirectory, run)).journal);
  const backup = await Backup.open(stateDirectory, run);
  if (!backup) return [];
  try {
    const sessions = checker.check.table(checker.config);
    const customers = new Set<string>();
    await checker.store.ask(
      async connector => {
        for (const place of backup.places) {
          if (outcomes.get(nameOf(place.unit, place.change))?.result !== 'applied') continue;
          const change = changeOf(await backup.record(place));
          if (change.table !== sessions) continue;
          const values = connector.valuesOf(change.table, imageOf(change));
          const row = {table: change.table, identity: change.identity, values, tags: []};
          const customer = checker.check.customerOf(checker.config, row);
          if (!isAbsent(customer)) customers.add(toText(customer));
        }
      },
      {insist: true},
    );
    return [...customers];
  } finally {
    await backup.close();
  }
};
