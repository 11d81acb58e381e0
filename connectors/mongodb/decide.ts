/** Which changes of a unit may be made, on the rows as they are now. Pure. */
import {
  type ApplyOptions,
  type Change,
  canonicalJson,
  type Identity,
  type Outcome,
  type Unit,
} from '../../source/connector.js';
import {type Environment, holds} from '../../source/evaluate.js';
import {bytesOf, valuesOfBytes} from './document.js';
import {mapError} from './errors.js';
import type {FullRow} from './row.js';
import {type Write, writeOf} from './writes.js';

/** What was read for a unit: the row of each change, the group's rows, and the partners that conditions ask for. */
export type Sight = {rows: (FullRow | undefined)[]; group: FullRow[]; env: Environment; now: number};

/** A change that may be made; `leaves` when it takes its row out of the group. */
export type Step = {index: number; change: Change; write: Write; leaves: boolean};

/** `outcomes` of the changes that are not among the steps; `keeper` is the row that has to be there meanwhile. */
export type Decision = {steps: Step[]; outcomes: (Outcome | undefined)[]; keeper: FullRow | null};

const skipped = (why: string): Outcome => ({result: 'skipped', why});

/** An identity with no `_id` is that of a row whose key the store will make. */
export const hasId = (identity: Identity): boolean => identity.at._id !== undefined;

const same = (a: Identity, b: Identity): boolean => canonicalJson(a.at) === canonicalJson(b.at);

const check = (change: Change, row: FullRow | undefined, env: Environment): Outcome | null => {
  if (change.skip) return skipped(change.skip);
  if (change.op === 'insert') return row ? skipped('exists') : null;
  if (!row) return skipped('gone');
  if (row.version !== change.version) return skipped('changed');
  return change.still && !holds(change.still, row.values, env) ? skipped('no-longer') : null;
};

const leavesGroup = (unit: Unit, change: Change, write: Write, sight: Sight): boolean => {
  if (!unit.group || change.op === 'insert' || change.table !== unit.group.table) return false;
  if (!sight.group.some(row => same(row.identity, change.identity))) return false;
  return write.kind === 'delete' || !holds(unit.group.where, valuesOfBytes(bytesOf(write.after)), sight.env);
};

const stepsOf = (unit: Unit, sight: Sight, outcomes: (Outcome | undefined)[]): Step[] => {
  const steps: Step[] = [];
  unit.changes.forEach((change, index) => {
    const refused = check(change, sight.rows[index], sight.env);
    if (refused) {
      outcomes[index] = refused;
      return;
    }
    try {
      const write = writeOf(change, sight.rows[index]?.bytes, sight.now);
      if (
        change.op === 'insert' &&
        change.still &&
        !holds(change.still, valuesOfBytes(bytesOf((write as Write & {kind: 'insert'}).after)), sight.env)
      )
        outcomes[index] = skipped('no-longer');
      else steps.push({index, change, write, leaves: leavesGroup(unit, change, write, sight)});
    } catch (error) {
      outcomes[index] = {
        result: 'failed',
        error: mapError(error, `planning a change of ${change.table}`).message,
      };
    }
  });
  return steps;
};

/**
 * The keeper is gone that other tables' rows are about to be pointed at: then they would point at nothing, so
 * nothing of the unit is done.
 */
const lostItsKeeper = (unit: Unit, sight: Sight): boolean => {
  const {group, changes} = unit;
  if (!group?.keeper || !changes.some(change => change.table !== group.table)) return false;
  return !sight.group.some(row => same(row.identity, group.keeper!));
};

/** Why the rest of a unit is not made: what was wrong with the required change. */
export const whyWithout = (required: Outcome): string =>
  required.result === 'skipped' ? required.why : 'required';

/**
 * Decides a unit. With a rule, the keeper (`decideKeeper`, asked again on the rows as they are) never leaves the
 * group, and nothing does when the rule finds none. A required change that can't be made takes the rest along.
 */
export const decide = (unit: Unit, sight: Sight, decideKeeper: ApplyOptions['decideKeeper']): Decision => {
  const outcomes: (Outcome | undefined)[] = unit.changes.map(() => undefined);
  let steps = stepsOf(unit, sight, outcomes);
  let keeper: FullRow | null = null;
  const drop = (some: Step[], why: string) => {
    for (const {index} of some) outcomes[index] = skipped(why);
    steps = steps.filter(step => !some.includes(step));
  };
  if (unit.group && lostItsKeeper(unit, sight)) drop(steps, 'keeper');
  if (unit.group && unit.group.keep.by !== 'none' && sight.group.length > 0) {
    keeper = sight.group[decideKeeper(unit.group.keep, sight.group)] ?? null;
    const bound = steps.filter(
      ({leaves, change}) => leaves && (!keeper || same(change.identity, keeper.identity)),
    );
    drop(bound, sight.group.length === 1 ? 'last-of-group' : 'keeper');
  }
  const missing = outcomes.find((outcome, index) => outcome && unit.changes[index]!.required);
  if (missing) drop(steps, whyWithout(missing));
  return {steps, outcomes, keeper};
};
