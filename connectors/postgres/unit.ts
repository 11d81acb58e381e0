/** One unit of changes inside a transaction: lock its group, decide the keeper again, then make the changes. */
import {
  type ApplyOptions,
  type Change,
  canonicalJson,
  type Outcome,
  type Row,
  type Unit,
} from '../../source/connector.js';
import type {Pred} from '../../source/forms.js';
import {deleteRows, type Numbered, updateRows, type Workspace} from './batches.js';
import type {Table} from './catalogue.js';
import {insertRows} from './inserts.js';
import {predicate} from './predicates.js';
import {planRow, readRow, Selected} from './rows.js';
import {Binder, ident} from './sql.js';

export type Done = {outcomes: Outcome[] /** Nothing of it may stay. */; givenUp: boolean};

const inOrder = (table: Table): string =>
  table.key.length > 0 ? table.key.map(column => `t.${ident(column.name)}`).join(', ') : 't.tableoid, t.ctid';

/**
 * The group's rows, locked. Locking waits for other writers, and what they left is seen by a new statement only;
 * all lock in the same order, so that two operators wait for each other instead of deadlocking.
 */
export const lockGroup = async (name: string, where: Pred, workspace: Workspace): Promise<Row[]> => {
  const {tables, lower, now, run} = workspace;
  const table = tables(name);
  const binder = new Binder();
  const scope = {binder, now, lower};
  const condition = predicate(where, {table, alias: 't', scope, tables});
  await run(
    binder.statement(
      `select from ${table.sql} as t where ${condition} order by ${inOrder(table)} for update of t`,
    ),
  );
  const selected = new Selected();
  const plan = planRow(table, 't', [], true, scope, selected);
  const text = `select ${selected.items.join(', ')} from ${table.sql} as t where ${condition} order by ${inOrder(table)}`;
  return (await run(binder.statement(text))).map(cells => readRow(plan, cells, 0, []));
};

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
  const rows = await lockGroup(group.table, group.where, workspace);
  if (group.keep.by === 'none') return found;
  const keeper = rows[decide(group.keep, rows)];
  const kept = keeper && idOf(keeper);
  const planned = group.keeper && canonicalJson(group.keeper.at);
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
  return {givenUp: false, outcomes: unit.changes.map((_, index) => outcomes.get(index)!)};
};
