/**
 * What else the database changes when rows of a table are deleted or updated: nothing of that is in a plan or a
 * backup, so it has to be known before, and again by the statement that writes (safety S15).
 */
import type {Table} from './catalogue.js';
import {literal} from './sql.js';

/** A table with its partitions and the tables that inherit from it: where its rows lie. */
const familyOf = (oid: string): string => `with recursive family(oid) as (
    select ${oid}::oid
    union select h.inhrelid from pg_catalog.pg_inherits h join family on h.inhparent = family.oid)`;

const nameOf = (relation: string, schema: string): string =>
  `case when pg_catalog.pg_table_is_visible(${relation}.oid) then ${relation}.relname else ${schema}.nspname || '.' || ${relation}.relname end`;

/**
 * `lost` are the tables whose rows go when a row of the table does: its family and, over as many steps as there
 * are, what refers to one of them with ON DELETE CASCADE. A constraint that a partition only has from its parent is
 * told of the parent.
 */
const references = (oid: string): string => `with recursive lost(oid) as (
      select ${oid}::oid
      union select step.oid from lost cross join lateral (
        select h.inhrelid from pg_catalog.pg_inherits h where h.inhparent = lost.oid
        union all select f.conrelid from pg_catalog.pg_constraint f
          where f.contype = 'f' and f.confrelid = lost.oid and f.confdeltype = 'c') step(oid))
    select ${nameOf('c', 'n')} as name
    from pg_catalog.pg_constraint f join lost on lost.oid = f.confrelid
    join pg_catalog.pg_class c on c.oid = f.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where f.contype = 'f' and f.confdeltype in ('c', 'n', 'd')
      and not exists (select from pg_catalog.pg_constraint p join lost l on l.oid = p.confrelid
        where p.oid = f.conparentid)`;

const ruleEvents = {update: '2', delete: '4'};

/** A rewrite rule does anything at all, in the place of the statement or besides it. */
const rules = (
  oid: string,
  event: 'update' | 'delete',
): string => `select ${nameOf('c', 'n')} || ' (rule ' || w.rulename || ')' as name
    from pg_catalog.pg_rewrite w
    join pg_catalog.pg_class c on c.oid = w.ev_class join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where w.ev_class = ${oid}::oid and w.ev_type = '${ruleEvents[event]}' and w.ev_enabled <> 'D'`;

const affected = (oid: string, event: 'update' | 'delete'): string =>
  event === 'delete' ? `${references(oid)} union ${rules(oid, event)}` : rules(oid, event);

/** Names of what a delete changes besides, one a row; `$1` is the table's oid. */
export const cascadesStatement = (table: Table) => ({
  text: `select name from (${affected('$1::text', 'delete')}) a order by 1`,
  values: [table.oid],
});

/**
 * The same names as one text, for the statement that writes: it reads the catalogue after it has locked the table,
 * and whoever adds a foreign key or a rule waits for that lock. NULL when there is nothing.
 */
export const affectedSql = (table: Table, event: 'update' | 'delete'): string =>
  `(select string_agg(name, ', ' order by name) from (${affected(literal(table.oid), event)}) a)`;

/**
 * What this transaction has deleted so far in each table, with whether the table's own rows lie there. Counted by
 * the server for its statistics, what was rolled back to a savepoint included, so only differences mean something.
 */
export const deletionsStatement = (table: Table) => ({
  text: `${familyOf('$1::text')}
    select s.relid::text, s.schemaname || '.' || s.relname, s.n_tup_del::text, (s.relid in (select oid from family))::text
    from pg_catalog.pg_stat_xact_user_tables s where s.n_tup_del > 0`,
  values: [table.oid],
});

/** SQL of a boolean: has the table `c` (or a part of it) a trigger of its owner's that fires for a delete? */
export const hasDeleteTrigger = (oid: string): string => `exists (${familyOf(oid)}
    select from pg_catalog.pg_trigger g join family on family.oid = g.tgrelid
    where not g.tgisinternal and g.tgenabled <> 'D' and g.tgtype & 8 <> 0)`;
