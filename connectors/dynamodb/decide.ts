/** What may be made of a unit's changes, given its rows as they are now. Pure. */
import {
  type ApplyOptions,
  type Change,
  canonicalJson,
  type Identity,
  type Outcome,
  type Unit,
} from '../../source/connector.js';
import {type Environment, holds} from '../../source/evaluate.js';
import {neutralItem, versionOf} from './attributes.js';
import type {UnitRows} from './unit-rows.js';

/** An outcome for each change; undefined for those that are still to be made. */
export type Outcomes = (Outcome | undefined)[];

export const skipped = (why: string): Outcome => ({result: 'skipped', why});

const sameIdentity = (a: Identity, b: Identity): boolean => canonicalJson(a.at) === canonicalJson(b.at);

/** Why a change can't be made to its own row; undefined where it can. */
const obstacle = (change: Change, rows: UnitRows, env: Environment): Outcome | undefined => {
  if (change.skip !== undefined) return skipped(change.skip);
  const item = rows.item(change.table, change.identity);
  if (change.op === 'insert') return item ? skipped('exists') : undefined;
  if (!item) return skipped('gone');
  if (versionOf(item) !== change.version) return skipped('changed');
  return change.still && !holds(change.still, neutralItem(item), env) ? skipped('no-longer') : undefined;
};

/** The row that a unit puts into its group, which stands for the row that moves to it (rekey). */
const insertedOf = (unit: Unit, outcomes: Outcomes): Identity | null => {
  const index = unit.changes.findIndex(
    (change, i) =>
      change.op === 'insert' &&
      change.table === unit.group?.table &&
      (outcomes[i] === undefined || outcomes[i].result === 'applied'),
  );
  return unit.changes[index]?.identity ?? null;
};

/** Decides the keeper again; deletes that would take it, or the last row, are skipped. Returns the keeper. */
const protectKeeper = (
  unit: Unit,
  outcomes: Outcomes,
  rows: UnitRows,
  decideKeeper: ApplyOptions['decideKeeper'],
): Identity | null => {
  const {group} = unit;
  if (!group || group.keep.by === 'none') return null;
  const inserted = insertedOf(unit, outcomes);
  if (inserted) return inserted;
  const members = rows.members.map(row => ({...row, tags: []}));
  const keeper = members[decideKeeper(group.keep, members)]?.identity ?? null;
  unit.changes.forEach((change, i) => {
    if (change.op !== 'delete' || change.table !== group.table || outcomes[i]) return;
    // Where nothing may be named as the keeper nothing may be deleted either.
    if (keeper && !sameIdentity(keeper, change.identity)) return;
    outcomes[i] = skipped(members.length > 1 && keeper ? 'keeper' : 'last-of-group');
  });
  return keeper;
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
 * Fills in the outcomes of changes that can't be made (any more). Returns the row of the group that has to stay,
 * null where there is no group or none needs to.
 */
export const decide = (
  unit: Unit,
  outcomes: Outcomes,
  rows: UnitRows,
  env: Environment,
  decideKeeper: ApplyOptions['decideKeeper'],
): Identity | null => {
  unit.changes.forEach((change, i) => {
    outcomes[i] ??= obstacle(change, rows, env);
  });
  takeAlong(unit, outcomes);
  const keeper = protectKeeper(unit, outcomes, rows, decideKeeper);
  takeAlong(unit, outcomes);
  return keeper;
};
