/** Which columns tell when a row was made and changed, by a check's `latestBy` (contract: `[updatedAt, createdAt]`). */
import {createdNames} from '../checks/duplicates-rules.js';
import type {DuplicatesConfig} from '../config/schema.js';
import type {TableShape} from '../connector.js';

export type Times = {created: string | null; updated: string | null};

/** createdAt beside updatedAt, and the other way round, in either spelling. */
const siblings: Record<string, string> = {
  updatedAt: 'createdAt',
  updated_at: 'created_at',
  createdAt: 'updatedAt',
  created_at: 'updated_at',
};

/** The column that goes with one of the usual names; null where there is none, or the table does not have it. */
export const siblingOf = (name: string | null, {columns}: Pick<TableShape, 'columns'>): string | null => {
  const sibling = name === null ? undefined : siblings[name];
  if (sibling === undefined) return null;
  return has({columns}, sibling) ? sibling : null;
};

const has = ({columns}: Pick<TableShape, 'columns'>, name: string): boolean =>
  !columns || columns.some(column => column.name === name);

/** Without `latestBy` the usual names, as far as the table has them. */
export const timesOf = (
  {latestBy = []}: Pick<DuplicatesConfig, 'latestBy'>,
  shape: Pick<TableShape, 'columns'>,
): Times => {
  const names =
    latestBy.length > 0
      ? latestBy
      : Object.keys(siblings)
          .filter(name => has(shape, name))
          .slice(0, 1);
  const created = names.find(name => createdNames.includes(name)) ?? null;
  const updated = names.find(name => !createdNames.includes(name)) ?? null;
  return {created: created ?? siblingOf(updated, shape), updated: updated ?? siblingOf(created, shape)};
};
