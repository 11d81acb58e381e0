/** What a killed install of `unique` left, as a script takes it away. */
import {dollarQuoted, ident, literal} from '../../sql.js';
import {dropLeftTrigger, isOurTrigger, meanwhileName} from '../sql/meanwhile.js';
import {qualified} from '../sql/names.js';

type At = {schema: string; sql: string};

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The attributes `numbers` (an array) of `relation` are these columns, in whatever order. */
export const areColumns = (relation: string, numbers: string, columns: readonly string[]): string =>
  `(select pg_catalog.array_agg(a.attname::text order by a.attname::text collate "C") from pg_catalog.pg_attribute a
          where a.attrelid = ${relation} and a.attnum = any (${numbers})) = array[${columns.toSorted(byBytes).map(literal).join(', ')}]`;

/** `i` is unique on these columns and on nothing else, and no constraint's. */
const isFree = (columns: readonly string[]): string =>
  `i.indisunique and i.indpred is null and i.indexprs is null and i.indnkeyatts = ${columns.length} and i.indnatts = i.indnkeyatts
        and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid)
        and ${areColumns('i.indrelid', 'i.indkey::pg_catalog.int2[]', columns)}`;

const isNamed = (index: string, {schema, sql}: At): string =>
  `i.indexrelid = pg_catalog.to_regclass(${literal(qualified(schema, index))}) and i.indrelid = pg_catalog.to_regclass(${literal(sql)})`;

/**
 * Makes the index of an install that was cut off the constraint, in plpgsql: one whose build was not finished goes first.
 * It goes before what adds a constraint where there is none.
 */
export const takeUpIndex = (name: string, columns: readonly string[], at: At): string => {
  const own = `select from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
      where c.relkind = 'i' and ${isNamed(name, at)}
        and ${isFree(columns)}`;
  return `do ${dollarQuoted(` begin
  if exists (${own} and not i.indisvalid) then
    drop index ${qualified(at.schema, name)};
  end if;
  if exists (${own} and (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct') is distinct from 'true') then
    alter table ${at.sql} add constraint ${ident(name)} unique using index ${ident(name)};
  end if;
end `)}`;
};

/**
 * An index that is no constraint's yet is an install's only where its trigger is there, too: otherwise somebody else made
 * it. Those that a second row was found by, and the hash they are of, go by what the hash says: the table's number.
 */
export const dropLeftOver = (name: string, columns: readonly string[], at: At): string => {
  const table = `pg_catalog.to_regclass(${literal(at.sql)})`;
  const schema = `(select n.oid from pg_catalog.pg_namespace n where n.nspname = ${literal(at.schema)})`;
  return `do ${dollarQuoted(`declare
  own record;
  half record;
begin
  if exists (select from pg_catalog.pg_proc p where ${isOurTrigger(name, at)}) then
    for half in select i.indexrelid::pg_catalog.regclass as name from pg_catalog.pg_index i
      join pg_catalog.pg_class c on c.oid = i.indexrelid
      where (${isNamed(name, at)}
          or exists (select from pg_catalog.pg_inherits h where h.inhrelid = i.indrelid and h.inhparent = ${table}
            and pg_catalog.strpos(c.relname::pg_catalog.text, ${literal([...`${name}_`].slice(0, 20).join(''))}) = 1))
        and not exists (select from pg_catalog.pg_inherits h where h.inhrelid = i.indexrelid)
        and ${isFree(columns)}
    loop
      execute pg_catalog.format('drop index %s', half.name);
    end loop;
  end if;
${dropLeftTrigger(name, at)}
  for own in select p.oid, p.oid::pg_catalog.regprocedure as name from pg_catalog.pg_proc p
    where p.proname = ${literal(meanwhileName(name))} and p.pronamespace = ${schema} and p.prorettype = 'pg_catalog.int8'::pg_catalog.regtype
      and pg_catalog.strpos(p.prosrc, pg_catalog.format('%L::pg_catalog.int8', ${table}::pg_catalog.oid::pg_catalog.text)) > 0
  loop
    for half in select d.objid::pg_catalog.regclass as name from pg_catalog.pg_depend d
      join pg_catalog.pg_index i on i.indexrelid = d.objid
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        and d.refobjid = own.oid
    loop
      execute pg_catalog.format('drop index %s', half.name);
    end loop;
    execute pg_catalog.format('drop function %s', own.name);
  end loop;
end `)}`;
};
