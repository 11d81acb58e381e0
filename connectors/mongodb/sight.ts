/** Reading what a unit has to know before it may change anything. */
import type {Change, Unit} from '../../source/connector.js';
import {type Environment, holds} from '../../source/evaluate.js';
import {type Pred, partnersOf} from '../../source/forms.js';
import type {ValueMap} from '../../source/values.js';
import type {Access} from './client.js';
import {documentsOf, fetchRows} from './collections.js';
import {hasId, type Sight} from './decide.js';
import {partnersFor} from './read.js';
import type {FullRow} from './row.js';
import {weaken} from './weaken.js';

/** The rows that changes are of, table by table; undefined where there is none. */
const rowsOfChanges = async (
  access: Access,
  changes: Change[],
): Promise<Map<Change, FullRow | undefined>> => {
  const rows = new Map<Change, FullRow | undefined>();
  for (const table of new Set(changes.map(change => change.table))) {
    const some = changes.filter(change => change.table === table && hasId(change.identity));
    const found = await fetchRows(
      access,
      table,
      some.map(change => change.identity),
    );
    for (const [index, change] of some.entries()) rows.set(change, found[index]);
  }
  return rows;
};

/** The rows of a unit's group, all of them and whole. */
export const groupRows = async (
  access: Access,
  group: Unit['group'],
  env: Environment,
): Promise<FullRow[]> => {
  const rows: FullRow[] = [];
  if (!group) return rows;
  const {filter} = weaken(group.where, {now: env.now, allTypes: access.info.allTypes});
  for await (const row of documentsOf(access, group.table, filter))
    if (holds(group.where, row.values, env)) rows.push(row);
  return rows;
};

/** The partners that conditions ask for; nothing is read when none does. */
const partnersOfUnits = (
  access: Access,
  units: Unit[],
  rows: ValueMap[],
  now: number,
): Promise<Environment> => {
  const stills = units.flatMap(({changes}) => changes.flatMap(({still}) => still ?? []));
  const groups = units.flatMap(({group}) => group?.where ?? []);
  const where: Pred = {all: [...stills, ...groups]};
  // The rows of a group, and those to be inserted, are not known yet: their partners can be anyone's.
  const open =
    groups.some(group => partnersOf(group).length > 0) ||
    units.some(({changes}) => changes.some(({op}) => op === 'insert'));
  return partnersFor(
    access,
    {form: 'rows', from: '', where, show: [], tags: {}},
    now,
    open ? undefined : rows,
  );
};

/** What each of these units has to know, as it is now. `now`: the store's, microseconds. */
export const look = async (access: Access, units: Unit[], now: number): Promise<Sight[]> => {
  const rows = await rowsOfChanges(
    access,
    units.flatMap(unit => unit.changes),
  );
  const values = [...rows.values()].flatMap(row => (row ? [row.values] : []));
  const env = await partnersOfUnits(access, units, values, now);
  const sights: Sight[] = [];
  for (const unit of units)
    sights.push({
      rows: unit.changes.map(change => rows.get(change)),
      group: await groupRows(access, unit.group, env),
      env,
      now,
    });
  return sights;
};
