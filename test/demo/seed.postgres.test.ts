import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import type pg from 'pg';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';
import {gymFingerprint, seedGym} from '../../source/demo/seed-gym.js';
import {demoPostgresClient, postgresNow} from '../../source/demo/seed-load-postgres.js';
import type {SeedPlan} from '../../source/demo/seed-plan.js';
import {seedRegistry} from '../../source/demo/seed-registry.js';
import {blockedCustomers, seedRides} from '../../source/demo/seed-rides.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import {normalise} from '../../source/evaluate.js';
import {groupBy} from '../support/group-by.js';

const plan: SeedPlan = {seed: 7, rows: 120, now: Date.parse('2026-11-21T08:00:00Z')};
const otherSeed = {...plan, seed: 8};
const later = {...plan, now: plan.now + 3 * 86_400_000};

describe('PostgreSQL', () => {
  let server: Awaited<ReturnType<typeof startPostgresEmbedded>>;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startPostgresEmbedded({});
    client = demoPostgresClient(server.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await server.close();
  });

  /** A server that takes connections, and answers them when it is let. */
  const slowServer = async () => {
    const held: Socket[] = [];
    const slow = createServer(socket => held.push(socket.on('error', () => {})));
    await new Promise<void>(resolve => slow.listen(0, '127.0.0.1', resolve));
    return {
      url: `postgres://postgres@127.0.0.1:${(slow.address() as AddressInfo).port}/postgres`,
      hasClient: () => vi.waitUntil(() => held.length > 0),
      answer: () => {
        const there = connect(server.port, '127.0.0.1').on('error', () => {});
        held[0]!.pipe(there).pipe(held[0]!);
      },
      close: () => {
        for (const socket of held) socket.destroy();
        return new Promise(resolve => slow.close(resolve));
      },
    };
  };
  const rides = demoSystems.find(({store}) => store === 'rides')!;

  it('is filled however long it takes to start', async () => {
    vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});
    const slow = await slowServer();
    try {
      await client.query('drop table if exists customers, sessions, session_requests');
      const filled = rides.fill(slow.url, {seed: 7, rows: 20}, new AbortController().signal);
      filled.catch(() => {});
      await slow.hasClient();
      vi.advanceTimersByTime(10 * 60_000);
      slow.answer();
      await filled;
      expect(await count('sessions')).toBeGreaterThan(0);
    } finally {
      vi.useRealTimers();
      await slow.close();
    }
  });

  it('is waited for no longer once the demo is closed', async () => {
    const slow = await slowServer();
    const stopping = new AbortController();
    const filled = rides.fill(slow.url, {seed: 7, rows: 20}, stopping.signal);
    filled.catch(() => {});
    await slow.hasClient();
    stopping.abort(new Error('closed'));
    await expect(filled).rejects.toThrow('closed');
    await slow.close();
  });

  const count = async (condition: string): Promise<number> =>
    Number((await client.query(`select count(*) from ${condition}`)).rows[0].count);

  const systems = [
    {name: 'gym', seed: seedGym, tables: ['auth_sessions'], key: 'id'},
    {name: 'registry', seed: seedRegistry, tables: ['app_session_keys'], key: 'session_ids'},
    {name: 'rides', seed: seedRides, tables: ['customers', 'sessions', 'session_requests'], key: 'id'},
  ];
  const seeded = async ({seed, tables, key}: (typeof systems)[number], wanted: SeedPlan) => {
    await client.query(`drop table if exists ${tables.join()}`);
    await seed(client, wanted);
    const rows: string[] = [];
    const keys: string[] = [];
    for (const table of tables) {
      const dump = await client.query(
        `select t::text as row, ${key}::text as key from ${table} t order by ctid`,
      );
      rows.push(...dump.rows.map(({row}) => row));
      keys.push(...dump.rows.map(dumped => dumped.key));
    }
    return {rows, keys};
  };

  it.each(systems)('$name is the same for the same seed, and another for another', async system => {
    const first = await seeded(system, plan);
    expect(first.rows.length).toBeGreaterThan(plan.rows);
    expect(await seeded(system, plan)).toEqual(first);
    expect((await seeded(system, otherSeed)).keys).not.toEqual(first.keys);
    const shifted = await seeded(system, later);
    expect(shifted.keys).toEqual(first.keys);
    expect(shifted.rows).not.toEqual(first.rows);
  });

  it('gym has every fault of the contract among healthy sessions', async () => {
    await seeded(systems[0]!, {...plan, now: await postgresNow(client)});
    const {rows} = await client.query('select *, expires_at <= now() as expired from auth_sessions');
    const backgrounds = rows.filter(row => row.session_type === 'background');
    const devices = rows.filter(row => row.session_type === 'device');
    const groups = groupBy(backgrounds, row => normalise(row.email));
    const several = [...groups.values()].filter(group => group.length > 1);

    expect(devices.some(row => row.expired && row.protected === false)).toBe(true);
    expect(devices.some(row => row.expired && row.protected === true)).toBe(true);
    expect(devices.some(row => row.expired && row.protected === null)).toBe(true);
    expect(rows.some(row => row.expired && !['background', 'device'].includes(row.session_type))).toBe(true);
    expect(backgrounds.some(row => row.expired)).toBe(true);
    expect(several.length).toBeGreaterThan(1);
    expect(several.some(group => new Set(group.map(row => row.email)).size > 1)).toBe(true);
    expect(backgrounds.some(row => row.protected !== true)).toBe(true);
    expect(backgrounds.some(row => row.fingerprint !== gymFingerprint(row.email))).toBe(true);
    expect(devices.some(row => !groups.has(normalise(row.email)))).toBe(true);
    const sound = [...groups.values()].filter(
      ([row, ...more]) => more.length === 0 && row.protected && row.fingerprint === gymFingerprint(row.email),
    );
    expect(sound.length).toBeGreaterThan(plan.rows / 2.5);
  });

  it('registry has every fault of the contract among healthy keys', async () => {
    await seeded(systems[1]!, plan);
    const {rows} = await client.query(
      'select device_key, stream_id, session_ids, message_envelope::text as envelope from app_session_keys',
    );
    type Row = (typeof rows)[number];
    const place = (row: Row) => `${row.device_key} ${row.stream_id}`;
    const groups = [...groupBy(rows, row => `${place(row)} ${row.session_ids.toSorted()}`).values()];
    const several = groups.filter(group => group.length > 1);
    const spellings = (group: Row[]) => new Set(group.map(row => row.session_ids.join())).size;
    const envelopes = (group: Row[]) => new Set(group.map(row => row.envelope)).size;
    const asSets = [
      ...groupBy(groups, ([row]) => `${place(row)} ${[...new Set(row.session_ids.toSorted())]}`).values(),
    ];

    expect(several.filter(group => spellings(group) > 1 && envelopes(group) === 1).length).toBeGreaterThan(1);
    expect(Math.max(...several.map(group => group.length))).toBeLessThanOrEqual(5);
    expect(several.some(group => spellings(group) === 1)).toBe(true);
    expect(several.some(group => envelopes(group) > 1)).toBe(true);
    // Equal as sets, but not as sorted arrays.
    expect(asSets.some(variants => variants.length > 1)).toBe(true);
    expect(groups.length - several.length).toBeGreaterThanOrEqual(plan.rows);
    const key = `select count(*) from pg_constraint where conrelid = 'app_session_keys'::regclass and contype in ('p', 'u')`;
    expect((await client.query(key)).rows[0].count).toBe('0');
  });

  it('rides has every fault of the contract among healthy sessions', async () => {
    await seeded(systems[2]!, {...plan, now: await postgresNow(client)});
    const age = 'now() - coalesce(created_at, updated_at)';
    const waiting = `sessions s where status = 'waiting' and isfinite(coalesce(created_at, updated_at))`;
    const valid = `exists (select from session_requests r where r.session_id = s.id and r.status in ('pending', 'accepted'))`;

    expect(await count(`${waiting} and ${age} > '15m' and ${age} <= '30m' and ${valid}`)).toBeGreaterThan(1);
    expect(await count(`${waiting} and ${age} > '30m' and ${valid}`)).toBeGreaterThan(0);
    expect(await count(`${waiting} and ${age} > '20m' and ${age} <= '30m' and not ${valid}`)).toBeGreaterThan(
      0,
    );
    expect(await count(`${waiting} and ${age} > '30m' and not ${valid}`)).toBeGreaterThan(0);
    expect(await count(`${waiting} and created_at is null and ${age} > '15m'`)).toBeGreaterThan(0);
    expect(await count(`${waiting} and ${age} between '0' and '15m' and ${valid}`)).toBeGreaterThan(1);
    const expired = `session_requests r where status = 'pending' and ${age} > '15m'`;
    expect(await count(`${expired} and session_id is null`)).toBeGreaterThan(0);
    const linked = (status: string) =>
      `exists (select from sessions s where s.id = r.session_id and s.status = '${status}')`;
    expect(await count(`${expired} and ${linked('waiting')}`)).toBeGreaterThan(0);
    expect(await count(`${expired} and ${linked('live')}`)).toBeGreaterThan(0);
    const unknown = `sessions where status = 'waiting' and`;
    expect(await count(`${unknown} coalesce(created_at, updated_at) is null`)).toBeGreaterThan(0);
    expect(await count(`${unknown} not isfinite(created_at)`)).toBeGreaterThan(0);
    expect(await count(`${unknown} created_at > now()`)).toBeGreaterThan(0);
    expect(
      await count(`sessions where status in ('completed', 'cancelled', 'live', 'in_progress')`),
    ).toBeGreaterThan(100);
    // Nobody has two open sessions, apart from those whose old ones are stale.
    const open = `status in ('waiting', 'live', 'in_progress') and not (status = 'waiting' and ${age} > '15m')`;
    expect(
      await count(`(select 1 from sessions where ${open} group by customer_id having count(*) > 1) t`),
    ).toBe(0);
  });

  it.each(Object.keys(blockedCustomers))('rides: %s is blocked by exactly one thing', async customer => {
    const sessions = `sessions where customer_id = '${customer}' and status in ('waiting', 'live', 'in_progress')`;
    const requests = `session_requests where customer_id = '${customer}' and status = 'pending'`;
    expect((await count(sessions)) + (await count(requests))).toBe(1);
  });
});
