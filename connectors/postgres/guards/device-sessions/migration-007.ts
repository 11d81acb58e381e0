/**
 * What migration 007_multi_session_architecture has besides its guards: the columns that a table of device and
 * background sessions needs, and checks of what stands in them.
 */
import type {DeviceColumns, GuardDirection} from '../../../../source/guards.js';
import {ident, literal} from '../../sql.js';
import {doBlock, oidOf, type Spot} from './spot.js';

export const migrationName = '007_multi_session_architecture';

/** What it made is marked in the database, so that it takes back just that. */
const mark = literal(`added by ${migrationName}`);

const wanted = (columns: DeviceColumns): [name: string, type: string][] => [
  [columns.type, "text not null default 'device'"],
  [columns.protected, 'boolean not null default false'],
  [columns.fingerprint, 'text'],
  [columns.expiresAt, 'timestamptz'],
  [columns.updatedAt, 'timestamptz default now()'],
  [columns.createdAt, 'timestamptz default now()'],
];

const pairs = (rows: string[][]): string =>
  rows.map(row => `      (${row.map(literal).join(', ')})`).join(',\n');

/** A table without these can't be one of sessions, and what to add instead is not ours to guess. */
const required = ({id, email}: DeviceColumns, spot: Spot): string =>
  doBlock(`declare
  missing text;
begin
  if pg_catalog.to_regclass(${literal(spot.sql)}) is null then
    raise exception using errcode = 'undefined_table', message = ${literal(`there is no table ${spot.sql}`)};
  end if;
  select pg_catalog.string_agg(c.name, ', ') into missing
    from (values (${literal(id)}), (${literal(email)})) as c(name)
    where not exists (select from pg_catalog.pg_attribute a
      where a.attrelid = ${oidOf(spot)} and a.attname = c.name and not a.attisdropped);
  if missing is not null then
    raise exception using errcode = 'undefined_column',
      message = ${literal(`${spot.sql} has to have these columns before it can hold sessions: `)} || missing;
  end if;
end`);

const addColumns = (columns: DeviceColumns, spot: Spot): string =>
  doBlock(`declare
  wanted record;
begin
  for wanted in select * from (values
${pairs(wanted(columns))}) as c(name, type)
  loop
    if not exists (select from pg_catalog.pg_attribute a
        where a.attrelid = ${oidOf(spot)} and a.attname = wanted.name and not a.attisdropped) then
      execute pg_catalog.format('alter table %s add column if not exists %I %s', ${literal(spot.sql)}, wanted.name, wanted.type);
      execute pg_catalog.format('comment on column %s.%I is %L', ${literal(spot.sql)}, wanted.name, ${mark});
    end if;
  end loop;
end`);

/** NULL passes the first, as a type that is not known is nobody's fault; the second knows only true for protected. */
const checks = (columns: DeviceColumns, spot: Spot): [name: string, condition: string][] => {
  const type = `${ident(columns.type)}::text`;
  return [
    [spot.name('_known_type'), `${type} in ('device', 'background')`],
    [spot.name('_background_protected'), `${type} <> 'background' or ${ident(columns.protected)} is true`],
  ];
};

/** A background session is protected: what the check says from now on is first made true of those that are there. */
const protect = ({type, protected: flag}: DeviceColumns, {sql}: Spot): string =>
  `update ${sql} set ${ident(flag)} = true where ${ident(type)}::text = 'background' and ${ident(flag)} is not true`;

/**
 * A check that rows violate is left out: PostgreSQL would refuse every update of such a row, of any column, and so
 * keep its owner out.
 */
const addChecks = (columns: DeviceColumns, spot: Spot): string =>
  doBlock(`declare
  wanted record;
  broken bigint;
begin
  for wanted in select * from (values
${pairs(checks(columns, spot))}) as c(name, condition)
  loop
    continue when exists (select from pg_catalog.pg_constraint k
      where k.conrelid = ${oidOf(spot)} and k.conname = wanted.name);
    execute pg_catalog.format('select count(*) from %s where (%s) is false', ${literal(spot.sql)}, wanted.condition) into broken;
    if broken = 0 then
      execute pg_catalog.format('alter table %s add constraint %I check (%s)', ${literal(spot.sql)}, wanted.name, wanted.condition);
      execute pg_catalog.format('comment on constraint %I on %s is %L', wanted.name, ${literal(spot.sql)}, ${mark});
    else
      raise notice '% is left out: % rows are not so, and PostgreSQL would refuse each update of them. Mend them and run this again.', wanted.name, broken;
    end if;
  end loop;
end`);

const dropChecks = (columns: DeviceColumns, spot: Spot): string =>
  doBlock(`declare
  own record;
begin
  for own in select k.conname from pg_catalog.pg_constraint k
    where k.conrelid = pg_catalog.to_regclass(${literal(spot.sql)})
      and k.conname in (${checks(columns, spot)
        .map(([name]) => literal(name))
        .join(', ')})
      and pg_catalog.obj_description(k.oid, 'pg_constraint') = ${mark}
  loop
    execute pg_catalog.format('alter table %s drop constraint %I', ${literal(spot.sql)}, own.conname);
  end loop;
end`);

const dropColumns = (columns: DeviceColumns, spot: Spot): string =>
  doBlock(`declare
  own record;
begin
  for own in select a.attname from pg_catalog.pg_attribute a
    where a.attrelid = pg_catalog.to_regclass(${literal(spot.sql)}) and not a.attisdropped
      and a.attname in (${wanted(columns)
        .map(([name]) => literal(name))
        .join(', ')})
      and pg_catalog.col_description(a.attrelid, a.attnum) = ${mark}
  loop
    execute pg_catalog.format('alter table %s drop column %I', ${literal(spot.sql)}, own.attname);
  end loop;
end`);

/** The statements before the guards' own on the way up, and after them on the way down. */
export const besidesOf = (columns: DeviceColumns, spot: Spot, direction: GuardDirection): string[] =>
  direction === 'install'
    ? [
        '-- The columns that are missing, and checks of what is written into them.',
        required(columns, spot),
        addColumns(columns, spot),
        protect(columns, spot),
        addChecks(columns, spot),
      ]
    : [
        '-- Only what this migration added is dropped. What stands in such a column is lost with it.',
        dropChecks(columns, spot),
        dropColumns(columns, spot),
      ];
