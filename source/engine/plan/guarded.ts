/** Taking back what was mended for guards that are in: the store would refuse these rows, or write them otherwise. */
import type {Shapes} from '../../checks/check.js';
import type {Connector, Unit} from '../../connector.js';
import type {Guard} from '../../guards.js';
import type {Json} from '../../values.js';
import type {Checker} from '../checker.js';
import {type PlanHeader, readRunIfThere, summaryOf} from '../disk/run-files.js';
import {guardsOf} from '../guards/rules.js';

type Guarded = {
  /** What takes the guards out. */
  note: string;
};

/**
 * Whether something of a guard is in that was not there when the rows were as they are to be again. What is drifted may
 * be just what stood in its place before (an index that is not unique): then an uninstall has nothing to take away.
 */
const isIn = async (
  {guards: keeper}: Connector,
  {rule}: Guard,
  before: Json,
  signal?: AbortSignal,
): Promise<boolean> => {
  const {state} = await keeper.state(rule, signal);
  if (state !== 'drifted') return state === 'installed';
  for (const known of [before, null])
    if ((await keeper.steps(rule, 'uninstall', {before: known, signal})).length === 0) return false;
  return true;
};

/** null where none of the guards that the run mended rows for is in the store now. */
export const guardedBy = async (
  {checker, connector, shapes}: {checker: Checker; connector: Connector; shapes: Shapes},
  stateDirectory: string,
  {mends}: PlanHeader,
  signal?: AbortSignal,
): Promise<Guarded | null> => {
  const install = mends === undefined ? null : await readRunIfThere(stateDirectory, mends);
  if (!install?.header.guards) return null;
  const {names, before} = install.header.guards;
  const there: string[] = [];
  for (const {guard, refused} of guardsOf(checker, connector.guards, shapes)) {
    if (refused !== null || !names.includes(guard.name)) continue;
    if (await isIn(connector, guard, before[guard.name] ?? null, signal)) there.push(guard.name);
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
