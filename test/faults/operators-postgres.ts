/** Two tables of PostgreSQL for the rounds: one with a key, and one like the registry's, without. */
import pg from 'pg';
import {type Pair, type Stored, type System, seedRows} from './operators-system.js';

type Table = {
  name: string;
  create: string;
  /** Its column of names, its group in SQL, and the order in which everyone locks. */
  id: string;
  group: string;
  order: string;
  insert: string;
  /** Each group has an account that refers to one of its rows. */
  accounts: boolean;
  check: object;
  pairs: Pair[];
};

const duplicates = (store: string, name: string, action: string) => ({check: `${store}/${name}`, action});

const keyed: Table = {
  name: 'items',
  create: `create table items (id text primary key, account text, stamp text,
    created_at timestamptz default now(), updated_at timestamptz)`,
  id: 'id',
  group: 'account',
  order: 'id',
  // The latest is also the one that was created first: in groups of two it has the canonical id, and rekey lets it be.
  insert: `insert into items (account, id, stamp, updated_at, created_at)
    select $1, $2, $3, now() + $4 * interval '1 s', now() - $4 * interval '1 s'`,
  accounts: true,
  check: {
    table: 'items',
    groupBy: ['account'],
    latestBy: ['updated_at'],
    canonicalId: '{account}-1',
    referencedBy: {table: 'accounts', key: 'account', attribute: 'session'},
  },
  pairs: [
    {
      name: 'keep-first against keep-latest',
      tasks: [duplicates('store', 'first', 'keep-first'), duplicates('store', 'latest', 'keep-latest')],
    },
    {
      name: 'keep-canonical against keep-latest',
      tasks: [duplicates('store', 'latest', 'keep-canonical'), duplicates('store', 'latest', 'keep-latest')],
    },
    {
      name: 'rekey against keep-first',
      tasks: [duplicates('store', 'latest', 'rekey'), duplicates('store', 'first', 'keep-first')],
    },
    {
      name: 'the same plan',
      tasks: [duplicates('store', 'first', 'keep-first'), duplicates('store', 'first', 'keep-first')],
      calm: true,
    },
  ],
};

const keyless: Table = {
  name: 'session_keys',
  create: `create table session_keys (device_key text, stream_id text, session_ids text[], message_envelope text,
    uid text, stamp text, updated_at timestamptz)`,
  id: 'uid',
  group: 'device_key',
  order: 'tableoid, ctid',
  insert: `insert into session_keys select $1, 's', case when random() < 0.5 then '{a,b}' else '{b,a}' end::text[], 'e', $2, $3,
    now() + $4 * interval '1 s'`,
  accounts: false,
  check: {
    table: 'session_keys',
    groupBy: ['device_key', 'stream_id', 'session_ids'],
    unordered: ['session_ids'],
    payload: ['message_envelope'],
    latestBy: ['updated_at'],
  },
  pairs: [keyed.pairs[0]!, keyed.pairs[3]!],
};

const serialize = async (client: pg.Client, work: () => Promise<boolean>): Promise<boolean> => {
  try {
    await client.query('begin');
    const done = await work();
    await client.query('commit');
    return done;
  } catch {
    // A deadlock or a lock that came too late: the server took the whole transaction back.
    await client.query('rollback');
    return false;
  }
};

/** Hands out clients so that no two writers share a transaction. */
const clientPool = (url: string) => {
  const idle: pg.Client[] = [];
  const all: pg.Client[] = [];
  return {
    use: async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
      let client = idle.pop();
      if (!client) {
        client = new pg.Client(url);
        all.push(client);
        await client.connect();
      }
      try {
        return await work(client);
      } finally {
        idle.push(client);
      }
    },
    end: () => Promise.all(all.map(client => client.end())),
  };
};

const openTable = async (url: string, server: string, table: Table): Promise<System> => {
  const pool = clientPool(url);
  const query = (text: string, values: unknown[] = []) => pool.use(client => client.query(text, values));
  await query(`drop table if exists ${table.name}; ${table.create}`);
  if (table.accounts)
    await query(
      'drop table if exists accounts; create table accounts (account text primary key, session text)',
    );
  const rows = async (): Promise<Map<string, Stored>> => {
    const found = await query(
      `select ${table.id} as name, ${table.group} as "group", stamp from ${table.name}`,
    );
    return new Map(found.rows.map(({name, group, stamp}) => [name, {group, stamp}]));
  };
  const check = {check: 'duplicates', ...table.check};
  return {
    name: table.name === 'items' ? 'a table with a key' : 'a table without a key',
    server,
    config: {
      environment: 'test',
      stores: {
        store: {
          kind: 'postgres',
          url,
          checks: [
            {...check, name: 'first', keep: 'first'},
            {...check, name: 'latest', keep: 'latest'},
          ],
        },
      },
    },
    pairs: table.pairs,
    guarded: true,
    async reset(groups) {
      await query(`truncate ${table.name}`);
      // The later a row, the later it was updated: `first` and `latest` never agree.
      for (const {group, name, order} of seedRows(groups))
        await query(table.insert, [group, name, 'seed', order]);
      if (table.accounts)
        await query(
          'truncate accounts; insert into accounts select distinct on (account) account, id from items order by account, random()',
        );
      return rows();
    },
    rows,
    ...(table.accounts && {
      references: async () => {
        const found = await query('select account, session from accounts');
        return new Map(found.rows.map(({account, session}) => [account as string, session as string | null]));
      },
    }),
    touch: async (name, stamp) =>
      (
        await query(`update ${table.name} set stamp = $2, updated_at = now() where ${table.id} = $1`, [
          name,
          stamp,
        ])
      ).rowCount === 1,
    insert: async (group, name, stamp) =>
      (await query(table.insert, [group, name, stamp, 60])).rowCount === 1,
    remove: (name, group) =>
      pool.use(client =>
        serialize(client, async () => {
          const text = `select from ${table.name} where ${table.group} = $1 order by ${table.order} for update`;
          await client.query(text, [group]);
          // A new statement: locking waits for others, and only then is seen what they left.
          const {rows: left} = await client.query(`select from ${table.name} where ${table.group} = $1`, [
            group,
          ]);
          if (left.length < 2) return false;
          const free = table.accounts ? 'and not exists (select from accounts where session = id)' : '';
          const gone = await client.query(`delete from ${table.name} where ${table.id} = $1 ${free}`, [name]);
          return gone.rowCount === 1;
        }),
      ),
    nameOf: ({table: name, key, before, after}) =>
      name === 'accounts' ? `accounts/${key.account}` : String((before ?? after)![table.id] ?? key[table.id]),
    holds: (image, name) => JSON.stringify(image).includes(name.replace('accounts/', '')),
    close: async () => {
      await pool.end();
    },
  };
};

export const openKeyed = (url: string, server: string): Promise<System> => openTable(url, server, keyed);
export const openKeyless = (url: string, server: string): Promise<System> => openTable(url, server, keyless);
