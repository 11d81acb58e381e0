/** Whether this user may put in and take away what guards are made of: all of it, or nothing is begun. */
import {SesstuiError} from '../../../source/errors.js';
import type {Run} from '../session.js';
import type {Place} from './rule.js';

const text = `select c.oid::regclass::text, pg_catalog.pg_get_userbyid(c.relowner), current_user,
    pg_catalog.pg_has_role(c.relowner, 'usage'), n.nspname
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where (c.oid = $1::oid or c.oid in (select t.relid from pg_catalog.pg_partition_tree($1::oid::regclass) t))
    and not (pg_catalog.pg_has_role(c.relowner, 'usage')
      and ($2::bool or pg_catalog.has_schema_privilege(n.oid, 'create')))
  order by c.oid = $1::oid desc, c.relname limit 1`;

/**
 * Throws `refused` for a user that does not own the table and its partitions, or may create nothing beside it. A right
 * to create triggers is not enough: who has no more than that could not take them away again.
 */
export const refuseOthers = async (
  {table}: Place,
  direction: 'install' | 'uninstall',
  run: Run,
): Promise<void> => {
  const [row] = await run({text, values: [table.oid, direction === 'uninstall']});
  if (!row) return;
  const [relation, owner, user, owns, schema] = row;
  if (owns === 't')
    throw new SesstuiError(
      'refused',
      `${user} may create nothing in the schema ${schema}, where the guards of ${relation} go.`,
      `Grant it CREATE on that schema, or use the role that has it.`,
    );
  throw new SesstuiError(
    'refused',
    `${relation} belongs to ${owner}, and ${user} is not a member of that role.`,
    'Guards are put in and taken away by the owner of the table.',
  );
};
