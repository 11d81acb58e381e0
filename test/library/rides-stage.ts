/** The rides tables in each kind of store, for tests of the library: rows in, statuses out, by a client of its own. */
import type {DynamoDBClient} from '@aws-sdk/client-dynamodb';
import {MongoClient} from 'mongodb';
import pg from 'pg';
import type {SesstuiConfig} from '../../source/library.js';
import {makeTable, rawClient, scanTable} from '../support/dynamodb.js';
import type {DynamodbServerKind} from '../support/dynamodb-servers.js';
import {type MongodbServerKind, newDatabaseName} from '../support/mongodb.js';
import type {PostgresServerKind} from '../support/postgres.js';

/** `minutes`: how long ago it was made. */
export type RideRow = {id: string; customer: string; status: string; minutes: number; session?: string};
export type Ride = {id: string; customer: string; status: string; session?: string};

export type RidesStage = {
  name: string;
  /** Of two clients' conditional updates of one row one finds it unchanged. FerretDB 1.24 reads, then writes. */
  atomic: boolean;
  store: SesstuiConfig['stores'][string];
  /** Empties both tables and fills them. */
  fill(sessions: RideRow[], requests?: RideRow[]): Promise<void>;
  /** Status by id, of both tables. */
  statuses(): Promise<Record<string, string>>;
  /** Another client's write. */
  setStatus(session: string, status: string): Promise<void>;
  close(): Promise<void>;
};

/** With what only PostgreSQL has: a trigger that refuses every update, with these words; null takes it away. */
export type PostgresStage = RidesStage & {refuse(words: string | null): Promise<void>};

const at = ({minutes}: RideRow): Date => new Date(Date.now() - minutes * 60_000);

export const postgresStage = async ({start, name}: PostgresServerKind): Promise<PostgresStage> => {
  const server = await start();
  const client = new pg.Client({connectionString: server.url});
  await client.connect();
  await client.query(`
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    create index on sessions (customer_id);
    create index on session_requests (customer_id);
    create index on session_requests (session_id)`);
  const insert = async (table: string, rows: RideRow[]): Promise<void> => {
    const session = table === 'sessions' ? '' : ', session_id';
    for (const row of rows)
      await client.query(
        `insert into ${table} (id, customer_id, status, created_at, updated_at${session}) values ($1, $2, $3, $4, $4${session && ', $5'})`,
        [row.id, row.customer, row.status, at(row), ...(session ? [row.session ?? null] : [])],
      );
  };
  return {
    name,
    atomic: true,
    store: {kind: 'postgres', url: server.url, checks: [{check: 'stale-sessions'}]},
    fill: async (sessions, requests = []) => {
      await client.query('truncate sessions, session_requests');
      await insert('sessions', sessions);
      await insert('session_requests', requests);
    },
    statuses: async () => {
      const {rows} = await client.query<{id: string; status: string}>(
        'select id, status from sessions union all select id, status from session_requests',
      );
      return Object.fromEntries(rows.map(({id, status}) => [id, status]));
    },
    setStatus: async (id, status) =>
      void (await client.query('update sessions set status = $2, updated_at = now() where id = $1', [
        id,
        status,
      ])),
    refuse: async words => {
      await client.query('drop trigger if exists refuse on sessions');
      if (words === null) return;
      await client.query(`
        create or replace function refuse() returns trigger language plpgsql as $$
        begin raise exception using message = ${pg.escapeLiteral(words)}; end $$;
        create trigger refuse before update on sessions for each row execute function refuse()`);
    },
    close: async () => {
      await client.end();
      await server.stop();
    },
  };
};

export const mongodbStage = async ({start, name}: MongodbServerKind): Promise<RidesStage> => {
  const server = await start();
  const client = new MongoClient(server.url);
  const database = newDatabaseName();
  const db = client.db(database);
  type Stored = {_id: string; status: string};
  const document = (row: RideRow) => ({
    _id: row.id,
    id: row.id,
    customer_id: row.customer,
    status: row.status,
    created_at: at(row),
    updated_at: at(row),
    session_id: row.session ?? null,
  });
  const fillOne = async (name: string, rows: RideRow[]): Promise<void> => {
    await db
      .collection(name)
      .drop()
      .catch(() => undefined);
    await db.createCollection(name);
    if (rows.length > 0) await db.collection<Stored>(name).insertMany(rows.map(document));
  };
  return {
    name,
    atomic: name !== 'FerretDB',
    store: {kind: 'mongodb', url: server.url, database, checks: [{check: 'stale-sessions'}]},
    fill: async (sessions, requests = []) => {
      await fillOne('sessions', sessions);
      await fillOne('session_requests', requests);
    },
    statuses: async () => {
      const found = await Promise.all(
        ['sessions', 'session_requests'].map(name => db.collection<Stored>(name).find().toArray()),
      );
      return Object.fromEntries(found.flat().map(({_id, status}) => [_id, status]));
    },
    setStatus: async (id, status) =>
      void (await db
        .collection<Stored>('sessions')
        .updateOne({_id: id}, {$set: {status, updated_at: new Date()}})),
    close: async () => {
      await db.dropDatabase();
      await client.close();
      await server.stop();
    },
  };
};

const item = (row: RideRow) => ({
  id: {S: row.id},
  customer_id: {S: row.customer},
  status: {S: row.status},
  created_at: {S: at(row).toISOString()},
  updated_at: {S: at(row).toISOString()},
  ...(row.session ? {session_id: {S: row.session}} : {}),
});

export const dynamodbStage = async ({start, name}: DynamodbServerKind): Promise<RidesStage> => {
  const server = await start();
  const client: DynamoDBClient = rawClient(server.endpoint);
  const {UpdateItemCommand} = await import('@aws-sdk/client-dynamodb');
  return {
    name,
    atomic: true,
    store: {
      kind: 'dynamodb',
      region: 'eu-west-1',
      endpoint: server.endpoint,
      checks: [{check: 'stale-sessions'}],
    },
    fill: async (sessions, requests = []) => {
      await makeTable(client, 'sessions', {id: 'S'}, sessions.map(item), {customer_id: 'S'});
      await makeTable(client, 'session_requests', {id: 'S'}, requests.map(item), {customer_id: 'S'});
    },
    statuses: async () => {
      const found = await Promise.all(['sessions', 'session_requests'].map(name => scanTable(client, name)));
      return Object.fromEntries(found.flat().map(({id, status}) => [id!.S!, status!.S!]));
    },
    setStatus: async (id, status) =>
      void (await client.send(
        new UpdateItemCommand({
          TableName: 'sessions',
          Key: {id: {S: id}},
          UpdateExpression: 'set #s = :s',
          ExpressionAttributeNames: {'#s': 'status'},
          ExpressionAttributeValues: {':s': {S: status}},
        }),
      )),
    close: async () => {
      client.destroy();
      await server.stop();
    },
  };
};
