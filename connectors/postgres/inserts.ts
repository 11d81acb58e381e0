/** Inserts: rows that come back, and rows made of others. A row whose key or place is taken is left alone. */
import type {Change, Row} from '../../source/connector.js';
import {type Assignment, assignedSql, assignmentsOf, type Image, shapeOf} from './assignments.js';
import {
  afterOf,
  applied,
  batched,
  compiled,
  type Numbered,
  type Results,
  returning,
  skipped,
  type Workspace,
  zoneIn,
} from './batches.js';
import {columnOf, noSuchColumn, type Table} from './catalogue.js';
import {identityMatch, identityNames, identityTexts, transposed, unnested} from './identity.js';
import {type Cells, readRow} from './rows.js';
import {Binder, ident} from './sql.js';

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
  return [
    ...base.filter(({column}) => !column.generated && !replaced.has(column.name)),
    ...set.map(item =>
      item.how === 'now' && item.path.length === 0 ? {...item, text: image[item.column.name] ?? null} : item,
    ),
  ];
};

/** Which of the images that were put in a returned row is: by key, else by all of its text, else by order. */
const paired = (table: Table, items: Numbered<Insert>[], rows: Row[]): Map<number, Row> => {
  const found = new Map<number, Row>();
  if (rows.length === items.length) {
    for (const [place, row] of rows.entries()) found.set(items[place]!.index, row);
    return found;
  }
  const names = table.key.length > 0 ? table.key.map(column => column.name) : null;
  const id = (image: Image): string =>
    JSON.stringify((names ?? Object.keys(image).sort()).map(name => image[name] ?? null));
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
const insertBatch = async (
  items: Numbered<Insert>[],
  workspace: Workspace,
  results: Results,
): Promise<void> => {
  const table = workspace.tables(items[0]!.change.table);
  const binder = new Binder();
  const each = items.map(({change}) => insertAssignments(table, change));
  const texts = transposed(
    each.map(list => list.map(({text}) => text)),
    each[0]!.length,
  );
  const names = texts.map((_, index) => `v${index}`);
  const bound = (index: number): string => `u.v${index}`;
  const old = (column: {name: string; type: {cast: string}}): string => {
    const index = each[0]!.findIndex(item => item.column.name === column.name && item.path.length === 0);
    return index < 0 ? `null::${column.type.cast}` : `u.v${index}::${column.type.cast}`;
  };
  const set = assignedSql(each[0]!, bound, old, zoneIn(workspace, binder), binder);
  const {still} = items[0]!.change;
  const row = set.map(({column, sql}) => `${sql} as ${ident(column.name)}`).join(', ');
  const holds = still ? ` where ${compiled(still, table, workspace, binder)}` : '';
  const columns = set.map(({column}) => ident(column.name)).join(', ');
  const plan = returning(table, workspace, binder);
  const text = `insert into ${table.sql} as t (${columns}) overriding system value
    select ${columns} from (select u.i as " i", ${row} from ${unnested(texts, names, binder)}) as t${holds}
    order by t." i" on conflict do nothing returning ${plan.sql}`;
  const cells: Cells[] = await workspace.run(binder.statement(text));
  const rows = cells.map(line => readRow(plan.plan, line, 0, []));
  const pairs = paired(table, items, rows);
  for (const {index} of items) {
    const after = pairs.get(index);
    results.set(index, after ? applied(afterOf(after)) : skipped('exists'));
  }
};

/** Rows without a key that are back in their place already. */
const inPlace = async (
  items: Numbered<Insert>[],
  table: Table,
  workspace: Workspace,
  results: Results,
): Promise<void> => {
  if (table.key.length > 0) return;
  const placed = items.filter(({change}) => identityTexts(table, change.identity));
  if (placed.length === 0) return;
  const binder = new Binder();
  const names = identityNames(table);
  const lists = transposed(
    placed.map(({change}) => identityTexts(table, change.identity)!),
    names.length,
  );
  const text = `select u.i from ${unnested(lists, names, binder)} join ${table.sql} as t on ${identityMatch(table, 't')}`;
  for (const [place] of await workspace.run(binder.statement(text)))
    results.set(placed[Number(place) - 1]!.index, skipped('exists'));
};

export const insertRows = async (changes: Numbered<Insert>[], workspace: Workspace): Promise<Results> => {
  const results: Results = new Map();
  const shape = (change: Insert): string =>
    shapeOf(insertAssignments(workspace.tables(change.table), change));
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
