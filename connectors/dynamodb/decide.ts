/** What may be made of a unit's changes, given its rows as they are now. Pure. */
import {
  type ApplyOptions,
  type Change,
  canonicalJson,
  type Identity,
  type Outcome,
  type Row,
  type Unit,
} from '../../source/connector.js';
import {type Environment, holds} from '../../source/evaluate.js';
import {neutralItem, versionOf} from './attributes.js';
import type {UnitRows} from './unit-rows.js';

/** An outcome for each change; undefined for those that are still to be made. */
export type Outcomes = (Outcome | undefined)[];

/** Rows of the group that the next transaction has to find there. */
export type Keepers = Identity[];

export const skipped = (why: string): Outcome => ({result: 'skipped', why});

const sameIdentity = (a: Identity, b: Identity): boolean => canonicalJson(a.at) === canonicalJson(b.at);

/** Why a change can't be made to its own row; undefined where it can. */
const obstacle = (
  change: Change,
  identity: Identity,
  rows: UnitRows,
  env: Environment,
): Outcome | undefined => {
  if (change.skip !== undefined) return skipped(change.skip);
  const item = rows.item(change.table, identity);
  if (change.op === 'insert') return item ? skipped('exists') : undefined;
  if (!item) return skipped('gone');
  if (versionOf(item) !== change.version) return skipped('changed');
  return change.still && !holds(change.still, neutralItem(item), env) ? skipped('no-longer') : undefined;
};

/** A required change that can't be made takes along whatever has not been made yet. */
const takeAlong = (unit: Unit, outcomes: Outcomes): void => {
  const missed = unit.changes.findIndex(
    (change, i) => change.required && outcomes[i] && outcomes[i].result !== 'applied',
  );
  const outcome = outcomes[missed];
  if (!outcome) return;
  const why = outcome.result === 'skipped' ? outcome.why : 'required';
  unit.changes.forEach((_, i) => {
    outcomes[i] ??= skipped(why);
  });
};

/**
 * The row that the rest of the group moves onto (rekey): one that the unit puts in, or one that it must write.
 * It stands for the row that moves, so that the moved row itself may go.
 */
const anchorOf = (
  unit: Unit,
  outcomes: Outcomes,
  rows: UnitRows,
): {identity: Identity; there: boolean} | null => {
  const index = unit.changes.findIndex(
    ({op, table, required}, i) =>
      table === unit.group?.table &&
      (op === 'insert' || (op === 'update' && required)) &&
      (!outcomes[i] || outcomes[i].result === 'applied'),
  );
  if (index < 0) return null;
  const identity = rows.identities[index]!;
  return {identity, there: !outcomes[index] || rows.item(unit.group!.table, identity) !== undefined};
};

/**
 * Changes in the group that would take `keeper` (null: any delete) are skipped. An update of it is part of the plan
 * where it was to stay all along, and a change to a row that stays as it is where another was.
 */
const spare = (unit: Unit, outcomes: Outcomes, keeper: Identity | null, why: string): void => {
  const {table, keeper: planned} = unit.group!;
  const asPlanned = keeper && planned && sameIdentity(keeper, planned);
  unit.changes.forEach((change, i) => {
    if (change.table !== table || outcomes[i] || (keeper && !sameIdentity(keeper, change.identity))) return;
    if (change.op === 'delete' || (change.op === 'update' && keeper && !asPlanned))
      outcomes[i] = skipped(why);
  });
};

/** References to the planned keeper must not be made when it is not there any more. */
const checkPlannedKeeper = (unit: Unit, outcomes: Outcomes, rows: UnitRows): Keepers => {
  const {table, keeper} = unit.group!;
  if (!keeper || anchorOf(unit, outcomes, rows)) return [];
  const refers = (change: Change): boolean => change.table !== table && change.op !== 'delete';
  if (rows.members.some(row => sameIdentity(row.identity, keeper)))
    return unit.changes.some((change, i) => !outcomes[i] && refers(change)) ? [keeper] : [];
  unit.changes.forEach((change, i) => {
    if (refers(change)) outcomes[i] ??= skipped('keeper');
  });
  return [];
};

/** A row that nothing here deletes: where the chosen keeper has gone, the plan holds as long as there is one. */
const survivorOf = (unit: Unit, outcomes: Outcomes, members: Row[]): Identity | null => {
  const going = unit.changes.filter(
    ({op, table}, i) => op === 'delete' && table === unit.group!.table && !outcomes[i],
  );
  const stays = members.find(row => !going.some(change => sameIdentity(change.identity, row.identity)));
  return stays?.identity ?? null;
};

/** Decides the keeper again (safety: S1); deletes that would take it, or the last row, are skipped. */
const protectKeeper = (
  unit: Unit,
  outcomes: Outcomes,
  rows: UnitRows,
  decideKeeper: ApplyOptions['decideKeeper'],
): Keepers => {
  const anchor = anchorOf(unit, outcomes, rows);
  if (anchor) {
    if (!anchor.there) spare(unit, outcomes, null, 'last-of-group');
    return [anchor.identity];
  }
  const {keep} = unit.group!;
  if (keep.by === 'none') return [];
  const members = rows.members.map(row => ({...row, tags: []}));
  const keeper = members[decideKeeper(keep, members)]?.identity ?? survivorOf(unit, outcomes, members);
  spare(unit, outcomes, keeper, keeper && members.length > 1 ? 'keeper' : 'last-of-group');
  return keeper ? [keeper] : [];
};

/**
 * Fills in the outcomes of changes that can't be made (any more). Returns the rows of the group that have to be
 * there when the rest is made: at most two, none where there is no group or none needs to stay.
 */
export const decide = (
  unit: Unit,
  outcomes: Outcomes,
  rows: UnitRows,
  env: Environment,
  decideKeeper: ApplyOptions['decideKeeper'],
): Keepers => {
  unit.changes.forEach((change, i) => {
    outcomes[i] ??= obstacle(change, rows.identities[i]!, rows, env);
  });
  takeAlong(unit, outcomes);
  if (!unit.group) return [];
  const planned = checkPlannedKeeper(unit, outcomes, rows);
  takeAlong(unit, outcomes);
  const decided = protectKeeper(unit, outcomes, rows, decideKeeper);
  takeAlong(unit, outcomes);
  return [...decided, ...planned.filter(one => !decided.some(other => sameIdentity(one, other)))];
};
