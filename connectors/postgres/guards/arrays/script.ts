/** `sorted` and `unique` as a migration. */
import type {GuardDirection, GuardRule} from '../../../../source/guards.js';
import {columnOf} from '../../catalogue.js';
import {dollarQuoted, ident, literal} from '../../sql.js';
import type {RuleOf, ScriptPlace} from '../rule.js';
import {oneLine} from '../sql/script-comment.js';
import {areColumns, dropLeftOver, takeUpIndex} from './left-over.js';
import {constraintName} from './names.js';
import * as sql from './sort-sql.js';

/** A table that nobody looked at is taken to be in `public`, unless its name says otherwise. */
const whereOf = ({name, table}: ScriptPlace): {schema: string; sql: string} => {
  if (table) return {schema: table.schema, sql: table.sql};
  const dot = name.indexOf('.');
  const schema = dot < 0 ? 'public' : name.slice(0, dot);
  return {schema, sql: `${ident(schema)}.${ident(name.slice(dot + 1))}`};
};

const columnAt = (place: ScriptPlace, column: string): sql.SortedColumn => {
  if (place.table && columnOf(place.table, column)?.type.element)
    return sql.sortedColumn(place.table, column);
  const {schema, sql: table} = whereOf(place);
  return {schema, table, column, element: {cast: 'varchar', base: 'varchar', natural: false}};
};

const setOf = (at: sql.SortedColumn): string => `${sql.sorterOf(at).sql}(${ident(at.column)})`;

const sortExisting = (columns: sql.SortedColumn[]): string => {
  const [{table}] = columns as [sql.SortedColumn];
  const set = columns.map(at => `${ident(at.column)} = ${setOf(at)}`);
  const unsorted = columns.map(at => `${ident(at.column)} is distinct from ${setOf(at)}`);
  return `update ${table} set ${set.join(', ')}\n  where ${unsorted.join('\n    or ')}`;
};

const procedure = (signature: string): string =>
  `pg_catalog.to_regprocedure(${literal(signature)})::pg_catalog.oid`;

/** A function of ours, by its words: another one of the name is somebody else's. */
const isOurs = (signature: string, body: string): string =>
  `select from pg_catalog.pg_proc p where p.oid = ${procedure(signature)} and pg_catalog.btrim(p.prosrc) = ${literal(body)}`;

/** A function goes only when it is ours and nothing else uses it: its callers are known by their source. */
const dropUnused = (signature: string, body: string, users: string[]): string =>
  `do ${dollarQuoted(` begin
  if exists (${isOurs(signature, body)})
    and not exists (${users.join(')\n    and not exists (')}) then
    drop function ${signature};
  end if;
end `)}`;

/** Nothing is put in the place of a function that does something else for somebody else. */
const refuseStrangers = (signature: string, body: string, users: string[]): string =>
  `do ${dollarQuoted(` begin
  if pg_catalog.to_regprocedure(${literal(signature)}) is not null and not exists (${isOurs(signature, body)})
    and (exists (${users.join(')\n    or exists (')})) then
    raise exception '% is another function, which something else uses: rename that one first', ${literal(signature)};
  end if;
end `)}`;

/** Triggers but for the column's own. */
const triggerUsers = (at: sql.SortedColumn): string => {
  const {name, signature} = sql.triggerOf(at);
  return `select from pg_catalog.pg_trigger g where g.tgfoid = ${procedure(signature)} and g.tgparentid = 0
      and not (g.tgrelid = pg_catalog.to_regclass(${literal(at.table)}) and g.tgname = ${literal(name)})`;
};

/** Functions that call it (`besides` those), and what the server knows to depend on it: indexes, columns, views. */
const sorterUsers = (at: sql.SortedColumn, besides: sql.SortedColumn[]): string[] => {
  const {name, signature} = sql.sorterOf(at);
  const own = besides.map(
    column =>
      ` and (q.oid is distinct from ${procedure(sql.triggerOf(column).signature)} or exists (${triggerUsers(column)}))`,
  );
  return [
    `select from pg_catalog.pg_proc q where q.oid <> ${procedure(signature)}
      and ${sql.mentions(at.schema, name)}${own.join('')}`,
    `select from pg_catalog.pg_depend d where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      and d.refobjid = ${procedure(signature)} and d.deptype in ('n', 'a')`,
  ];
};

const sortedUp = (columns: sql.SortedColumn[]): string[] => [
  ...new Set(
    columns.flatMap(at => [
      refuseStrangers(sql.sorterOf(at).signature, sql.sorterBody(at), sorterUsers(at, columns)),
      ...sql.createSorter(at),
    ]),
  ),
  ...columns.flatMap(at => [
    refuseStrangers(sql.triggerOf(at).signature, sql.triggerBody(at), [triggerUsers(at)]),
    ...sql.createTriggerFunction(at),
    sql.dropTrigger(at),
    sql.createTrigger(at),
  ]),
];

