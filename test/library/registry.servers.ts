/** Publishing session keys on real servers: restarts at once, on connections of their own, and others beside. */
import type pg from 'pg';
import {afterEach, describe, expect, test} from 'vitest';
import {publishSessionKeys, type SessionKeys} from '../../source/library/registry.js';
import {type Opened, openContext} from '../support/library-context.js';
import {onPostgres} from '../support/on-postgres.js';
import {type PostgresServer, postgresServers} from '../support/postgres.js';
import {besideUntil} from './outside.js';
import {freshRegistry, keysIn, migration, registryConfiguration} from './registry-bench.js';

const callers = 100;
const each = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({length: count}, (_, index) => make(index));
const sorted = (sessions: string[]): string => [...sessions].sort().join();
/** The same sessions, beginning with another one each time. */
const turned = (sessions: string[], by: number): string[] => {
  const from = by % sessions.length;
  return [...sessions.slice(from), ...sessions.slice(0, from)];
};
const keys = (stream: number, turn: number): SessionKeys => ({
  deviceKey: 'device',
  streamId: `stream-${stream}`,
  sessionIds: turned(['S3', 'S1', 'S2', 'S1'], turn),
  envelope: Buffer.from(`envelope-${stream}`),
});

describe.each(postgresServers)('the registry on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let opened: Opened[];

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  afterEach(() => Promise.all(opened.map(one => one.close())));

  const open = async (guards: string[]): Promise<void> => {
    await freshRegistry(client, ...guards);
    opened = await Promise.all(each(2, () => openContext(registryConfiguration(server.url))));
  };
  const contextOf = (index: number) => opened[index % 2]!.context;

  describe.each([
    ['without a guard', []],
    ['with the trigger and the constraint of migration 000009', [migration]],
  ])('%s', (_, guards) => {
    test('two restarts at once publish one row', async () => {
      await open(guards);
      for (let round = 0; round < 20; round++) {
        const answers = await Promise.all(
          each(2, index => publishSessionKeys(contextOf(index), keys(round, index))),
        );
        expect(answers.sort()).toEqual(['already-exists', 'published']);
      }
      expect(await keysIn(client)).toHaveLength(20);
    });

    test(`${callers} at once publish each of ten sets of keys once`, async () => {
      await open(guards);
      const answers = await Promise.all(
        each(callers, index =>
          publishSessionKeys(contextOf(index), keys(index % 10, Math.floor(index / 10))),
        ),
      );
      expect(answers.filter(answer => answer === 'published')).toHaveLength(10);
      const rows = await keysIn(client);
      expect(rows.map(({stream_id}) => stream_id).sort()).toEqual(each(10, index => `stream-${index}`));
      expect(rows.every(({session_ids}) => sorted(session_ids) === 'S1,S1,S2,S3')).toBe(true);
      const logged = opened.flatMap(one => one.logged.map(({level}) => level));
      expect(logged.filter(level => level === 'info')).toHaveLength(10);
      expect(logged.filter(level => level === 'debug')).toHaveLength(callers - 10);
      expect(logged).toHaveLength(callers);
    });

    test('beside writers that know nothing of it, no call fails and no second row is made by it', async () => {
      await open(guards);
      const insert = `insert into app_session_keys (device_key, stream_id, session_ids, message_envelope)
        values ('device', $1, $2, '\\xff')`;
      let answers: string[] = [];
      await besideUntil(
        server,
        (outside, count) =>
          outside.query(insert, [`stream-${count % 20}`, turned(['S3', 'S1', 'S2', 'S1'], count)]),
        async () => {
          answers = await Promise.all(
            each(callers, index => publishSessionKeys(contextOf(index), keys(index % 20, index))),
          );
        },
      );
      const rows = await keysIn(client);
      const own = rows.filter(row => row.message_envelope.toString().startsWith('envelope'));
      expect(own.map(({stream_id}) => stream_id).sort()).toEqual(
        [...new Set(own.map(row => row.stream_id))].sort(),
      );
      expect(answers.filter(answer => answer === 'published')).toHaveLength(own.length);
      expect(new Set(rows.map(({stream_id}) => stream_id)).size).toBe(20);
      if (guards.length > 0) expect(rows).toHaveLength(20);
    });
  });
});
