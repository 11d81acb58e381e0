/** One unit of changes inside a transaction: lock its group, decide the keeper again, then make the changes. */
import {
  type ApplyOptions,
  type Change,
  canonicalJson,
  type Outcome,
  type Row,
  type Unit,
} from '../../source/connector.js';
import {deleteRows, type Numbered, updateRows, type Workspace} from './batches.js';
import {lockGroup} from './groups-lock.js';
import {insertRows} from './inserts.js';

export type Done = {outcomes: Outcome[] /** Nothing of it may stay. */; givenUp: boolean};

const idOf = ({identity}: {identity: Row['identity']}): string => canonicalJson(identity.at);

/** Why the group forbids a change, by its place in the unit. */
const forbidden = async (
  unit: Unit,
  workspace: Workspace,
  decide: ApplyOptions['decideKeeper'],
): Promise<Map<number, string>> => {
  const found = new Map<number, string>();
  const {group, changes} = unit;
  if (!group) return found;
  const rows = workspace.locked?.rowsOf(unit) ?? (await lockGroup(group.table, group.where, workspace));
  const planned = group.keeper && canonicalJson(group.keeper.at);
  // Other tables' rows are about to be pointed at the planned keeper: not when it is not there any more.
  if (planned !== null && !rows.some(row => idOf(row) === planned))
    for (const [index, change] of changes.entries())
      if (change.table !== group.table && change.op !== 'delete' && !change.skip) found.set(index, 'keeper');
  if (group.keep.by === 'none') return found;
  const keeper = rows[decide(group.keep, rows)];
  const kept = keeper && idOf(keeper);
  const own = changes
    .map((change, index) => ({change, index}))
    .filter(({change}) => change.table === group.table && !change.skip);
  const deletes = own.filter(({change}) => change.op === 'delete');
  const going = new Set(deletes.map(({change}) => idOf(change)));
  // Without a keeper (the chosen one has gone) the plan has lost its reason, unless another row stays anyway.
  const lost = !keeper && rows.every(row => going.has(idOf(row)));
  for (const {change, index} of own) {
    if (change.op === 'delete' && lost) found.set(index, 'last-of-group');
    else if (
      idOf(change) === kept &&
      (change.op === 'delete' || (change.op === 'update' && kept !== planned))
    )
      found.set(index, 'keeper');
  }
  return found;
};

const ofOp = <O extends Change['op']>(changes: Numbered[], op: O): Numbered<Change & {op: O}>[] =>
  changes.filter(({change}) => change.op === op) as Numbered<Change & {op: O}>[];

/** The first required change that was not made, by why. */
const missing = (unit: Unit, outcomes: Map<number, Outcome>): string | undefined => {
  for (const [index, outcome] of outcomes)
    if (unit.changes[index]!.required && outcome.result === 'skipped') return outcome.why;
  return undefined;
};

const skipAll = (unit: Unit, outcomes: Map<number, Outcome>, why: string): Done => ({
  givenUp: true,
  outcomes: unit.changes.map((_, index) => {
    const own = outcomes.get(index);
    return own?.result === 'skipped' ? own : {result: 'skipped', why};
  }),
});

/** What was made in a unit of which nothing stays failed with it. */
const takenBack = (outcome: Outcome, failed: Outcome): Outcome =>
  outcome.result === 'applied' ? failed : outcome;

/**
 * Makes a unit's changes and says what became of each, in the order given. Deletes go first, then inserts, then
 * updates: a unique value moves from a deleted row to a new one.
 */
export const runUnit = async (
  unit: Unit,
  workspace: Workspace,
  decide: ApplyOptions['decideKeeper'],
): Promise<Done> => {
  const outcomes = new Map<number, Outcome>();
  for (const [index, {skip}] of unit.changes.entries())
    if (skip) outcomes.set(index, {result: 'skipped', why: skip});
  for (const [index, why] of await forbidden(unit, workspace, decide))
    outcomes.set(index, {result: 'skipped', why});
  workspace.locked?.touch(unit);
  const open = unit.changes
    .map((change, index) => ({change, index}))
    .filter(({index}) => !outcomes.has(index));
  const steps = [
    () => deleteRows(ofOp(open, 'delete'), workspace),
    () => insertRows(ofOp(open, 'insert'), workspace),
    () => updateRows(ofOp(open, 'update'), workspace),
  ];
  for (const step of steps) {
    const before = missing(unit, outcomes);
    if (before !== undefined) return skipAll(unit, outcomes, before);
    for (const [index, outcome] of await step()) outcomes.set(index, outcome);
  }
  const why = missing(unit, outcomes);
  if (why !== undefined) return skipAll(unit, outcomes, why);
  const failed = [...outcomes.values()].find(outcome => outcome.result === 'failed');
  if (failed)
    return {givenUp: true, outcomes: unit.changes.map((_, index) => takenBack(outcomes.get(index)!, failed))};
  return {givenUp: false, outcomes: unit.changes.map((_, index) => outcomes.get(index)!)};
};