const sortedDown = (columns: sql.SortedColumn[]): string[] => [
  ...columns.map(sql.dropTrigger),
  ...columns.map(at => dropUnused(sql.triggerOf(at).signature, sql.triggerBody(at), [triggerUsers(at)])),
  ...new Set(
    columns.map(at => dropUnused(sql.sorterOf(at).signature, sql.sorterBody(at), sorterUsers(at, []))),
  ),
];

/** `together`: all rules of the script. A `unique` among them sorts what is there, after it has left only the first. */
export const sortedScript = (
  rule: RuleOf<'sorted'>,
  place: ScriptPlace,
  direction: GuardDirection,
  together: GuardRule[] = [],
): string[] => {
  const columns = rule.columns.map(column => columnAt(place, column));
  if (direction === 'uninstall') return sortedDown(columns);
  const isUnique = together.some(other => other.rule === 'unique' && other.table === rule.table);
  return [...sortedUp(columns), ...(isUnique ? [] : [sortExisting(columns)])];
};

const firstRow = ({table}: ScriptPlace): string =>
  table && table.key.length > 0 ? table.key.map(({name}) => ident(name)).join(', ') : 'tableoid, ctid';

const dedupe = (rule: RuleOf<'unique'>, place: ScriptPlace, sets: sql.SortedColumn[]): string[] => {
  const {sql: table} = whereOf(place);
  const key = rule.columns.map(name => {
    const set = sets.find(({column}) => column === name);
    return set ? setOf(set) : ident(name);
  });
  const present = rule.columns.map(name => `${ident(name)} is not null`).join(' and ');
  const later = `select tableoid, ctid from (
    select tableoid, ctid, row_number() over (partition by ${key.join(', ')} order by ${firstRow(place)}) as place
    from ${table} where ${present}) ranked
  where place > 1`;
  const cascades = `select from pg_catalog.pg_constraint
    where contype = 'f' and confrelid = ${literal(table)}::regclass and confdeltype in ('c', 'n', 'd')`;
  return [
    `do ${dollarQuoted(` begin
  if exists (${cascades}) and exists (${later}) then
    raise exception 'rows of other tables would vanish or change with the duplicates of ${table.replaceAll("'", "''").replaceAll('%', '%%')}';
  end if;
end `)}`,
    `delete from ${table} where (tableoid, ctid) in (\n  ${later})`,
  ];
};

export const uniqueScript = (
  rule: RuleOf<'unique'>,
  place: ScriptPlace,
  direction: GuardDirection,
): string[] => {
  const at = whereOf(place);
  const table = at.sql;
  const name = constraintName(rule.columns);
  const leftOver = dropLeftOver(name, rule.columns, at);
  if (direction === 'uninstall')
    return [`alter table if exists ${table} drop constraint if exists ${ident(name)}`, leftOver];
  const sets = rule.unordered.map(column => columnAt(place, column));
  const first = firstRow(place);
  return [
    oneLine(
      `-- Of rows with the same ${rule.columns.join(', ')}, the first (by ${first}) stays and the others are DELETED,`,
    ),
    '-- whatever else they hold: see with `sesstui check` first how many there are and whether their payload differs.',
    `lock table ${table} in share row exclusive mode`,
    ...dedupe(rule, place, sets),
    ...(sets.length > 0 ? [sortExisting(sets)] : []),
    takeUpIndex(name, rule.columns, at),
    `do ${dollarQuoted(` begin
  if not exists (select from pg_catalog.pg_constraint
      where conrelid = ${literal(table)}::regclass and conname = ${literal(name)}) then
    alter table ${table} add constraint ${ident(name)} unique (${rule.columns.map(ident).join(', ')});
  elsif not exists (select from pg_catalog.pg_constraint k
      where k.conrelid = ${literal(table)}::regclass and k.conname = ${literal(name)} and k.contype = 'u' and not k.condeferrable
        and ${areColumns('k.conrelid', 'k.conkey', rule.columns)}) then
    raise exception '% is another constraint: drop or rename it first', ${literal(name)};
  end if;
end `)}`,
    leftOver,
  ];
};

/** The registry's own, by the columns that it is for. */
export const uniqueMigration = ({columns}: RuleOf<'unique'>): string | null =>
  constraintName(columns) === 'unique_device_stream_session_ids'
    ? '000009_add_unique_session_keys_constraint'
    : null;
