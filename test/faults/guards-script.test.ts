/** The guards' scripts in plain psql, on tables that have the faults: twice up, twice down, and all is as it was. */
import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type PostgresServer, startPostgres18, startServer} from '../support/postgres.js';
import {sesstui} from './child.js';
import {openPostgresStage, type PostgresStage} from './guards-postgres.js';
import {type Guarded, statesOf} from './guards-stage.js';
import {record} from './record.js';

const run = promisify(execFile);

/** How psql is given the script. */
const ways: [string, (file: string, text: string) => string[]][] = [
  ['-f', file => ['-f', file]],
  ['-1 -f', file => ['-1', '-f', file]],
  ['-c', (_, text) => ['-c', text]],
];

/** On the newer server one of the ways is enough: psql is the same. */
const servers: [string, () => Promise<PostgresServer>, typeof ways][] = [
  ['PostgreSQL 15', startServer, ways],
  ['PostgreSQL 18', startPostgres18, ways.slice(0, 1)],
];

/** `mends`: the action without which the script refuses, and leaves all as it was. */
const cases = [
  {
    check: 'registry/duplicates',
    guard: '',
    mends: null,
    installed: {'sort-trigger': 'installed', unique: 'installed'},
  },
  {
    check: 'gym/device-sessions',
    guard: '',
    mends: 'keep-latest-background',
    installed: {
      'one-background': 'installed',
      'protect-background': 'installed',
      'row-security': 'installed',
    },
  },
  {
    check: 'rides/stale-sessions',
    guard: '',
    mends: null,
    installed: {'auto-cancel': 'installed', 'one-open-session': 'missing'},
  },
  {
    check: 'rides/stale-sessions',
    guard: 'one-open-session',
    mends: 'cancel',
    installed: {'auto-cancel': 'missing', 'one-open-session': 'installed'},
  },
];

describe.each(servers)('scripts on %s', (name, start, itsWays) => {
  let opened: PostgresStage;
  beforeAll(async () => {
    opened = await openPostgresStage(start);
  });
  afterAll(async () => opened?.stop());

  const scriptOf = async ({place, check}: Guarded, more: string[]): Promise<string> => {
    const {code, stdout, stderr} = await sesstui(place, ['guards', 'script', check, ...more]);
    expect([code, stderr]).toEqual([0, '']);
    return (JSON.parse(stdout) as {script: string}).script;
  };

  test.each(cases)('$check $guard', async ({check, guard, mends, installed}) => {
    for (const [way, words] of itsWays) {
      const guarded = await opened.fresh(check);
      const {before, place, scenario, catalogue} = guarded;
      const only = guard ? ['--guard', guard] : [];
      const [up, down] = [await scriptOf(guarded, only), await scriptOf(guarded, [...only, '--down'])];
      const play = async (text: string): Promise<void> => {
        const file = join(place.directory, 'script.sql');
        await writeFile(file, text);
        const options = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', opened.url];
        await run('psql', [...options, ...words(file, text)]);
      };
      if (mends) {
        const rows = await scenario.rows();
        await expect(play(up), way).rejects.toThrow(/could not create unique index/);
        expect([await catalogue(), await scenario.rows()], way).toEqual([before, rows]);
        expect((await sesstui(place, ['clean', check, '--action', mends, '--yes'])).code).toBe(0);
      }
      const rows = await scenario.rows();
      await play(up);
      const once = await catalogue();
      expect(once, way).not.toBe(before);
      await play(up);
      expect(await catalogue(), way).toBe(once);
      expect(await statesOf(guarded), way).toEqual(installed);
      for (let time = 1; time <= 2; time++) {
        await play(down);
        expect(await catalogue(), `${way}, ${time}`).toBe(before);
      }
      // Only the registry's migration deals with rows.
      if (check !== 'registry/duplicates') expect(await scenario.rows(), way).toEqual(rows);
    }
    record({
      requirement: 'guards',
      fault: 'the script twice up and twice down in psql, on tables with faults',
      server: name,
      rounds: itsWays.length,
      violations: 0,
      note: check,
    });
  });
});
