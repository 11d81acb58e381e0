/**
 * The database's clock decides ages (safety S8): a plan is the same whatever the client's clock, the client's zone and
 * the server's zone are, and a row without a finite moment in the past is reported and never cleaned.
 */
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {record} from './record.js';
import {type Calls, type CheckJson, configured, openStage, type RunJson, type Stage} from './stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const preload = join(import.meta.dirname, 'shifted-clock.mjs');
const day = 86_400_000;
/** What is wrong with the client: its clock, or the zone that it lies in. */
const clients: {how: string; env: NodeJS.ProcessEnv}[] = [
  {how: 'a clock a day late', env: {TZ: 'UTC', SESSTUI_TEST_SHIFT_MS: String(-day)}},
  {how: 'a clock a day early', env: {TZ: 'UTC', SESSTUI_TEST_SHIFT_MS: String(day)}},
  {how: 'in Tokyo', env: {TZ: 'Asia/Tokyo', SESSTUI_TEST_SHIFT_MS: '0'}},
  {how: 'in Los Angeles', env: {TZ: 'America/Los_Angeles', SESSTUI_TEST_SHIFT_MS: '0'}},
  {how: 'in Paris and a day early', env: {TZ: 'Europe/Paris', SESSTUI_TEST_SHIFT_MS: String(day)}},
].map(({how, env}) => ({how, env: {...env, NODE_OPTIONS: `--import=${preload}`}}));
const serverZones = ['UTC', 'Asia/Tokyo', 'America/Los_Angeles'];

/** The types of columns that tell moments, and the zone that a check reads those without one in. */
const kinds = [
  {name: 'aware', type: 'timestamptz', zone: 'UTC'},
  {name: 'naive', type: 'timestamp', zone: 'UTC'},
  {name: 'tokyo', type: 'timestamp', zone: 'Asia/Tokyo'},
  {name: 'paris', type: 'timestamp', zone: 'Europe/Paris'},
];
type Kind = (typeof kinds)[number];

const isNaive = ({type}: Kind): boolean => type === 'timestamp';
const momentOf = (kind: Kind, sql: string): string =>
  isNaive(kind) ? `(${sql}) at time zone '${kind.zone}'` : sql;

/** Rows by what is expected of them; moments are SQL of a timestamptz, or a literal as it is. */
const rows: {
  id: string;
  created: string;
  updated?: string;
  literal?: true;
  plan: boolean;
  unknown: boolean;
}[] = [
  {id: 'fresh', created: "now() - interval '2 minutes'", plan: false, unknown: false},
  {id: 'stale', created: "now() - interval '20 minutes'", plan: true, unknown: false},
  {id: 'very-stale', created: "now() - interval '3 hours'", plan: true, unknown: false},
  {id: 'by-update', created: 'null', updated: "now() - interval '20 minutes'", plan: true, unknown: false},
  {id: 'null', created: 'null', plan: false, unknown: true},
  {id: 'infinity', created: "'infinity'", literal: true, plan: false, unknown: true},
  {id: 'minus-infinity', created: "'-infinity'", literal: true, plan: false, unknown: true},
  {id: 'future', created: "now() + interval '1 minute'", plan: false, unknown: true},
  {id: 'far-future', created: "now() + interval '30 hours'", plan: false, unknown: true},
  {id: 'bc', created: "'0044-03-15 12:00:00 BC'", literal: true, plan: false, unknown: true},
  {id: 'year-20000', created: "'20000-01-01'", literal: true, plan: false, unknown: true},
];

const fill = async (): Promise<void> => {
  for (const kind of kinds) {
    const {name, type} = kind;
    const value = (sql: string | undefined, literal?: true): string =>
      sql === undefined ? 'null' : literal ? `${sql}::${type}` : `${momentOf(kind, sql)}`;
    const values = rows.map(
      ({id, created, updated, literal}) =>
        `('${id}', 'c-${id}', 'waiting', ${value(created, literal)}, ${value(updated)})`,
    );
    await stage.sql(`drop table if exists ${name}, ${name}_requests;
      create table ${name} (id text primary key, customer_id text, status text, created_at ${type}, updated_at ${type});
      create table ${name}_requests (id text primary key, customer_id text, session_id text, status text, created_at ${type}, updated_at ${type});
      insert into ${name} (id, customer_id, status, created_at, updated_at) values ${values.join(', ').replaceAll(/\(null\)|null at/g, 'null')}`);
  }
};

const checkOf = ({name, zone}: Kind, more: object = {}) => ({
  check: 'stale-sessions',
  name,
  timeZone: zone,
  sessions: {table: name},
  requests: {table: `${name}_requests`},
  orphanedAfter: '400d',
  ...more,
});

