/**
 * Changes → statements, many changes of one shape in each. Identity, version and condition stand in the statement
 * itself: a row that is no longer what the plan saw is not matched, whoever changed it and however recently.
 */
import type {After, Change, Outcome, Row} from '../../source/connector.js';
import type {Pred} from '../../source/forms.js';
import {type Assignment, assignedSql, assignmentsOf, type Image, setClause, shapeOf, updateAssignments} from './assignments.js';
import {columnOf, noSuchColumn, type Table} from './catalogue.js';
import {identityMatch, identityNames, identityTexts, transposed, unnested, versionOf} from './identity.js';
import {predicate} from './predicates.js';
import {type Cells, planRow, readRow, type RowPlan, Selected} from './rows.js';
import type {Context} from './select.js';
import type {Run} from './session.js';
import {Binder, ident} from './sql.js';

/** A transaction to make changes in. `zone`: what a naive timestamp's now is told in. */
export type Workspace = Context & {run: Run; zone: string};

/** A change with its place among its unit's. */
export type Numbered<C = Change> = {index: number; change: C};
type Results = Map<number, Outcome>;

const afterOf = (row: Row): After => ({identity: row.identity, version: row.version!, image: row.image!, values: row.values});

const applied = (after: After): Outcome => ({result: 'applied', after});
const skipped = (why: string): Outcome => ({result: 'skipped', why});

/** Splits by what must be the same in one statement; keeps the order within. */
const batched = <C extends Change>(changes: Numbered<C>[], shape: (change: C) => string): Numbered<C>[][] => {
  const batches = new Map<string, Numbered<C>[]>();
  for (const item of changes) {
    const {table, identity, still} = item.change;
    const name = JSON.stringify([table, identity.by, still ?? null, shape(item.change)]);
    batches.set(name, [...(batches.get(name) ?? []), item]);
  }
  return [...batches.values()];
};

