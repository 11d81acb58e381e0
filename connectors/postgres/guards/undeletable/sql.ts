/** The trigger that keeps background and protected sessions from being deleted, as SQL. */
import type {DeviceColumns} from '../../../../source/guards.js';
import {dollarQuoted, ident} from '../../sql.js';
import {dropFunction, type Spot, safePath} from '../device-sessions/spot.js';

export const suffix = '_protect_background';

/** What a transaction says that may delete them. */
export const allowing = "set local sesstui.allow = 'on'";

/**
 * What may go is on the list (a device's, known to be unprotected), so that an unknown type or protection counts as
 * protected. It runs as whoever deletes: it reads nothing but the row.
 */
export const functionBody = (columns: DeviceColumns): string => {
  const of = (name: string): string => `old.${ident(name)}`;
  return `
begin
  if (${of(columns.type)}::text = 'device' and ${of(columns.protected)} is false)
    or pg_catalog.current_setting('sesstui.allow', true) = 'on' then
    return old;
  end if;
  raise exception using
    errcode = 'restrict_violation',
    message = pg_catalog.format('session %s of %s is not deleted, because it is %s: only a transaction that says %s may',
      ${of(columns.id)}, tg_table_name,
      case when ${of(columns.type)}::text = 'background' then 'a background session'
        when ${of(columns.protected)} is true then 'protected'
        else 'not known to be an unprotected device session' end,
      $$${allowing}$$),
    schema = tg_table_schema, table = tg_table_name, constraint = tg_name;
end
`;
};

export const createFunction = (columns: DeviceColumns, spot: Spot): string =>
  `create or replace function ${spot.qualified(spot.name(suffix))}() returns trigger language plpgsql
  ${safePath} as ${dollarQuoted(functionBody(columns))}`;

export const dropTrigger = (spot: Spot): string =>
  `drop trigger if exists ${ident(spot.name(suffix))} on ${spot.sql}`;

export const createTrigger = (spot: Spot): string =>
  `create trigger ${ident(spot.name(suffix))} before delete on ${spot.sql}
  for each row execute function ${spot.qualified(spot.name(suffix))}()`;

export const up = (columns: DeviceColumns, spot: Spot): string[] => [
  '-- Background and protected sessions are not deleted by accident.',
  createFunction(columns, spot),
  dropTrigger(spot),
  createTrigger(spot),
];

export const down = (spot: Spot): string[] => [
  dropTrigger(spot),
  dropFunction(`${spot.qualified(spot.name(suffix))}()`),
];
