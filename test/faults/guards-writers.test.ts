/** Guards put in beside writers that never rest: nobody who writes correctly notices, and no row is lost. */
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {startPostgres18, startServer} from '../support/postgres.js';
import {sesstui} from './child.js';
import {openDynamodbStage} from './guards-dynamodb.js';
import {openMongodbStage} from './guards-mongodb.js';
import {openPostgresStage} from './guards-postgres.js';
import {type GuardStage, installWords, statesOf, uninstallWords} from './guards-stage.js';
import {lostRows, startWriters, type Writer} from './guards-writers.js';
import {dynamodbWriters} from './guards-writers-dynamodb.js';
import {mongodbWriters} from './guards-writers-mongodb.js';
import {postgresWriters} from './guards-writers-postgres.js';
import {record} from './record.js';
import {alterations} from './recovery.js';

/** The reasons that the guards of a check keep away; those that time brings are not theirs. */
const prevented: Record<string, string[]> = {
  'registry/duplicates': ['duplicate', 'payload-differs'],
  'gym/device-sessions': ['duplicate-background'],
  'rides/stale-sessions': [],
  'chat/null-ids': ['null-id', 'missing-id', 'empty-id', 'duplicate-id'],
  'kite/duplicates': [],
};

type CheckJson = {checks: {byReason: Record<string, number>; error?: unknown}[]};

type Opened = {stage: GuardStage; writers: (check: string) => Promise<Writer[]>};

const onPostgres = async (start: typeof startServer): Promise<Opened> => {
  const stage = await openPostgresStage(start);
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({connectionString: stage.url, options: '-c timezone=UTC'});
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  return {stage, writers: check => postgresWriters(check, connect)};
};
const onDynamodb = async (): Promise<Opened> => {
  const stage = await openDynamodbStage();
  return {stage, writers: async () => dynamodbWriters(stage.endpoint)};
};
const onMongodb = async (): Promise<Opened> => {
  const stage = await openMongodbStage('MongoDB 6');
  return {stage, writers: () => mongodbWriters(stage.url, stage.database)};
};

const inPostgres = ['registry/duplicates', 'gym/device-sessions', 'rides/stale-sessions'];

const servers: [string, string[], () => Promise<Opened>][] = [
  ['PostgreSQL 15', inPostgres, () => onPostgres(startServer)],
  ['PostgreSQL 18', inPostgres, () => onPostgres(startPostgres18)],
  ['MongoDB 6', ['chat/null-ids'], onMongodb],
  ['DynamoDB Local', ['kite/duplicates'], onDynamodb],
];

describe.each(servers)('guards beside writers on %s', (_, checks, open) => {
  let stage: GuardStage;
  let writers: Opened['writers'];
  beforeAll(async () => {
    ({stage, writers} = await open());
  });
  afterAll(async () => stage?.stop());

  test.each(checks)(
    '%s',
    {
      timeout: 180_000,
    },
    async check => {
      const guarded = await stage.fresh(check);
      const {place, before, catalogue, scenario} = guarded;
      const writing = startWriters(await writers(check));
      try {
        await writing.more(10);
        const {code, stdout, stderr} = await sesstui(place, installWords(guarded));
        expect([code, JSON.parse(stdout).error], stderr).toEqual([0, undefined]);
        const until = new Map(writing.tally.refused);
        await writing.more(20);
        // DynamoDB has nothing that could refuse them.
        if (check !== 'kite/duplicates') expect(writing.tally.refused.size).toBeGreaterThan(0);
        for (const [refusal, count] of writing.tally.refused)
          expect(count, refusal).toBeGreaterThan(until.get(refusal) ?? 0);
      } finally {
        await writing.stop();
      }
      expect(writing.errors.slice(0, 5)).toEqual([]);
      const rows = Object.values(await scenario.rows()).flatMap(table => [...table].flat());
      expect(await lostRows(writing.tally, rows.join('\n'), place.state)).toEqual([]);
      const states = Object.fromEntries(guarded.guards.map(name => [name, 'installed']));
      expect(await statesOf(guarded)).toMatchObject(states);
      const {checks} = JSON.parse(
        (await sesstui(place, ['check', check, '--limit', '0'])).stdout,
      ) as CheckJson;
      const [{byReason, error}] = checks as [CheckJson['checks'][0]];
      expect(error).toBeUndefined();
      for (const reason of prevented[check]!) expect(byReason[reason] ?? 0, reason).toBe(0);
      const gone = await sesstui(place, uninstallWords(guarded));
      expect(gone.code, gone.stderr).toBe(0);
      expect(await catalogue()).toBe(before);
      expect(await alterations(place)).toEqual([]);
      record({
        requirement: 'S1 S2',
        fault: 'eight writers beside an install of guards',
        server: stage.server,
        rounds: 1,
        violations: 0,
        note: check,
      });
    },
  );
});
