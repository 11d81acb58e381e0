/** The rows that a put makes: the row itself, and those of other tables that are set along with it. */
import type {NewValue, Put, Row} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {isAbsent, type ValueMap} from '../../source/values.js';
import {assignedSql, assignmentsOf, setClause} from './assignments.js';
import {returning, type Workspace, zoneIn} from './batches.js';
import {refuseAffected} from './besides.js';
import {affectedSql} from './cascades.js';
import type {Table} from './catalogue.js';
import {readRow} from './rows.js';
import {Binder, ident} from './sql.js';
import type {Column} from './types.js';

export const asSet = (values: ValueMap): Record<string, NewValue> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, {value}]));

/** What each column is to be. `old` is what stands there before; generated columns are the server's to fill. */
const assigned = (
  table: Table,
  set: Record<string, NewValue>,
  old: (column: Column) => string,
  workspace: Workspace,
  binder: Binder,
) => {
  const assignments = assignmentsOf(table, set).filter(
    ({column}) => !column.generated && !column.identityAlways,
  );
  const bound = (index: number): string => binder.bind(assignments[index]!.text, 'text');
  return assignedSql(assignments, bound, old, zoneIn(workspace, binder), binder);
};

const none = ({type}: Column): string => `null::${type.cast}`;

/** `insert … ` of these columns only, so that the others get their defaults. */
const insertText = (
  table: Table,
  set: Record<string, NewValue>,
  workspace: Workspace,
  binder: Binder,
): string => {
  const row = assigned(table, set, none, workspace, binder);
  if (row.length === 0) return `insert into ${table.sql} as t default values`;
  return `insert into ${table.sql} as t (${row.map(({column}) => ident(column.name)).join(', ')})
    values (${row.map(({sql}) => sql).join(', ')})`;
};

/** The new row in full, as the server and its triggers left it. */
export const insertRow = async (
  create: Record<string, NewValue>,
  name: string,
  workspace: Workspace,
): Promise<Row> => {
  const table = workspace.tables(name);
  const binder = new Binder();
  const insert = insertText(table, create, workspace, binder);
  const {sql, plan} = returning(table, workspace, binder);
  const [cells] = await workspace.run(binder.statement(`${insert} returning ${sql}`));
  if (cells) return readRow(plan, cells, 0, []);
  throw new SesstuiError(
    'refused',
    `the row was not made: a trigger or a rule of ${name} kept it out`,
    'Look at the triggers of the table.',
  );
};

type Beside = NonNullable<Put['also']>[number];

const updateBeside = async ({key, set}: Beside, table: Table, workspace: Workspace): Promise<boolean> => {
  const binder = new Binder();
  // With nothing to set the row is only to be there.
  const wanted = Object.keys(set).length > 0 ? set : asSet(key);
  const row = assigned(table, wanted, ({name}) => `t.${ident(name)}`, workspace, binder);
  const at = assignmentsOf(table, asSet(key)).map(
    ({column, text}) => `t.${ident(column.name)} = ${binder.bind(text, 'text')}::${column.type.cast}`,
  );
  const text = `update ${table.sql} as t set ${setClause(row)} where ${at.join(' and ')}
    returning 1, ${affectedSql(table, 'update')}`;
  const answer = await workspace.run(binder.statement(text));
  await refuseAffected(table, 'updating', answer, workspace.run);
  return answer.length > 0;
};

/** How often a row may come and go between the two statements. */
const attempts = 3;

/** Sets a row by its key, and makes it where it is not there. */
export const setBeside = async (beside: Beside, workspace: Workspace): Promise<void> => {
  const {key, set} = beside;
  const table = workspace.tables(beside.table);
  if (Object.keys(key).length === 0 || Object.values(key).some(isAbsent))
    throw new SesstuiError('usage', `a row of ${beside.table} to be set along has no key`);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (await updateBeside(beside, table, workspace)) return;
    const binder = new Binder();
    const insert = insertText(table, {...set, ...asSet(key)}, workspace, binder);
    const made = await workspace.run(binder.statement(`${insert} on conflict do nothing returning 1`));
    if (made.length > 0) return;
  }
  throw new SesstuiError(
    'refused',
    `a row of ${beside.table} could be neither changed nor made: another row has a value of it`,
    'Look at the unique constraints and the triggers of the table.',
  );
};
