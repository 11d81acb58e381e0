/** Taking back what was mended for guards that are in: the store would refuse these rows, or write them otherwise. */
import type {Shapes} from '../../checks/check.js';
import type {Connector, Unit} from '../../connector.js';
import type {Checker} from '../checker.js';
import {type PlanHeader, readRunIfThere, summaryOf} from '../disk/run-files.js';
import {guardsOf} from '../guards/rules.js';

type Guarded = {
  /** What takes the guards out. */
  note: string;
};

/** null where none of the guards that the run mended rows for is in the store now. */
export const guardedBy = async (
  {checker, connector, shapes}: {checker: Checker; connector: Connector; shapes: Shapes},
  stateDirectory: string,
  {mends}: PlanHeader,
  signal?: AbortSignal,
): Promise<Guarded | null> => {
  const install = mends === undefined ? null : await readRunIfThere(stateDirectory, mends);
  const names = install?.header.guards?.names;
  if (!names) return null;
  const there: string[] = [];
  for (const {guard, refused} of guardsOf(checker, connector.guards, shapes)) {
    if (refused !== null || !names.includes(guard.name)) continue;
    const {state} = await connector.guards.state(guard.rule, signal);
    if (state === 'installed' || state === 'drifted') there.push(guard.name);
  }
  if (there.length === 0) return null;
  const out =
    summaryOf(install).state === 'undone' ? `guards uninstall ${checker.id}` : `undo ${install.header.run}`;
  return {
    note: `it mended rows for the guards ${names.join(', ')} of run ${mends}, and ${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} in: nothing is taken back while the store keeps these rows out; take the guards out first: sesstui ${out}`,
  };
};

/** The same units with nothing of them to be written. */
export async function* leftAlone(units: AsyncIterable<Unit>): AsyncGenerator<Unit> {
  for await (const unit of units)
    yield {...unit, changes: unit.changes.map(change => ({...change, skip: change.skip ?? 'guarded'}))};
}
