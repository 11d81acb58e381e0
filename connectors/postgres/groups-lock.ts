/**
 * Locking the groups that units are about. Rows are locked in the order of their key, so that two operators wait
 * for each other instead of deadlocking; and read again by a new statement, because locking waits for other writers
 * and only a new statement sees all that they left.
 */
import {markOf, type Row, type Unit} from '../../source/connector.js';
import {exprValue, holds} from '../../source/evaluate.js';
import type {InItem, Pred} from '../../source/forms.js';
import {toText, type Value} from '../../source/values.js';
import type {Workspace} from './batches.js';
import type {Table} from './catalogue.js';
import {predicate} from './predicates.js';
import {planRow, readRow, Selected} from './rows.js';
import {Binder, ident} from './sql.js';

const inOrder = (table: Table): string =>
  table.key.length > 0 ? table.key.map(column => `t.${ident(column.name)}`).join(', ') : 't.tableoid, t.ctid';

/** The rows that satisfy a condition, locked; two statements. */
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

type In = Extract<Pred, {in: unknown}>;

/** A condition as its parts: those with one item each, by which groups differ, and the others. */
const partsOf = (where: Pred): Pred[] => ('all' in where ? where.all : [where]);
const isOneItem = (part: Pred): part is In => 'in' in part && part.in.length === 1;
const shapeOf = (table: string, where: Pred): string =>
  JSON.stringify([table, ...partsOf(where).map(part => (isOneItem(part) ? {of: part.of} : part))]);

/** A condition that holds for the rows of any of these, which have one shape: each part with the items of all. */
const union = (wheres: Pred[]): Pred => {
  const [first, ...rest] = wheres.map(partsOf) as [Pred[], ...Pred[][]];
  const all = first.map((part, index): Pred => {
    if (!isOneItem(part)) return part;
    const items = [part, ...rest.map(parts => parts[index] as In)].map(({in: [item]}) => item!);
    return {of: part.of, in: [...new Map(items.map(item => [JSON.stringify(item), item])).values()]};
  });
  return {all};
};

const itemText = (item: InItem | Value, sorted: boolean): string => {
  if (!Array.isArray(item)) return toText(item as Value);
  const texts = item.map(part => toText(part as Value));
  return JSON.stringify(sorted ? texts.sort() : texts);
};

/** Equal for a group's condition and for the rows of the group. */
const keyOf = (where: Pred, row: Row | null): string =>
  JSON.stringify(
    partsOf(where)
      .filter(isOneItem)
      .map(({in: [item], of}) => itemText(row ? exprValue(of, row.values) : item!, 'set' in of)),
  );

export type Locked = {
  /** The rows of a unit's group as they are; undefined when they have to be read (again). */
  rowsOf: (unit: Unit) => Row[] | undefined;
  /** What a unit may have changed is no longer as it was read. */
  touch: (unit: Unit) => void;
};

const env = {
  now: 0,
  hasPartner: () => {
    throw new Error('a partner is asked of the server');
  },
};

/** Only what the evaluator can tell from the row alone can be taken apart here. */
const isOfRow = (where: Pred): boolean =>
  partsOf(where).every(part => 'in' in part || 'is' in part || 'same' in part);

/**
 * The groups of many units, locked and read with two statements instead of two each: where no index serves, each
 * is a scan of the table. null when the groups are not of one shape.
 */
export const lockTogether = async (units: Unit[], workspace: Workspace): Promise<Locked | null> => {
  const groups = units.flatMap(({group}) => (group ? [group] : []));
  const [first] = groups;
  if (!first || groups.length < 2) return null;
  const shape = shapeOf(first.table, first.where);
  if (!isOfRow(first.where) || groups.some(({table, where}) => shapeOf(table, where) !== shape)) return null;
  const rows = await lockGroup(first.table, union(groups.map(({where}) => where)), workspace);
  const byKey = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(first.where, row);
    byKey.set(key, [...(byKey.get(key) ?? []), row]);
  }
  const touched = new Set<string>();
  const rowsOf = (unit: Unit): Row[] | undefined => {
    const {where} = unit.group!;
    const found = (byKey.get(keyOf(where, null)) ?? []).filter(row => holds(where, row.values, env));
    return found.some(row => touched.has(markOf(row.table, row.identity))) ? undefined : found;
  };
  const touch = ({changes}: Unit): void => {
    for (const change of changes) touched.add(markOf(change.table, change.identity));
  };
  return {rowsOf, touch};
};
