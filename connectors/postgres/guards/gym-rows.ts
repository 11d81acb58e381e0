/** Rows for the proofs of device sessions' guards, and how a proof comes about. */

import type {DeviceColumns} from '../../../source/guards.js';
import {columnOf} from '../catalogue.js';
import {isStatementError} from '../errors.js';
import {ident, literal} from '../sql.js';
import type {RuleProof, Scratch} from './rule.js';

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

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What `look` finds wrong (null: nothing) as a proof; what the server refuses of it is a proof that failed. */
export const proof = async (text: string, look: () => Promise<string | null>): Promise<RuleProof> => {
  const why = await look().catch((error: unknown) => {
    // Anything else is a lost connection or an abort, and says nothing of the guard.
    if (!isStatementError(error)) throw error;
    return words(error);
  });
  return {text, passed: why === null, why};
};

/** Passes when the work is refused with this SQLSTATE. */
export const refusing = (text: string, code: string, work: () => Promise<unknown>): Promise<RuleProof> =>
  proof(text, () =>
    work().then(
      () => 'it was not refused',
      (error: unknown) => {
        if ((error as {code?: string}).code === code) return null;
        throw error;
      },
    ),
  );

export const equals = (found: string, wanted: string): string | null =>
  found === wanted ? null : `${found || 'nothing'} instead of ${wanted || 'nothing'}`;
