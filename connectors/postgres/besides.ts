/** Refuses what a statement would change besides the rows that were planned: they are in no backup (safety S15). */
import {SesstuiError} from '../../source/errors.js';
import {affectedSql, deletionsStatement} from './cascades.js';
import type {Table} from './catalogue.js';
import type {Cells} from './rows.js';
import type {Run} from './session.js';

const hint =
  'Those rows would be changed without a backup. Change the foreign key to NO ACTION, drop the rule or the trigger, or choose an action that deletes nothing.';

type Doing = 'deleting' | 'updating';

/** Throws `cascade`, which takes the unit back to its savepoint. */
const refuse = (table: Table, doing: Doing, names: string | null | undefined): void => {
  if (names)
    throw new SesstuiError(
      'cascade',
      `${doing} rows of ${table.name} would change rows of ${names}; nothing of it was kept`,
      hint,
    );
};

/**
 * Throws `cascade` for what a write that was just made changes besides; its answer has `affectedSql` second. A rule
 * may have answered for it with no row at all, so that an empty answer is asked about.
 */
export const refuseAffected = async (
  table: Table,
  doing: Doing,
  answer: Cells[],
  run: Run,
): Promise<void> => {
  const sql = affectedSql(table, doing === 'deleting' ? 'delete' : 'update');
  const [first] = answer.length > 0 ? [[answer[0]![1]]] : await run({text: `select ${sql}`, values: []});
  refuse(table, doing, first![0]);
};

type Deletions = {others: Map<string, {name: string; count: number}>; own: number};

const deletions = async (table: Table, run: Run): Promise<Deletions> => {
  const found: Deletions = {others: new Map(), own: 0};
  for (const [oid, name, count, isOwn] of await run(deletionsStatement(table))) {
    if (isOwn === 'true') found.own += Number(count);
    else found.others.set(oid!, {name: name!, count: Number(count)});
  }
  return found;
};

/**
 * Runs a delete and throws `cascade` when a trigger of the table has deleted other rows than the statement answers.
 * The server counts them (track_counts, on unless its administrator switched it off); what a trigger inserts or
 * updates elsewhere, as one that audits does, is not counted.
 */
export const counting = async (table: Table, run: Run, remove: () => Promise<Cells[]>): Promise<Cells[]> => {
  if (!table.deleteTrigger) return remove();
  const before = await deletions(table, run);
  const answer = await remove();
  const after = await deletions(table, run);
  const names = [...after.others]
    .filter(([oid, {count}]) => count > (before.others.get(oid)?.count ?? 0))
    .map(([, {name}]) => name);
  if (after.own - before.own > answer.length) names.push(`${table.name} that were not to be deleted`);
  refuse(table, 'deleting', names.length > 0 ? `${names.join(', ')} (by a trigger)` : null);
  return answer;
};
