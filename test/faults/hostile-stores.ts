/** Hostile strings in three real stores, and a configuration for them: every string is a group, id, email or status. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MongoClient} from 'mongodb';
import pg from 'pg';
import {stringify} from 'yaml';
import {temporaryDirectory} from '../support/cli.js';
import {makeTable, type RawItem, rawClient} from '../support/dynamodb.js';

/** A name that closes a quoted identifier, and one that a JavaScript object has anyway. */
export const oddTable = 'a"; drop table witness; --\u202e\x1b[31m';
export const oddColumn = 'note"; drop table witness; --\x1b]52;c;YQ==\x07';
export const huge = `${'日本\x1b[2J'.repeat(150_000)}end`;

export type HostileStores = {
  directory: string;
  config: string;
  /** A configuration of one table with values of a megabyte. */
  large: string;
  /** The strings by the role that they have. */
  groups: string[];
  emails: string[];
  customers: string[];
  documents: string[];
  items: string[];
  pg: pg.Client;
  close(): Promise<void>;
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const fillPostgres = async (
  client: pg.Client,
  {groups, emails, customers}: Pick<HostileStores, 'groups' | 'emails' | 'customers'>,
): Promise<void> => {
  const [table, column] = [quoted(oddTable), quoted(oddColumn)];
  await client.query('create table witness (id int primary key)');
  await client.query(
    `create table ${table} (id text primary key, "constructor" text, ${column} text, "__proto__" text)`,
  );
  const copies = groups.flatMap((text, index) => [
    [`1 ${index} ${text}`, text],
    [`2 ${index} ${text}`, text],
  ]);
  await client.query(
    `insert into ${table} select * from unnest($1::text[], $2::text[], $2::text[], $2::text[])`,
    [copies.map(([id]) => id), copies.map(([, text]) => text)],
  );
  await client.query('create table large (id text primary key, customer text, body text)');
  await client.query(
    "insert into large values ('1', 'huge', $1), ('2', 'huge', $1), ('3', $1, ''), ('4', $1, '')",
    [huge],
  );
  await client.query(
    'create table auth_sessions (id text primary key, email text, session_type text, protected boolean, fingerprint text, expires_at timestamptz, updated_at timestamptz, created_at timestamptz)',
  );
  await client.query(
    "insert into auth_sessions select 'd' || n || ' ' || email, email, 'device', false, email, now() - interval '1 day', now(), now() from unnest($1::text[]) with ordinality as t(email, n)",
    [[...emails, huge.slice(0, 100_000)].map((text, index) => (index === emails.length ? `x${text}` : text))],
  );
  const sessions =
    '(id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz';
  await client.query(`create table sessions ${sessions})`);
  await client.query(`create table session_requests ${sessions}, session_id text)`);
  await client.query(
    "insert into sessions select 's' || n || ' ' || customer, customer, case when n % 3 = 0 then customer else 'waiting' end, now() - interval '1 day', null from unnest($1::text[]) with ordinality as t(customer, n)",
    [customers],
  );
  await client.query('analyze');
};

export const openHostileStores = async (
  urls: {postgres: string; mongodb: string; dynamodb: string},
  strings: string[],
  withNul: string[],
): Promise<HostileStores> => {
  const of = (from: number, to: number): string[] =>
    strings.slice(Math.floor(strings.length * from), Math.floor(strings.length * to));
  const parts = {groups: of(0, 0.65), emails: of(0.65, 0.75), customers: of(0.75, 1)};
  const client = new pg.Client({connectionString: urls.postgres});
  await client.connect();
  await fillPostgres(client, parts);
  const mongo = new MongoClient(urls.mongodb);
  const half = Math.floor(withNul.length / 2);
  const [documents, items] = [withNul.slice(0, half), withNul.slice(half)];
  await mongo
    .db('support')
    .collection<{_id: string}>('constructor')
    .insertMany(documents.map(text => ({_id: text, sessionId: null, x$: text})));
  await mongo.close();
  const dynamo = rawClient(urls.dynamodb);
  await makeTable(
    dynamo,
    'kite-sessions',
    {sessionId: 'S'},
    items.flatMap((text): RawItem[] => [
      {sessionId: {S: `1${text}`}, accountId: {S: text}, constructor: {S: text}},
      {sessionId: {S: `2${text}`}, accountId: {S: text}},
    ]),
  );
  dynamo.destroy();
  const directory = await temporaryDirectory();
  const config = join(directory, 'sesstui.yaml');
  await writeFile(
    config,
    stringify({
      environment: 'test',
      refresh: '1h',
      stores: {
        pg: {
          kind: 'postgres',
          url: urls.postgres,
          checks: [
            {
              check: 'duplicates',
              table: oddTable,
              groupBy: ['constructor'],
              payload: [oddColumn, '__proto__'],
            },
            {check: 'device-sessions', table: 'auth_sessions'},
            {check: 'stale-sessions'},
          ],
        },
        mongo: {
          kind: 'mongodb',
          url: urls.mongodb,
          database: 'support',
          checks: [{check: 'null-ids', collection: 'constructor'}],
        },
        dynamo: {
          kind: 'dynamodb',
          region: 'eu-west-1',
          endpoint: urls.dynamodb,
          checks: [
            {check: 'duplicates', table: 'kite-sessions', groupBy: ['accountId'], latestBy: ['constructor']},
          ],
        },
      },
    }),
  );
  const large = join(directory, 'large.yaml');
  const checks = [{check: 'duplicates', table: 'large', groupBy: ['customer'], payload: ['body']}];
  const pg15 = {kind: 'postgres', url: urls.postgres, checks};
  await writeFile(large, stringify({environment: 'test', stores: {large: pg15}}));
  return {directory, config, large, ...parts, documents, items, pg: client, close: () => client.end()};
};
