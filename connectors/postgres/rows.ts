/** What is selected of a row, and how a row of the answer becomes a `Row`. */
import type {Identity, Row} from '../../source/connector.js';
import type {Value, ValueMap} from '../../source/values.js';
import {columnOf, type Table} from './catalogue.js';
import {decode} from './decode.js';
import {attribute} from './expressions.js';
import {identityColumns, identityKind, versionOf} from './identity.js';
import {ident} from './sql.js';
import type {Scope} from './typed.js';
import type {PgType} from './types.js';

export type Cells = (string | null)[];

/** Collects what a statement selects, and says at which place of the answer it will be. */
export class Selected {
  readonly items: string[] = [];
  add(sql: string): number {
    const found = this.items.indexOf(sql);
    return found >= 0 ? found : this.items.push(sql) - 1;
  }
}

export type RowPlan = {
  table: Table;
  identity: {name: string; at: number}[];
  values: {name: string; at: number; type: PgType}[];
  image: {name: string; at: number}[] | null;
  version: number;
};

/** Identity, the attributes to show (every column when full), and for full rows image and version. */
export const planRow = (
  table: Table,
  alias: string,
  show: string[],
  full: boolean,
  scope: Scope,
  selected: Selected,
): RowPlan => {
  const identity = identityColumns(table, alias).map(({name, sql}) => ({name, at: selected.add(sql)}));
  const names = [
    ...new Set([
      ...table.key.map(column => column.name),
      ...show,
      ...(full ? table.columns.map(column => column.name) : []),
    ]),
  ];
  const values = names.map(name => {
    const column = columnOf(table, name);
    if (column) return {name, at: selected.add(`${alias}.${ident(name)}`), type: column.type};
    const typed = attribute(name, table, alias, scope);
    return {name, at: selected.add(typed.raw ?? typed.sql), type: typed.type};
  });
  const kept = table.columns.filter(column => !column.generated);
  const image = full ? kept.map(({name}) => ({name, at: selected.add(`${alias}.${ident(name)}`)})) : null;
  return {table, identity, values, image, version: full ? selected.add(versionOf(alias)) : -1};
};

const assign = <V>(entries: [string, V][]): Record<string, V> =>
  Object.fromEntries(entries) as Record<string, V>;

/** A row of the answer; `offset` is where the plan's items begin in it. */
export const readRow = (plan: RowPlan, cells: Cells, offset: number, tags: string[]): Row => {
  const at = (place: number): string | null => cells[offset + place] ?? null;
  const identity: Identity = {
    by: identityKind(plan.table),
    at: assign(plan.identity.map(part => [part.name, at(part.at)])),
  };
  const values: ValueMap = assign(
    plan.values.map(({name, at: place, type}): [string, Value] => [
      name,
      valueAt(at(place), type, name, plan),
    ]),
  );
  const row: Row = {table: plan.table.name, identity, values, tags};
  if (!plan.image) return row;
  row.image = assign(plan.image.map(part => [part.name, at(part.at)]));
  row.version = at(plan.version)!;
  return row;
};

/** A path that is not there is missing, not null. */
const valueAt = (text: string | null, type: PgType, name: string, {table}: RowPlan): Value =>
  text === null && !columnOf(table, name) ? undefined : decode(text, type);

/** The neutral values of an image; text where the column is not known (any more). */
export const valuesOfImage = (image: unknown, table: Table | undefined): ValueMap => {
  const entries = Object.entries((image ?? {}) as Record<string, string | null>);
  return assign(
    entries.map(([name, text]): [string, Value] => {
      const column = table && columnOf(table, name);
      return [name, column ? decode(text, column.type) : text];
    }),
  );
};
