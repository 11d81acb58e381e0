/** Writes rows into PostgreSQL in bulk, and reads its clock. */
import pg from 'pg';

/** A cell as JSON has it; PostgreSQL reads it as the column's type. */
export type Cell = null | string | number | boolean | string[] | {[name: string]: string}[];
export type TableRow = {table: string; row: Record<string, Cell>};

export const demoPostgresClient = (url: string, connectionTimeoutMillis = 15_000): pg.Client =>
  new pg.Client({connectionString: url, connectionTimeoutMillis, application_name: 'sesstui-demo'});

/**
 * A connection to a server that may be starting still, for however long that takes on a busy machine. Rejects with the
 * signal's reason when aborted.
 */
export const connectToStarting = async (url: string, signal: AbortSignal): Promise<pg.Client> => {
  signal.throwIfAborted();
  const client = demoPostgresClient(url, 0);
  client.on('error', () => {});
  const {stream} = (client as unknown as {connection: {stream: {destroy(): void}}}).connection;
  const stop = (): void => stream.destroy();
  signal.addEventListener('abort', stop, {once: true});
  try {
    await client.connect();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return client;
};

/** The server's now, milliseconds since 1970. */
export const postgresNow = async (client: pg.Client): Promise<number> => {
  const {rows} = await client.query(
    'select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now',
  );
  return rows[0].now;
};

const batchSize = 500;

/**
 * Inserts rows of one or several tables, some hundreds a statement, in the order of each table's rows. A row
 * must give every column, since a default is not filled in. Rejects with the signal's reason when aborted.
 */
export const insertRows = async (
  client: pg.Client,
  rows: Iterable<TableRow>,
  signal?: AbortSignal,
): Promise<void> => {
  const batches = new Map<string, Record<string, Cell>[]>();
  const write = async (table: string): Promise<void> => {
    signal?.throwIfAborted();
    const batch = batches.get(table)!;
    batches.delete(table);
    const name = pg.escapeIdentifier(table);
    const text = `insert into ${name} select * from json_populate_recordset(null::${name}, $1::json)`;
    await client.query(text, [JSON.stringify(batch)]);
  };
  for (const {table, row} of rows) {
    const batch = batches.get(table) ?? [];
    batches.set(table, batch);
    if (batch.push(row) === batchSize) await write(table);
  }
  for (const table of [...batches.keys()]) await write(table);
};

/** Creates tables and fills them with these rows. */
export const createAndFill = async (
  client: pg.Client,
  tables: string,
  rows: Iterable<TableRow>,
  signal?: AbortSignal,
): Promise<void> => {
  await client.query(tables);
  await insertRows(client, rows, signal);
  // The embedded server has no autovacuum to count the rows for the planner, and for whoever estimates by it.
  await client.query('analyze');
};
