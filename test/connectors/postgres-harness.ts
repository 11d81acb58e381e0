/** PostgreSQL for the contract suite, and for tests of its own: a connector and a client beside it. */
import pg from 'pg';
import {openPostgres} from '../../connectors/postgres/index.js';
import type {Connector} from '../../source/connector.js';
import type {Json, Value, ValueMap} from '../../source/values.js';
import {isoOfMicros, Time} from '../../source/values.js';
import type {PostgresServer} from '../support/postgres.js';
import type {ColumnType, Harness} from './harness.js';

const types: Record<ColumnType, string> = {
  text: 'text',
  int: 'bigint',
  bool: 'boolean',
  time: 'timestamptz',
  texts: 'text[]',
};
const ident = pg.escapeIdentifier;

/** Literals, because a single message is all that a server of one backend keeps together. */
const literal = (value: Value): string => {
  if (value === undefined || value === null) return 'null';
  if (value instanceof Time) return `'${isoOfMicros(value.micros)}'`;
  if (Array.isArray(value))
    return value.length === 0 ? "'{}'" : `array[${value.map(literal).join(', ')}]::text[]`;
  return typeof value === 'string' ? pg.escapeLiteral(value) : String(value);
};

export const openHarness = async (server: PostgresServer): Promise<Harness> => {
  const client = new pg.Client(server.url);
  await client.connect();
  const connector = openPostgres({...settings, url: server.url});
  const drop = async (table: string): Promise<void> => {
    await client.query(`drop table if exists ${ident(table)}`);
  };
  return {
    name: server.name,
    connector,
    drop,
    async load(table, columns, key, rows) {
      await drop(table);
      const names = Object.keys(columns);
      const list = names.map(name => `${ident(name)} ${types[columns[name]!]}`);
      await client.query(
        `create table ${ident(table)} (${list.join(', ')}, primary key (${key.map(ident).join(', ')}))`,
      );
      const values = rows.map((row: ValueMap) => `(${names.map(name => literal(row[name])).join(', ')})`);
      if (rows.length > 0) await client.query(`insert into ${ident(table)} values ${values.join(', ')}`);
    },
    async dump(table) {
      const {rows} = await client.query(
        `select (t.*)::text as row, to_jsonb(t.*) as json from ${ident(table)} t order by 1`,
      );
      return rows as Json[];
    },
    async poke(table, key, values) {
      const set = Object.entries(values).map(([name, value]) => `${ident(name)} = ${literal(value)}`);
      const where = Object.entries(key).map(([name, value]) => `${ident(name)} = ${literal(value)}`);
      await client.query(`update ${ident(table)} set ${set.join(', ')} where ${where.join(' and ')}`);
    },
    elsewhere: () =>
      openPostgres({...settings, timeoutMs: 2_000, url: 'postgres://nobody:secret@127.0.0.1:1/none'}),
    async close() {
      await connector.close();
      await client.end();
      await server.stop();
    },
  };
};

export type Bench = {
  server: PostgresServer;
  url: string;
  client: pg.Client;
  connector: Connector;
  close(): Promise<void>;
};

export const settings = {store: 'pg', environment: 'test', timeoutMs: 20_000, readOnly: false};

/** A server with an independent client; its statements are single messages (see `literal`). */
export const openBench = async (server: PostgresServer): Promise<Bench> => {
  const client = new pg.Client(server.url);
  client.on('error', () => undefined);
  await client.connect();
  const connector = openPostgres({...settings, url: server.url});
  return {
    server,
    url: server.url,
    client,
    connector,
    async close() {
      await connector.close();
      await client.end();
      await server.stop();
    },
  };
};

/** Every row of a table as text, sorted. */
export const rowTexts = async ({client}: Bench, table: string): Promise<string[]> =>
  (await client.query(`select (t.*)::text as row from ${table} t order by 1`)).rows.map(
    ({row}) => row as string,
  );
