/**
 * Changes → statements, many changes of one shape in each. Identity, version and condition stand in the statement
 * itself: a row that is no longer what the plan saw is not matched, whoever changed it and however recently.
 */
import type {After, Change, Outcome, Row} from '../../source/connector.js';
import type {Pred} from '../../source/forms.js';
import {type Assignment, assignedSql, setClause, shapeOf, updateAssignments} from './assignments.js';
import {counting, refuseAffected} from './besides.js';
import {affectedSql} from './cascades.js';
import type {Table} from './catalogue.js';
import type {Locked} from './groups-lock.js';
import {identityMatch, identityNames, identityTexts, transposed, unnested, versionOf} from './identity.js';
import {predicate} from './predicates.js';
import type {Context} from './query.js';
import {planRow, type RowPlan, readRow, Selected} from './rows.js';
import type {Run} from './session.js';
import {Binder, ident} from './sql.js';

/** A transaction to make changes in. `zone`: what a naive timestamp's now is told in, where a change doesn't say. */
export type Workspace = Context & {run: Run; zone: string; locked?: Locked | null};

/** A change with its place among its unit's. */
export type Numbered<C = Change> = {index: number; change: C};
export type Results = Map<number, Outcome>;

export const afterOf = (row: Row): After => ({
  identity: row.identity,
  version: row.version!,
  image: row.image!,
  values: row.values,
});

export const applied = (after: After): Outcome => ({result: 'applied', after});
export const skipped = (why: string): Outcome => ({result: 'skipped', why});

/** Splits by what must be the same in one statement; keeps the order within. */
export const batched = <C extends Change>(
  changes: Numbered<C>[],
  shape: (change: C) => string,
): Numbered<C>[][] => {
  const batches = new Map<string, Numbered<C>[]>();
  for (const item of changes) {
    const {table, identity, still} = item.change;
    const name = JSON.stringify([table, identity.by, still ?? null, shape(item.change)]);
    batches.set(name, [...(batches.get(name) ?? []), item]);
  }
  return [...batches.values()];
};

/** The parts that deletes and updates share: the list of wanted rows, and the condition that joins it. */
const located = (
  items: Numbered[],
  table: Table,
  extra: (string | null)[][],
  workspace: Workspace,
  binder: Binder,
) => {
  const texts = items.map(({change}) => identityTexts(table, change.identity)!);
  const names = identityNames(table);
  const lists = [...transposed(texts, names.length), items.map(({change}) => change.version), ...extra];
  const list = unnested(lists, [...names, 'version', ...extra.map((_, index) => `v${index}`)], binder);
  const match = identityMatch(table, 't');
  const same = `${versionOf('t')} = u.version`;
  const {still} = items[0]!.change;
  const holds = still ? compiled(still, table, workspace, binder) : 'true';
  return {list, match, same, holds};
};

export const compiled = (pred: Pred, table: Table, {tables, lower, now}: Workspace, binder: Binder): string =>
  predicate(pred, {table, alias: 't', scope: {binder, now, lower}, tables});

/** Was the row's last version written by this very transaction? Nobody else's can be seen before it is committed. */
const writtenHere = `not pg_catalog.pg_visible_in_snapshot(
    ((pg_catalog.pg_current_xact_id()::text::bigint >> 32 << 32) + t.xmin::text::bigint)::text::xid8,
    pg_catalog.pg_current_snapshot())`;

const triggered = 'a trigger of the table changed the row instead; it was left as it was';