describe('PostgreSQL', () => {
  let calls: Calls;
  beforeAll(async () => {
    calls = await configured({
      environment: 'test',
      stores: {rides: {kind: 'postgres', url: stage.url, checks: kinds.map(kind => checkOf(kind))}},
    });
  });
  beforeEach(fill);

  /** The plans of all checks, in one call. */
  const plansOf = async (env: NodeJS.ProcessEnv) => {
    const {json} = await calls.json<{runs: RunJson[]}>(['clean', '--all'], {env});
    return json.runs.map(({check, changes}) => ({
      check,
      changes: changes.map(({op, table, key, before, after}) => ({op, table, key, before, after})),
    }));
  };
  const expected = rows.filter(({plan}) => plan).map(({id}) => id);

  test.each(serverZones)('the server in %s: the same plan for every client', async zone => {
    await stage.sql(`alter database postgres set timezone = '${zone}'`);
    await stage.sql(`alter role postgres set timezone = '${zone}'`);
    const first = await plansOf({TZ: 'UTC'});
    expect(first.map(({check}) => check)).toEqual(kinds.map(({name}) => `rides/${name}`));
    for (const {check, changes} of first) {
      expect(changes.map(({key}) => key.id).sort(), check).toEqual([...expected].sort());
      // The oldest first: the order is the store's, not the client's.
      expect(changes[0]!.key).toEqual({id: 'very-stale'});
    }
    for (const {how, env} of clients) expect(await plansOf(env), `the client ${how}`).toEqual(first);
    record({
      requirement: 'S8',
      fault: "client's clock ±1 day and three zones, three server zones",
      server: stage.name,
      rounds: kinds.length * clients.length,
      violations: 0,
    });
  });

  test('what has no finite moment in the past is reported, and nothing else is', async () => {
    for (const {env} of clients.slice(0, 2)) {
      const {json} = await calls.json<CheckJson>(['check'], {env});
      for (const result of json.checks) {
        const of = (reason: string) =>
          result.findings
            .filter(({reasons}) => reasons.includes(reason))
            .map(({rows: [row]}) => (row!.key as {id: string}).id)
            .sort();
        expect(of('unknown-age'), result.check).toEqual(
          rows
            .filter(row => row.unknown)
            .map(({id}) => id)
            .sort(),
        );
        expect(result.findings.filter(({reasons}) => !reasons.includes('unknown-age'))).toHaveLength(
          expected.length,
        );
        const age = (id: string) =>
          result.findings.find(({rows: [row]}) => (row!.key as {id: string}).id === id)!.ageSeconds!;
        expect(Math.abs(age('very-stale') - 3 * 3600), result.check).toBeLessThan(60);
        expect(age('infinity')).toBeNull();
      }
    }
  });

  test('a run of a client a day early writes the time of the server, each table in the zone of its own check', async () => {
    await stage.sql(
      "alter database postgres set timezone = 'Asia/Tokyo'; alter role postgres set timezone = 'Asia/Tokyo'",
    );
    for (const kind of kinds) {
      const {json} = await calls.json<RunJson>(
        ['clean', `rides/${kind.name}`, '--action', 'cancel', '--yes'],
        {
          env: clients[4]!.env,
        },
      );
      expect(json).toMatchObject({applied: expected.length, failed: 0});
      const off = isNaive(kind) ? `updated_at at time zone '${kind.zone}'` : 'updated_at';
      const {rows: written} = await stage.sql(
        `select id, abs(extract(epoch from ${off} - now()))::int as off from ${kind.name} where status = 'cancelled' order by id`,
      );
      expect(written.map(({id}) => id)).toEqual([...expected].sort());
      for (const {id, off: seconds} of written) expect(seconds, `${kind.name} ${id}`).toBeLessThan(60);
    }
    record({
      requirement: 'S8',
      fault: 'naive columns of several zones in one store, written',
      server: stage.name,
      rounds: kinds.length,
      violations: 0,
    });
  });

  /** The last Sunday of a month, when clocks change in Europe. */
  const lastSunday = (year: number, month: number): string => {
    const date = new Date(Date.UTC(year, month + 1, 0));
    date.setUTCDate(date.getUTCDate() - date.getUTCDay());
    return date.toISOString().slice(0, 10);
  };

  test.each([
    {hour: 'that exists twice', month: 9},
    {hour: 'that does not exist', month: 2},
  ])('an hour $hour is read as the later moment: nothing is cleaned too early', async ({month, hour}) => {
    const {
      rows: [{now}],
    } = (await stage.sql('select extract(epoch from now())::float8 as now')) as {rows: {now: number}[]} as {
      rows: [{now: number}];
    };
    const date = lastSunday(new Date(now * 1000).getUTCFullYear() - 1, month);
    await stage.sql(
      `truncate paris; insert into paris values ('wall', 'c', 'waiting', '${date} 02:30:00', null)`,
    );
    // The two readings are 00:30Z and 01:30Z: old enough by the first, and not by the second.
    const between = Math.floor(now - Date.parse(`${date}T01:00:00Z`) / 1000);
    const later = Math.floor(now - Date.parse(`${date}T01:30:00Z`) / 1000);
    for (const [seconds, planned] of [
      [between, 0],
      [later - 60, 1],
    ] as const) {
      const own = await configured({
        environment: 'test',
        stores: {
          rides: {
            kind: 'postgres',
            url: stage.url,
            checks: [
              checkOf(kinds[3]!, {
                waitingAfter: `${seconds}s`,
                veryStaleAfter: `${seconds + 1}s`,
                orphanedAfter: '4000d',
              }),
            ],
          },
        },
      });
      for (const {env} of clients.slice(1, 3)) {
        const {json} = await own.json<RunJson>(['clean', 'rides/paris', '--action', 'cancel'], {env});
        expect(json.planned).toBe(planned);
      }
      const {json} = await own.json<CheckJson>(['check']);
      const [finding] = json.checks[0]!.findings;
      if (planned > 0) expect(Math.abs(finding!.ageSeconds! - later)).toBeLessThan(60);
    }
    record({
      requirement: 'S8',
      fault: `an hour ${hour} (daylight saving)`,
      server: stage.name,
      rounds: 4,
      violations: 0,
    });
  });
});
