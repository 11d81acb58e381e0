/** Guards put in beside writers that never rest: nobody who writes correctly notices, and no row is lost. */
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {startPostgres18, startServer} from '../support/postgres.js';
import {sesstui} from './child.js';
import {openPostgresStage, type PostgresStage} from './guards-postgres.js';
import {guardsOf, installWords, statesOf, uninstallWords} from './guards-stage.js';
import {lostRows, startWriters} from './guards-writers.js';
import {postgresWriters} from './guards-writers-postgres.js';
import {record} from './record.js';
import {alterations} from './recovery.js';

/** The reasons that the guards of a check keep away; those that time brings are not theirs. */
const prevented: Record<string, string[]> = {
  'registry/duplicates': ['duplicate', 'payload-differs'],
  'gym/device-sessions': ['duplicate-background'],
  'rides/stale-sessions': [],
  'chat/null-ids': ['duplicate-id'],
};

type CheckJson = {checks: {byReason: Record<string, number>; error?: unknown}[]};

describe.each([
  ['PostgreSQL 15', startServer],
  ['PostgreSQL 18', startPostgres18],
])('guards beside writers on %s', (_, start) => {
  let stage: PostgresStage;
  beforeAll(async () => {
    stage = await openPostgresStage(start);
  });
  afterAll(async () => stage?.stop());

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({connectionString: stage.url, options: '-c timezone=UTC'});
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  test.each(['registry/duplicates', 'gym/device-sessions', 'rides/stale-sessions'])(
    '%s',
    {
      timeout: 180_000,
    },
    async check => {
      const guarded = await stage.fresh(check);
      const {place, before, catalogue, scenario} = guarded;
      const writing = startWriters(await postgresWriters(check, connect));
      try {
        await writing.more(10);
        const {code, stdout, stderr} = await sesstui(place, installWords(check));
        expect([code, JSON.parse(stdout).error], stderr).toEqual([0, undefined]);
        const until = new Map(writing.tally.refused);
        await writing.more(20);
        for (const code of writing.tally.refused.keys())
          expect(writing.tally.refused.get(code), code).toBeGreaterThan(until.get(code) ?? 0);
        expect(writing.tally.refused.size).toBeGreaterThan(0);
      } finally {
        await writing.stop();
      }
      expect(writing.errors.slice(0, 5)).toEqual([]);
      const rows = Object.values(await scenario.rows()).flatMap(table => [...table.values()]);
      expect(await lostRows(writing.tally, rows.join('\n'), place.state)).toEqual([]);
      const states = Object.fromEntries(guardsOf[check]!.map(name => [name, 'installed']));
      expect(await statesOf(guarded)).toEqual(states);
      const {checks} = JSON.parse(
        (await sesstui(place, ['check', check, '--limit', '0'])).stdout,
      ) as CheckJson;
      const [{byReason, error}] = checks as [CheckJson['checks'][0]];
      expect(error).toBeUndefined();
      for (const reason of prevented[check]!) expect(byReason[reason] ?? 0, reason).toBe(0);
      const gone = await sesstui(place, uninstallWords(check));
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