/** Why the rows that a statement did not match were not changed. */
const explain = async (
  items: Numbered[],
  table: Table,
  workspace: Workspace,
  results: Results,
): Promise<void> => {
  const missed = items.filter(({index}) => !results.has(index));
  if (missed.length === 0) return;
  const binder = new Binder();
  const {list, match, same, holds} = located(missed, table, [], workspace, binder);
  const text = `select u.i, ${same}, coalesce(${holds}, false), ${writtenHere} from ${list} join ${table.sql} as t on ${match}`;
  for (const [place, isSame, isStill, isOurs] of await workspace.run(binder.statement(text))) {
    if (isSame !== 't' && isOurs === 't') {
      results.set(missed[Number(place) - 1]!.index, {result: 'failed', error: triggered});
      continue;
    }
    // Matched by now, and yet not changed: a trigger kept it.
    const why = isSame !== 't' ? 'changed' : isStill === 't' ? 'protected' : 'no-longer';
    results.set(missed[Number(place) - 1]!.index, skipped(why));
  }
  for (const {index} of missed) if (!results.has(index)) results.set(index, skipped('gone'));
};

/** Those whose identity a row of the table can have; the others are gone. */
const possible = <C extends Change>(items: Numbered<C>[], table: Table, results: Results): Numbered<C>[] =>
  items.filter(({index, change}) => {
    if (identityTexts(table, change.identity)) return true;
    results.set(index, skipped('gone'));
    return false;
  });

export const deleteRows = async (
  changes: Numbered<Change & {op: 'delete'}>[],
  workspace: Workspace,
): Promise<Results> => {
  const results: Results = new Map();
  for (const batch of batched(changes, () => '')) {
    const table = workspace.tables(batch[0]!.change.table);
    const items = possible(batch, table, results);
    if (items.length === 0) continue;
    const binder = new Binder();
    const {list, match, same, holds} = located(items, table, [], workspace, binder);
    const text = `delete from ${table.sql} as t using ${list} where ${match} and ${same} and ${holds}
      returning u.i, ${affectedSql(table, 'delete')}`;
    const answer = await counting(table, workspace.run, () => workspace.run(binder.statement(text)));
    await refuseAffected(table, 'deleting', answer, workspace.run);
    for (const [place] of answer) results.set(items[Number(place) - 1]!.index, applied(null));
    await explain(items, table, workspace, results);
  }
  return results;
};

/** The zone that a now is told in. */
export const zoneIn =
  (workspace: Workspace, binder: Binder) =>
  ({zone}: Assignment): string =>
    binder.bind(zone ?? workspace.zone, 'text');

/** What a statement returns of each row that it wrote. */
export const returning = (
  table: Table,
  workspace: Workspace,
  binder: Binder,
): {sql: string; plan: RowPlan} => {
  const selected = new Selected();
  const scope = {binder, now: workspace.now, lower: workspace.lower};
  const plan = planRow(table, 't', [], true, scope, selected);
  return {sql: selected.items.join(', '), plan};
};

export const updateRows = async (
  changes: Numbered<Change & {op: 'update'}>[],
  workspace: Workspace,
): Promise<Results> => {
  const results: Results = new Map();
  const assignments = (change: Change & {op: 'update'}): Assignment[] =>
    updateAssignments(workspace.tables(change.table), change);
  for (const batch of batched(changes, change => shapeOf(assignments(change)))) {
    const table = workspace.tables(batch[0]!.change.table);
    const items = possible(batch, table, results);
    if (items.length === 0) continue;
    const binder = new Binder();
    const each = items.map(({change}) => assignments(change));
    const texts = transposed(
      each.map(list => list.map(({text}) => text)),
      each[0]!.length,
    );
    const {list, match, same, holds} = located(items, table, texts, workspace, binder);
    const set = assignedSql(
      each[0]!,
      index => `u.v${index}`,
      column => `t.${ident(column.name)}`,
      zoneIn(workspace, binder),
      binder,
    );
    const {sql, plan} = returning(table, workspace, binder);
    const text = `update ${table.sql} as t set ${setClause(set)} from ${list}
      where ${match} and ${same} and ${holds} returning u.i, ${affectedSql(table, 'update')}, ${sql}`;
    const answer = await workspace.run(binder.statement(text));
    await refuseAffected(table, 'updating', answer, workspace.run);
    for (const [place, _, ...cells] of answer)
      results.set(items[Number(place) - 1]!.index, applied(afterOf(readRow(plan, cells, 0, []))));
    await explain(items, table, workspace, results);
  }
  return results;
};
