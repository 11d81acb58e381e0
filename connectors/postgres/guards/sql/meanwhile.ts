/** What the triggers that refuse a second row while a unique index is being built have in common. */
import type {Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {objectName} from './names.js';

/** Of what is there only during an install; sorts after `trigger_sort_…`, so that its trigger sees sorted arrays. */
export const meanwhileName = (index: string): string => objectName(index, '_meanwhile');

/**
 * A transaction that inserts more keys takes no more locks than a server has room for in each of its transactions, or
 * writers of many rows would find none left: the index refuses what that may let in.
 */
export const locksAtMost = "pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int4";

/** Below this many rows, looking through all of them is cheap enough for the time of an install. */
const fewRows = 10_000;

/** Whether a second row is found without an index for it. */
export const isSmall = async ({sql}: Table, run: Run): Promise<boolean> => {
  const text = `select count(*) from (select from ${sql} limit ${fewRows + 1}) t`;
  const [counted] = await run({text, values: []});
  return Number(counted![0]) <= fewRows;
};
