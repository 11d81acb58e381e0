/** What kind of server answers: its identity, its version, what it can lower-case with, and its clock. */
import type {Run} from './session.js';

export type Server = {
  id: string;
  version: string;
  /** Words for the screen when it is not a real server, else null. */
  standIn: string | null;
  /** See `Scope.lower`. */
  lower: string;
};

const statement = (text: string) => ({text, values: []});

const facts = `select pg_catalog.version(), pg_catalog.current_setting('server_version'), pg_catalog.current_database(),
  (select oid::text from pg_catalog.pg_database where datname = pg_catalog.current_database()),
  (select string_agg(collname, ' ') from pg_catalog.pg_collation
    where collname in ('pg_unicode_fast', 'und-x-icu') and collnamespace = 'pg_catalog'::regnamespace
      and collencoding in (-1, (select encoding from pg_catalog.pg_database where datname = pg_catalog.current_database()))),
  pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute'),
  coalesce(host(inet_server_addr()), 'local') || ':' || coalesce(inet_server_port()::text, ''),
  extract(epoch from pg_catalog.pg_postmaster_start_time())::text`;

/**
 * The cluster's own number with the database's, so that every client of it sees the same; where the number is not
 * to be had, the address that the server has for itself.
 */
export const readServer = async (run: Run): Promise<Server> => {
  const [row] = await run(statement(facts));
  const [banner, version, database, oid, collations, mayControl, address, started] = row as string[];
  const standIn = /PGlite|emscripten|wasm/i.test(banner!) ? 'PGlite' : null;
  const [[number]] =
    mayControl === 't'
      ? ((await run(statement('select system_identifier::text from pg_control_system()'))) as [[string]])
      : [[address!]];
  const names = (collations ?? '').split(' ');
  const collation = ['pg_unicode_fast', 'und-x-icu'].find(name => names.includes(name));
  return {
    id: `postgres:${number}/${oid}/${database}${standIn ? `@${started}` : ''}`,
    version: version!,
    standIn,
    lower: collation ? ` collate pg_catalog."${collation}"` : '',
  };
};

/** The server's clock as the transaction began, microseconds since 1970. */
export const readNow = async (run: Run): Promise<number> => {
  const [row] = await run(statement('select floor(extract(epoch from now()) * 1000000)::int8'));
  return Number(row![0]);
};
