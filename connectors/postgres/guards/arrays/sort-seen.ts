/** What there is of a column's sort function and trigger. */

import type {Table} from '../../catalogue.js';
import type {Run} from '../../session.js';
import {literal} from '../../sql.js';
import {isSwitchedOn} from '../sql/trigger-switch.js';
import {compareSorter, compareTriggerFunction, sortsByBytes} from './sort-same.js';
import {mentions, type SortedColumn, sorterOf, triggerOf} from './sort-sql.js';

type FunctionRow = {
  definition: string;
  source: string;
  language: string;
  /** Who else uses it, but for triggers on this table by the name of ours. `own`: a function of our trigger's name. */
  users: {label: string; name: string}[];
  argument: string | null;
  result: string;
};
type TriggerRow = {
  definition: string;
  enabled: string;
  type: number;
  calls: boolean;
  narrow: boolean;
  conditional: boolean;
};
type Row = {
  sorter: FunctionRow | null;
  function: FunctionRow | null;
  trigger: TriggerRow | null;
  result: string;
  /** The database compares texts by their bytes. */
  bytewise: boolean;
  /** A unique index keeps arrays apart in the order that they have now. */
  kept: boolean;
};

export type SeenFunction = FunctionRow & {is: 'exact' | 'same' | 'other'};
export type SeenSort = {
  at: SortedColumn;
  sorter: SeenFunction | null;
  /** Rows that are there are put in the order of bytes: beside another order, the same set would be stored twice. */
  disagrees: boolean;
  function: SeenFunction | null;
  trigger: (TriggerRow & {why: string | null}) | null;
};

const procedure = (signature: string): string => `pg_catalog.to_regprocedure(${literal(signature)})::oid`;

const functionJson = (signature: string, schema: string, name: string, trigger: string, table: string) => `(
  select json_build_object('definition', pg_catalog.pg_get_functiondef(p.oid), 'source', p.prosrc, 'language', l.lanname,
    'argument', p.proargnames[1], 'result', pg_catalog.format_type(p.prorettype, null),
    'users', (select coalesce(json_agg(json_build_object('label', u.label, 'name', u.name) order by u.label), '[]') from (
      select g.tgrelid::regclass::text as label, '' as name from pg_catalog.pg_trigger g
        where g.tgfoid = p.oid and g.tgparentid = 0 and not (g.tgrelid = ${table} and g.tgname = ${literal(trigger)})
      union select q.oid::regprocedure::text, q.proname from pg_catalog.pg_proc q
        where q.oid <> p.oid and ${mentions(schema, name)}
      union select pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), '' from pg_catalog.pg_depend d
        where d.refclassid = 'pg_catalog.pg_proc'::regclass and d.refobjid = p.oid and d.deptype in ('n', 'a')
          and d.classid <> 'pg_catalog.pg_trigger'::regclass) u))
  from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang where p.oid = ${procedure(signature)})`;

const statement = (at: SortedColumn, oid: string): string => {
  const table = `${literal(oid)}::oid`;
  const sorter = sorterOf(at);
  const trigger = triggerOf(at);
  return `select json_build_object(
    'sorter', ${functionJson(sorter.signature, at.schema, sorter.name, trigger.name, table)},
    'function', ${functionJson(trigger.signature, at.schema, trigger.functionName, trigger.name, table)},
    'result', pg_catalog.format_type(pg_catalog.to_regtype(${literal(`${at.element.cast}[]`)}), null),
    'bytewise', (select coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') in ('b', 'c')
        and (to_jsonb(d) ->> 'datlocprovider' = 'b' or d.datcollate ~* '^(C|POSIX)(\\.|$)')
      from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()),
    'kept', exists (select from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid
      and a.attnum = any (i.indkey::int2[]) where i.indrelid = ${table} and i.indisunique and i.indisvalid
        and i.indpred is null and a.attname = ${literal(at.column)}),
    'trigger', (select json_build_object('definition', pg_catalog.pg_get_triggerdef(g.oid), 'enabled', g.tgenabled,
        'type', g.tgtype, 'calls', g.tgfoid = ${procedure(trigger.signature)},
        'narrow', pg_catalog.cardinality(g.tgattr::int2[]) > 0 and not exists (select from pg_catalog.pg_attribute a
          where a.attrelid = g.tgrelid and a.attnum = any (g.tgattr) and a.attname = ${literal(at.column)}),
        'conditional', g.tgqual is not null)
      from pg_catalog.pg_trigger g where g.tgrelid = ${table} and not g.tgisinternal and g.tgname = ${literal(trigger.name)}))::text`;
};

/** pg_trigger.tgtype: for each row, before, on insert, on update. */
const wanted = 1 | 2 | 4 | 16;

const triggerFault = (trigger: TriggerRow, name: string): string | null => {
  if (!trigger.calls) return `${name} calls another function`;
  if (!isSwitchedOn(trigger.enabled)) return `${name} is disabled`;
  if ((trigger.type & wanted) !== wanted || trigger.narrow)
    return `${name} does not fire before every insert and update`;
  return trigger.conditional ? `${name} fires under a condition only` : null;
};

/** What is there now, compared with what ours would be. */
export const lookAtSort = async (at: SortedColumn, table: Table, run: Run): Promise<SeenSort> => {
  const [row] = await run({text: statement(at, table.oid), values: []});
  const seen = JSON.parse(row![0]!) as Row;
  const {sorter, trigger} = seen;
  // Another result is assigned to the column all the same, but can't be replaced by ours.
  const is = (found: FunctionRow) =>
    found.result === seen.result ? compareSorter(found.source, found.argument, at) : 'other';
  return {
    at,
    sorter: sorter && {...sorter, is: is(sorter)},
    disagrees: sorter !== null && !seen.bytewise && !seen.kept && !sortsByBytes(sorter.source, at),
    function: seen.function && {...seen.function, is: compareTriggerFunction(seen.function.source, at)},
    trigger: trigger && {...trigger, why: triggerFault(trigger, triggerOf(at).name)},
  };
};

export const isGood = (found: SeenFunction | null): boolean => found !== null && found.is !== 'other';

/** What differs from ours, [] when nothing does. */
export const differences = ({at, sorter, disagrees, function: calls, trigger}: SeenSort): string[] => {
  const {name, functionName} = triggerOf(at);
  return [
    ...(sorter?.is === 'other' ? [`${sorterOf(at).name} is another function`] : []),
    ...(sorter?.is === 'same' && disagrees
      ? [`${sorterOf(at).name} sorts in the order of the database's language, and not by bytes`]
      : []),
    ...(calls?.is === 'other' ? [`${functionName} is another function`] : []),
    ...(trigger?.why ? [trigger.why] : []),
    ...(trigger && !sorter ? [`there is no ${sorterOf(at).name}`] : []),
    ...(!trigger && calls && calls.users.length === 0 ? [`there is no ${name}`] : []),
  ];
};
