/** The columns of a device-sessions check, as an application names and reads them. */
import {nearest, orList} from '../config/nearest.js';
import type {DeviceSessionsConfig} from '../config/schema.js';
import type {NewValue, Row, StoreKind, TableShape} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {normalise} from '../evaluate.js';
import {isText} from './arguments.js';
import {rowOf, valueOfGiven} from './native.js';

type Config = DeviceSessionsConfig;
type Known = keyof Config['columns'];

/**
 * A row of the sessions' table by its columns' own names; and, where the table names them otherwise, by the names
 * that the configuration has for them (`expiresAt`, …). Moments are Dates.
 */
export type GymSession = {
  id: unknown;
  email: string | null;
  type: string | null;
  protected: boolean | null;
  fingerprint: string | null;
  expiresAt: Date | null;
  updatedAt: Date | null;
  createdAt: Date | null;
} & Record<string, unknown>;

/** Columns by their own names or by those of the configuration; `undefined` is left out. */
export type GymColumns = {expiresAt?: Date | string | null} & Record<string, unknown>;

export const sessionOf = ({columns}: Config, row: Row): GymSession => {
  const values = rowOf(row.values);
  const known = Object.entries(columns).map(([name, column]) => [name, values[column] ?? null]);
  return {...Object.fromEntries(known), ...values} as GymSession;
};

/** Trimmed and lower-cased, as checks compare it; throws `usage` for what is no text or has nothing in it. */
export const emailFrom = (given: unknown): string => {
  if (isText(given) && normalise(given) !== '') return normalise(given);
  throw new SesstuiError('usage', 'there is no email', 'Give the email as a text that is not empty.');
};

const noColumn = (name: string, config: Config, names: string[]): SesstuiError => {
  const near = nearest(name, names);
  return new SesstuiError(
    'usage',
    `${config.table} has no column "${name}"${near ? `; the nearest is "${near}"` : ''}`,
    `It has: ${names.join(', ')}.`,
  );
};

/**
 * The new values of what an application gave. Throws `usage` for a column that the table does not have, and for
 * those in `own`, which are not the caller's to set.
 */
export const newValues = (
  given: Record<string, unknown>,
  {config, shape, kind}: {config: Config; shape: TableShape; kind: StoreKind},
  own: Known[],
): Record<string, NewValue> => {
  const names = shape.columns?.map(({name}) => name);
  const ours = own.map(name => config.columns[name]);
  const set = new Map<string, NewValue>();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const isWord = Object.hasOwn(config.columns, name) && !names?.includes(name);
    const column = isWord ? config.columns[name as Known] : name;
    if (names && !names.includes(column.split('.')[0]!)) throw noColumn(name, config, names);
    if (ours.includes(column))
      throw new SesstuiError(
        'usage',
        `"${name}" is not the caller's to set`,
        `${orList(ours)} follow from what is done.`,
      );
    if (set.has(column)) throw new SesstuiError('usage', `"${column}" was given twice, as "${name}" too`);
    set.set(column, {value: valueOfGiven(value, kind, name)});
  }
  return Object.fromEntries(set);
};
