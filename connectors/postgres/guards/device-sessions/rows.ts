/** Rows for the proofs of device sessions' guards. */
import type {DeviceColumns} from '../../../../source/guards.js';
import {columnOf} from '../../catalogue.js';
import {ident, literal} from '../../sql.js';
import type {Scratch} from '../rule.js';

export type SampleRow = {
  /** Makes its id: 1 is the first row's. */
  number: number;
  email: string;
  type: string | null;
  protected: boolean | null;
  /** Relative to now, as an interval; none without it. */
  expires?: string;
};

/** An id that the column's type can have. */
export const idOf = (number: number, columns: DeviceColumns, {place}: Scratch): string => {
  const type = columnOf(place.table, columns.id)?.type;
  if (type?.base === 'uuid') return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return type && ['int', 'numeric', 'float'].includes(type.family) ? String(number) : `sesstui-${number}`;
};

/** `insert …` of these rows, in the columns that the scratch copy has. */
export const inserting = (rows: SampleRow[], columns: DeviceColumns, scratch: Scratch): string => {
  const value = (text: string | null): string => (text === null ? 'null' : literal(text));
  const values = (row: SampleRow): [string, string][] => [
    [columns.id, literal(idOf(row.number, columns, scratch))],
    [columns.email, literal(row.email)],
    [columns.type, value(row.type)],
    [columns.protected, String(row.protected)],
    [columns.fingerprint, literal(`sesstui-${row.number}`)],
    [columns.expiresAt, row.expires === undefined ? 'null' : `now() + interval ${literal(row.expires)}`],
  ];
  const isThere = ([name]: [string, string]): boolean => columnOf(scratch.place.table, name) !== undefined;
  const names = values(rows[0]!)
    .filter(isThere)
    .map(([name]) => ident(name));
  const lines = rows.map(
    row =>
      `(${values(row)
        .filter(isThere)
        .map(([, sql]) => sql)
        .join(', ')})`,
  );
  return `insert into ${scratch.sql} (${names.join(', ')}) overriding system value values ${lines.join(', ')}`;
};
