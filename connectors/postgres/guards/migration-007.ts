/**
 * What migration 007_multi_session_architecture has besides its guards: the columns that a table of device and
 * background sessions needs, and checks of what stands in them.
 */
import type {DeviceColumns, GuardDirection} from '../../../source/guards.js';
import {ident, literal} from '../sql.js';
import {doBlock, oidOf, type Spot} from './gym-spot.js';

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
      -- Background sessions that were there before the column are protected: the check below refuses each update of others.
      if wanted.name = ${literal(columns.protected)} then
        execute pg_catalog.format('update %s set %I = true where %I::text = %L', ${literal(spot.sql)}, wanted.name, ${literal(columns.type)}, 'background');
      end if;
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

/** Rows that are in the way keep a check from being validated, not from holding for what is written from now on. */
const addChecks = (columns: DeviceColumns, spot: Spot): string =>
  doBlock(`declare
  wanted record;
  broken bigint;
begin
  for wanted in select * from (values
${pairs(checks(columns, spot))}) as c(name, condition)
  loop
    if not exists (select from pg_catalog.pg_constraint k
        where k.conrelid = ${oidOf(spot)} and k.conname = wanted.name) then
      execute pg_catalog.format('alter table %s add constraint %I check (%s) not valid', ${literal(spot.sql)}, wanted.name, wanted.condition);
      execute pg_catalog.format('comment on constraint %I on %s is %L', wanted.name, ${literal(spot.sql)}, ${mark});
    end if;
    continue when not exists (select from pg_catalog.pg_constraint k
      where k.conrelid = ${oidOf(spot)} and k.conname = wanted.name and not k.convalidated
        and pg_catalog.obj_description(k.oid, 'pg_constraint') = ${mark});
    execute pg_catalog.format('select count(*) from %s where (%s) is false', ${literal(spot.sql)}, wanted.condition) into broken;
    if broken = 0 then
      execute pg_catalog.format('alter table %s validate constraint %I', ${literal(spot.sql)}, wanted.name);
    else
      raise notice '% holds for what is written from now on; % rows are not so yet. Mend them (sesstui check, sesstui clean) and run this again.', wanted.name, broken;
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
        addChecks(columns, spot),
      ]
    : [
        '-- Only what this migration added is dropped. What stands in such a column is lost with it.',
        dropChecks(columns, spot),
        dropColumns(columns, spot),
      ];
