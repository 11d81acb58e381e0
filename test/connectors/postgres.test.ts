import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import type {Json, Value, ValueMap} from '../../source/values.js';
import {isoOfMicros, Time} from '../../source/values.js';
import {freePort, type PostgresServer, postgresServers} from '../support/postgres.js';
import {connectorSuite} from './contract.js';
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

const openHarness = async (server: PostgresServer): Promise<Harness> => {
  const client = new pg.Client(server.url);
  await client.connect();
  const settings = {store: 'pg', environment: 'test', timeoutMs: 20_000, readOnly: false};
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

for (const {name, start} of postgresServers)
  connectorSuite(`postgres on ${name}`, async () => openHarness(await start()));
void [afterAll, beforeAll, describe, expect, test, freePort];