/** The parts that deletes and updates share: the list of wanted rows, and the condition that joins it. */
const located = (items: Numbered[], table: Table, extra: (string | null)[][], workspace: Workspace, binder: Binder) => {
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

const compiled = (pred: Pred, table: Table, {tables, lower, now}: Workspace, binder: Binder): string =>
  predicate(pred, {table, alias: 't', scope: {binder, now, lower}, tables});

/** Why the rows that a statement did not match were not changed. */
const explain = async (items: Numbered[], table: Table, workspace: Workspace, results: Results): Promise<void> => {
  const missed = items.filter(({index}) => !results.has(index));
  if (missed.length === 0) return;
  const binder = new Binder();
  const {list, match, same, holds} = located(missed, table, [], workspace, binder);
  const text = `select u.i, ${same}, coalesce(${holds}, false) from ${list} join ${table.sql} as t on ${match}`;
  for (const [place, isSame, isStill] of await workspace.run({text, values: binder.values})) {
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

export const deleteRows = async (changes: Numbered<Change & {op: 'delete'}>[], workspace: Workspace): Promise<Results> => {
  const results: Results = new Map();
  for (const batch of batched(changes, () => '')) {
    const table = workspace.tables(batch[0]!.change.table);
    const items = possible(batch, table, results);
    if (items.length === 0) continue;
    const binder = new Binder();
    const {list, match, same, holds} = located(items, table, [], workspace, binder);
    const text = `delete from ${table.sql} as t using ${list} where ${match} and ${same} and ${holds} returning u.i`;
    for (const [place] of await workspace.run({text, values: binder.values}))
      results.set(items[Number(place) - 1]!.index, applied(null));
    await explain(items, table, workspace, results);
  }
  return results;
};

/** What a statement returns of each row that it wrote. */
const returning = (table: Table, workspace: Workspace, binder: Binder): {sql: string; plan: RowPlan} => {
  const selected = new Selected();
  const scope = {binder, now: workspace.now, lower: workspace.lower};
  const plan = planRow(table, 't', [], true, scope, selected);
  return {sql: selected.items.join(', '), plan};
};

export const updateRows = async (changes: Numbered<Change & {op: 'update'}>[], workspace: Workspace): Promise<Results> => {
  const results: Results = new Map();
  const assignments = (change: Change & {op: 'update'}): Assignment[] => updateAssignments(workspace.tables(change.table), change);
  for (const batch of batched(changes, change => shapeOf(assignments(change)))) {
    const table = workspace.tables(batch[0]!.change.table);
    const items = possible(batch, table, results);
    if (items.length === 0) continue;
    const binder = new Binder();
    const each = items.map(({change}) => assignments(change));
    const texts = transposed(each.map(list => list.map(({text}) => text)), each[0]!.length);
    const {list, match, same, holds} = located(items, table, texts, workspace, binder);
    const zone = binder.bind(workspace.zone, 'text');
    const set = assignedSql(each[0]!, index => `u.v${index}`, column => `t.${ident(column.name)}`, zone, binder);
    const {sql, plan} = returning(table, workspace, binder);
    // The zone is bound whether or not a column needs it, and an unused value is an error.
    const text = `update ${table.sql} as t set ${setClause(set)} from ${list}
      where ${match} and ${same} and ${holds} and ${zone} is not null returning u.i, ${sql}`;
    for (const [place, ...cells] of await workspace.run({text, values: binder.values}))
      results.set(items[Number(place) - 1]!.index, applied(afterOf(readRow(plan, cells, 0, []))));
    await explain(items, table, workspace, results);
  }
  return results;
};

type Insert = Change & {op: 'insert'};

const imageOf = (change: Insert): Image => ('row' in change ? change.row : change.from) as Image;

const insertAssignments = (table: Table, change: Insert): Assignment[] => {
  const image = imageOf(change);
  const base = Object.entries(image).map(([name, text]): Assignment => {
    const column = columnOf(table, name);
    if (!column) throw noSuchColumn(name, table);
    return {column, path: [], how: 'text', text};
  });
  const set = 'from' in change ? assignmentsOf(table, change.set) : [];
  const replaced = new Set(set.filter(({path}) => path.length === 0).map(({column}) => column.name));
  // A now keeps the old text beside it, because its format is that of what it replaces.
  return [...base.filter(({column}) => !column.generated && !replaced.has(column.name)), ...set.map(item => (item.how === 'now' && item.path.length === 0 ? {...item, text: image[item.column.name] ?? null} : item))];
};

/** Which of the images that were put in a returned row is: by key, else by all of its text, else by order. */
const paired = (table: Table, items: Numbered<Insert>[], rows: Row[]): Map<number, Row> => {
  const found = new Map<number, Row>();
  if (rows.length === items.length) {
    for (const [place, row] of rows.entries()) found.set(items[place]!.index, row);
    return found;
  }
  const names = table.key.length > 0 ? table.key.map(column => column.name) : null;
  const id = (image: Image): string => JSON.stringify((names ?? Object.keys(image).sort()).map(name => image[name] ?? null));
  const waiting = new Map<string, number[]>();
  for (const {index, change} of items) {
    const name = id(imageOf(change));
    waiting.set(name, [...(waiting.get(name) ?? []), index]);
  }
  for (const row of rows) {
    const index = waiting.get(id(row.image as Image))?.shift();
    if (index !== undefined) found.set(index, row);
  }
  return found;
};

/** Inserts one statement's worth: rows whose key or place is taken come back as `exists`. */
const insertBatch = async (items: Numbered<Insert>[], workspace: Workspace, results: Results): Promise<void> => {
  const table = workspace.tables(items[0]!.change.table);
  const binder = new Binder();
  const each = items.map(({change}) => insertAssignments(table, change));
  const texts = transposed(each.map(list => list.map(({text}) => text)), each[0]!.length);
  const names = texts.map((_, index) => `v${index}`);
  const zone = binder.bind(workspace.zone, 'text');
  const bound = (index: number): string => `u.v${index}`;
  const old = (column: {name: string; type: {cast: string}}): string => {
    const index = each[0]!.findIndex(item => item.column.name === column.name && item.path.length === 0);
    return index < 0 ? `null::${column.type.cast}` : `u.v${index}::${column.type.cast}`;
  };
  const set = assignedSql(each[0]!, bound, old, zone, binder);
  const {still} = items[0]!.change;
  const row = set.map(({column, sql}) => `${sql} as ${ident(column.name)}`).join(', ');
  const holds = still ? ` where ${compiled(still, table, workspace, binder)}` : '';
  const columns = set.map(({column}) => ident(column.name)).join(', ');
  const plan = returning(table, workspace, binder);
  const text = `insert into ${table.sql} as t (${columns}) overriding system value
    select ${columns} from (select u.i as " i", ${row} from ${unnested(texts, names, binder)} where ${zone} is not null) as t${holds}
    order by t." i" on conflict do nothing returning ${plan.sql}`;
  const cells: Cells[] = await workspace.run({text, values: binder.values});
  const rows = cells.map(line => readRow(plan.plan, line, 0, []));
  const pairs = paired(table, items, rows);
  for (const {index} of items) {
    const after = pairs.get(index);
    results.set(index, after ? applied(afterOf(after)) : skipped('exists'));
  }
};

/** Rows without a key that are back in their place already. */
const inPlace = async (items: Numbered<Insert>[], table: Table, workspace: Workspace, results: Results): Promise<void> => {
  if (table.key.length > 0) return;
  const placed = items.filter(({change}) => identityTexts(table, change.identity));
  if (placed.length === 0) return;
  const binder = new Binder();
  const names = identityNames(table);
  const lists = transposed(placed.map(({change}) => identityTexts(table, change.identity)!), names.length);
  const text = `select u.i from ${unnested(lists, names, binder)} join ${table.sql} as t on ${identityMatch(table, 't')}`;
  for (const [place] of await workspace.run({text, values: binder.values}))
    results.set(placed[Number(place) - 1]!.index, skipped('exists'));
};

export const insertRows = async (changes: Numbered<Insert>[], workspace: Workspace): Promise<Results> => {
  const results: Results = new Map();
  const shape = (change: Insert): string => shapeOf(insertAssignments(workspace.tables(change.table), change));
  for (const batch of batched(changes, shape)) {
    await inPlace(batch, workspace.tables(batch[0]!.change.table), workspace, results);
    const open = batch.filter(({index}) => !results.has(index));
    // A made-up row's key may be spelt otherwise than the server spells it: one at a time needs no pairing.
    const whole = open.filter(({change}) => 'row' in change);
    if (whole.length > 0) await insertBatch(whole, workspace, results);
    for (const item of open) if (!('row' in item.change)) await insertBatch([item], workspace, results);
  }
  return results;
};
