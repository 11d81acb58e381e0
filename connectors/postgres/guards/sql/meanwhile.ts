/** What the triggers that refuse a second row while a unique index is being built have in common. */
import type {Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {dollarQuoted, ident, literal} from '../../sql.js';
import {objectName, qualified} from './names.js';

/** Of what is there only during an install; sorts after `trigger_sort_…`, so that its trigger sees sorted arrays. */
export const meanwhileName = (index: string): string => objectName(index, '_meanwhile');

/**
 * A transaction that inserts more keys takes no more locks than a server has room for in each of its transactions, or
 * writers of many rows would find none left: the index refuses what that may let in.
 */
const locksAtMost = "pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int4";

/** Counts a transaction's locks, and tells the trigger's function from anybody else's. */
const heldSetting = 'sesstui.held';

/** The declaration of what `refuseSecond` counts with. */
export const heldDeclared = `held pg_catalog.int4 := coalesce(nullif(pg_catalog.current_setting('${heldSetting}', true), ''), '0');`;

/**
 * The end of the trigger's function: holds the lock of `key`, and refuses the row where another one `t` is `equal`, as
 * the index of that name will. Locked first, then read: a new statement sees what the one before in line committed.
 */
export const refuseSecond = (
  index: string,
  table: Pick<Table, 'schema' | 'sql' | 'relation'>,
  {key, equal}: {key: string; equal: string},
): string => `  if held < ${locksAtMost} then
    perform pg_catalog.pg_advisory_xact_lock(${key});
    perform pg_catalog.set_config('${heldSetting}', (held + 1)::pg_catalog.text, true);
  end if;
  if exists (select from ${table.sql} t where ${equal}) then
    raise exception using errcode = 'unique_violation', constraint = ${literal(index)},
      table = ${literal(table.relation)}, schema = ${literal(table.schema)},
      message = ${literal(`duplicate key value violates unique constraint "${index}"`)};
  end if;
  return new;
end `;

/** SECURITY DEFINER, because a writer may have no right to read the table, and is not to be refused for that. */
export const createTrigger = (
  index: string,
  table: Pick<Table, 'schema' | 'sql'>,
  body: string,
): string[] => {
  const meanwhile = meanwhileName(index);
  const trigger = `${qualified(table.schema, meanwhile)}()`;
  return [
    `create or replace function ${trigger} returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as ${dollarQuoted(body)}`,
    `drop trigger if exists ${ident(meanwhile)} on ${table.sql}`,
    `create trigger ${ident(meanwhile)} before insert or update on ${table.sql} for each row execute function ${trigger}`,
  ];
};

type At = Pick<Table, 'schema' | 'sql'>;

/** The trigger's function `p`, if it is ours by what it says; what else has the name is somebody else's. */
export const isOurTrigger = (index: string, {schema}: At): string =>
  `p.oid = pg_catalog.to_regprocedure(${literal(`${qualified(schema, meanwhileName(index))}()`)}) and pg_catalog.strpos(p.prosrc, ${literal(heldSetting)}) > 0`;

/** Of a script, in plpgsql: takes away the trigger that an install that was killed left, and its function. */
export const dropLeftTrigger = (index: string, table: At): string => {
  const meanwhile = meanwhileName(index);
  const ours = isOurTrigger(index, table);
  return `  if exists (select from pg_catalog.pg_trigger g join pg_catalog.pg_proc p on p.oid = g.tgfoid
      where g.tgrelid = pg_catalog.to_regclass(${literal(table.sql)}) and g.tgname = ${literal(meanwhile)} and ${ours}) then
    drop trigger ${ident(meanwhile)} on ${table.sql};
  end if;
  if exists (select from pg_catalog.pg_proc p where ${ours}
      and not exists (select from pg_catalog.pg_trigger g where g.tgfoid = p.oid)) then
    drop function ${qualified(table.schema, meanwhile)}();
  end if;`;
};

/** Below this many rows, looking through all of them is cheap enough for the time of an install. */
const fewRows = 10_000;

/** Whether a second row is found without an index for it. */
export const isSmall = async ({sql}: Table, run: Run): Promise<boolean> => {
  const text = `select count(*) from (select from ${sql} limit ${fewRows + 1}) t`;
  const [counted] = await run({text, values: []});
  return Number(counted![0]) <= fewRows;
};
