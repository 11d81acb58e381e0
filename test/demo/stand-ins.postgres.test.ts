import pg from 'pg';
import {afterAll, afterEach, beforeAll, describe, expect, test, vi} from 'vitest';
import {type PostgresEmbedded, startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';

let server: PostgresEmbedded;
const open: pg.Client[] = [];

const connect = async (config: pg.ClientConfig = {}): Promise<pg.Client> => {
  const client = new pg.Client({connectionString: server.url, ...config});
  // One that a test cuts off says so in an event.
  client.on('error', () => undefined);
  await client.connect();
  open.push(client);
  return client;
};

const one = async (client: pg.Client, sql: string, values?: unknown[]) =>
  Object.values((await client.query(sql, values)).rows[0])[0];

const cutOff = (client: pg.Client) =>
  (client as unknown as {connection: pg.Connection}).connection.stream.destroy();

beforeAll(async () => {
  server = await startPostgresEmbedded();
  await server.exec('create table auth_sessions (id int primary key, email text)');
}, 60_000);

afterEach(async () => {
  await Promise.all(open.splice(0).map(client => client.end()));
  await server.exec('truncate auth_sessions');
});

afterAll(() => server.close());

describe('embedded PostgreSQL', () => {
  test('answers several clients at once, each its own question', async () => {
    const clients = await Promise.all(Array.from({length: 8}, () => connect()));
    const rounds = Array.from({length: 10}, (_, round) =>
      Promise.all(
        clients.map(async (client, i) =>
          i % 2
            ? expect(await one(client, 'select $1::text || $2', [`${i}-`, 'x'])).toBe(`${i}-x`)
            : expect(await one(client, 'select $1::int + 1', [round])).toBe(round + 1),
        ),
      ),
    );
    await Promise.all(rounds);
  });

  test('keeps prepared statements of the same name apart', async () => {
    const [a, b] = [await connect(), await connect()];
    const named = (client: pg.Client, text: string, values: unknown[]) =>
      client.query({name: 'find', text, values, rowMode: 'array'}).then(({rows}) => rows[0]![0]);
    expect(await named(a, 'select $1::int * 2', [1])).toBe(2);
    expect(await named(b, 'select upper($1)', ['x'])).toBe('X');
    expect(await named(a, 'select $1::int * 2', [2])).toBe(4);
    await b.end();
    open.splice(open.indexOf(b), 1);
    expect(await named(a, 'select $1::int * 2', [3])).toBe(6);
    expect(await one(a, 'select count(*)::int from pg_prepared_statements')).toBe(1);
  });

  test("keeps one client's settings and role from another's", async () => {
    const reader = await connect({
      application_name: 'reader',
      options: '-c default_transaction_read_only=on',
    });
    const writer = await connect();
    await reader.query("set time zone 'Asia/Tokyo'");
    await writer.query("insert into auth_sessions values (1, 'ann@example.com')");
    await expect(reader.query('delete from auth_sessions')).rejects.toMatchObject({code: '25006'});
    expect(await one(writer, 'show timezone')).not.toBe('Asia/Tokyo');
    expect(await one(reader, 'show timezone')).toBe('Asia/Tokyo');
    expect(await one(reader, 'show application_name')).toBe('reader');
    await server.exec('create role visitor');
    await reader.query('set role visitor');
    expect(await one(writer, 'select current_user::text')).toBe('postgres');
    expect(await one(reader, 'select current_user::text')).toBe('visitor');
    await reader.query('begin; set local role postgres; commit');
    expect(await one(reader, 'select current_user::text')).toBe('visitor');
    await reader.query('reset role');
    await server.exec('drop role visitor');
  });

  test('holds others back while a transaction is open, for as long as their timeouts allow', async () => {
    const [holder, patient, hasty] = [await connect(), await connect(), await connect()];
    await hasty.query("set lock_timeout = '50ms'");
    await holder.query('begin');
    await holder.query("insert into auth_sessions values (2, 'bo@example.com')");
    const counted = one(patient, 'select count(*)::int from auth_sessions');
    await expect(hasty.query('select $1::int', [1])).rejects.toMatchObject({code: '55P03'});
    await holder.query('commit');
    expect(await counted).toBe(1);
    expect(await one(hasty, 'select $1::int', [1])).toBe(1);
  });

  test('lets a client cancel its waiting', async () => {
    const [holder, waiter] = [await connect(), await connect()];
    await holder.query('begin');
    const waiting = waiter.query('select 1');
    const refused = expect(waiting).rejects.toMatchObject({code: '57014'});
    const {processID, secretKey} = waiter as unknown as {processID: number; secretKey: number};
    const canceller = new pg.Connection() as unknown as Canceller;
    canceller.connect(server.port, '127.0.0.1');
    canceller.once('connect', () => canceller.cancel(processID, secretKey));
    await refused;
    await holder.query('rollback');
    expect(await one(waiter, 'select 1')).toBe(1);
  });

  test('takes back what a client leaves open when it dies', async () => {
    const witness = await connect();
    for (const statement of ["insert into auth_sessions values (3, 'cy@example.com')", 'select nothing']) {
      const dying = await connect();
      await dying.query('begin');
      await dying.query(statement).catch(() => undefined);
      cutOff(dying);
      expect(await one(witness, 'select count(*)::int from auth_sessions')).toBe(0);
    }
    const busy = await connect();
    const lost = busy.query(
      'begin; insert into auth_sessions select g, null from generate_series(1, 100000) g',
    );
    lost.catch(() => undefined);
    cutOff(busy);
    await vi.waitFor(async () => expect(await one(witness, 'select 1')).toBe(1), 20_000);
    expect(await one(witness, 'select count(*)::int from auth_sessions')).toBe(0);
  });

  test('goes on after an error inside a pipeline, and says what it does not have', async () => {
    const client = await connect();
    await expect(client.query('select 1 / $1::int', [0])).rejects.toMatchObject({code: '22012'});
    expect(await one(client, 'select 1 / $1::int', [1])).toBe(1);
    await expect(server.exec('select nothing')).rejects.toThrow('42703');
    const elsewhere = new pg.Client({connectionString: server.url.replace('/postgres?', '/other?')});
    await expect(elsewhere.connect()).rejects.toMatchObject({code: '3D000'});
  });
});

type Canceller = {
  connect(port: number, host: string): void;
  once(event: 'connect', listener: () => void): void;
  cancel(processID: number, secretKey: number): void;
};
