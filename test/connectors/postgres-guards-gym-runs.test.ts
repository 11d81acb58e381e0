/** With protect-background in place: the program's own runs go on, everybody else's deletes of what it keeps do not. */
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import type {Connector} from '../../source/connector.js';
import type {GuardRule} from '../../source/guards.js';
import {deleteExpiredDeviceSessions, login, logoutDevice} from '../../source/library/gym.js';
import type {RunResult} from '../../source/types.js';
import {freshGym, gymConfiguration, sessionsIn} from '../library/gym-bench.js';
import {type Opened, openContext} from '../support/library-context.js';
import {onPostgres} from '../support/on-postgres.js';
import {type PostgresServer, postgresServers} from '../support/postgres.js';
import {settings} from './postgres-harness.js';

const check = 'gym/device-sessions';
const kept: GuardRule = {
  rule: 'undeletable',
  table: 'auth_sessions',
  columns: {
    id: 'id',
    email: 'email',
    type: 'session_type',
    protected: 'protected',
    fingerprint: 'fingerprint',
    expiresAt: 'expires_at',
    updatedAt: 'updated_at',
    createdAt: 'created_at',
  },
};

describe.each(postgresServers)('runs beside protect-background on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let connector: Connector;
  let opened: Opened;

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  beforeEach(async () => {
    await freshGym(client);
    await client.query(`insert into auth_sessions (email, session_type, protected, fingerprint, expires_at, updated_at)
      select email, type, type = 'background', type || i, now() - interval '1 day', now() - i * interval '1 minute'
      from (values ('ada@x.org', 'background'), (' ADA@x.org', 'background'), ('Ada@X.org', 'background'),
        ('ada@x.org', 'device'), ('bob@x.org', 'device'), ('bob@x.org', 'kiosk')) s(email, type), generate_series(1, 2) i`);
    connector = openPostgres({...settings, url: server.url});
    for (const step of await connector.guards.steps(kept, 'install', {before: null}))
      await connector.guards.perform(kept, 'install', step, {before: null});
    opened = await openContext(gymConfiguration(server.url));
  });
  afterEach(() => Promise.all([connector.close(), opened.close()]));

  const run = async (action: string, options: object = {}): Promise<RunResult> => {
    const {engine} = opened.context;
    return engine.run(await engine.plan(check, action, options));
  };
  const undone = async ({run: id}: {run: string | null}): Promise<RunResult> => {
    const {engine} = opened.context;
    return engine.run(await engine.planUndo(id!));
  };
  const countOf = async (type: string): Promise<number> =>
    (await sessionsIn(client)).filter(({session_type}) => session_type === type).length;

  test("anybody else's delete of the background sessions is refused, and none goes", async () => {
    const deletion = client.query("delete from auth_sessions where session_type = 'background'");
    await expect(deletion).rejects.toMatchObject({code: '23001'});
    expect(await countOf('background')).toBe(6);
  });

  test('keep-latest-background deletes the others, and undo brings them back', async () => {
    const before = await sessionsIn(client);
    const result = await run('keep-latest-background');
    expect(result).toMatchObject({failed: 0, skipped: 0, unknown: 0, remaining: 0});
    expect(await countOf('background')).toBe(1);
    expect(await undone(result)).toMatchObject({failed: 0, skipped: 0});
    expect(await sessionsIn(client)).toEqual(before);
  });

  test('delete-expired deletes the expired device sessions, and undo brings them back', async () => {
    const before = await sessionsIn(client);
    const result = await run('delete-expired');
    expect(result).toMatchObject({applied: 4, failed: 0, skipped: 0, remaining: 0});
    expect(await countOf('device')).toBe(0);
    expect(await undone(result)).toMatchObject({applied: 4, failed: 0});
    expect(await sessionsIn(client)).toEqual(before);
  });

  test('a login, a logout and the cron of the application go through', async () => {
    const {context} = opened;
    const {background, device} = await login(context, {email: 'eve@x.org'});
    const [row] = (await sessionsIn(client)).filter(({id}) => id === device.id);
    const gone = await logoutDevice(context, device.fingerprint!);
    expect(gone).toMatchObject({loggedOut: 1});
    expect(await deleteExpiredDeviceSessions(context)).toMatchObject({deleted: 4, failed: 0});
    const ids = (await sessionsIn(client)).map(({id}) => id);
    expect(ids).toContain(background.id);
    expect(ids).not.toContain(device.id);
    await undone(gone);
    expect(await sessionsIn(client)).toContainEqual(row);
  });

  test('a run that the engine makes lets nobody else through', async () => {
    await run('keep-latest-background');
    await expect(
      client.query("delete from auth_sessions where session_type = 'background'"),
    ).rejects.toMatchObject({code: '23001'});
  });
});
