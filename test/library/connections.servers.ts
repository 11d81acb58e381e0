/** How many connections the library takes of a PostgreSQL that others need too. */
import type pg from 'pg';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openSesstui, type Sesstui} from '../../source/library.js';
import {temporaryDirectory} from '../support/cli.js';
import {openClient, type PostgresServer, postgresServers} from '../support/postgres.js';

const callers = 100;
/** What the writer and the reader of a store may hold together. */
const most = 12;

const tables = `
create table logins (session_id text primary key, account_id text, updated_at timestamptz, created_at timestamptz);
create table accounts (account_id text primary key, session text);
create table conversations (id text primary key, "sessionId" text)`;

describe.each(postgresServers)(`${callers} callers of $name while others hold its tables`, ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let holder: pg.Client;
  let sesstui: Sesstui;

  beforeAll(async () => {
    server = await start();
    client = await openClient(server);
    holder = await openClient(server);
    await client.query(tables);
    sesstui = await openSesstui({
      config: {
        environment: 'test',
        stores: {
          pg: {
            kind: 'postgres',
            url: server.url,
            checks: [
              {
                check: 'duplicates',
                table: 'logins',
                groupBy: ['account_id'],
                latestBy: ['updated_at', 'created_at'],
                canonicalId: 'sess_{account_id}',
                referencedBy: {table: 'accounts', key: 'account_id', attribute: 'session'},
              },
              {check: 'null-ids', table: 'conversations', id: 'sessionId', idFormat: 'uuid'},
            ],
          },
        },
      },
      stateDirectory: await temporaryDirectory(),
    });
  });
  afterAll(async () => {
    await sesstui?.close();
    await Promise.all([client?.end(), holder?.end()]);
    await server?.stop();
  });

  const backends = async (): Promise<{held: number; waiting: number}> => {
    const {rows} = await client.query<{held: number; waiting: number}>(
      `select count(*)::int as held, count(*) filter (where wait_event_type = 'Lock')::int as waiting
        from pg_stat_activity where application_name = 'sesstui'`,
    );
    return rows[0]!;
  };

  /** The most connections from the calls' beginning until they were held up for half a second, and to their end. */
  const mostHeld = async (held: string, calls: () => Promise<unknown>[]): Promise<number> => {
    await holder.query(`begin; lock table ${held} in access exclusive mode`);
    let done = false;
    const ended = Promise.allSettled(calls()).then(answers => {
      done = true;
      return answers;
    });
    let highest = 0;
    let since: number | undefined;
    let released = false;
    while (!done) {
      const seen = await backends();
      highest = Math.max(highest, seen.held);
      if (seen.waiting > 0) since ??= performance.now();
      if (!released && since !== undefined && performance.now() - since > 500) {
        released = true;
        await holder.query('rollback');
      }
    }
    expect((await ended).filter(({status}) => status === 'rejected')).toEqual([]);
    return highest;
  };

  const each = (call: (index: number) => Promise<unknown>) => () =>
    Array.from({length: callers}, (_, index) => call(index));

  test('upsertSession', async () => {
    const calls = each(index => sesstui.upsertSession({accountId: `a${index}`}));
    expect(await mostHeld('accounts', calls)).toBeLessThanOrEqual(most);
  });

  test('ensureConversation', async () => {
    const calls = each(index => sesstui.ensureConversation({conversationId: `c${index}`}));
    expect(await mostHeld('conversations', calls)).toBeLessThanOrEqual(most);
  });
});
