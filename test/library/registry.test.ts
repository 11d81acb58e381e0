/** Publishing session keys, one after another; many at once are in registry.servers.ts. */
import type pg from 'pg';
import {afterEach, describe, expect, test} from 'vitest';
import {publishSessionKeys, type SessionKeys} from '../../source/library/registry.js';
import {type Opened, openContext} from '../support/library-context.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';
import {codeOf} from '../support/rejections.js';
import {freshRegistry, keysIn, migration, registryConfiguration} from './registry-bench.js';

let server: PostgresServer;
let client: pg.Client;
const opened: Opened[] = [];

onPglite((started, connected) => {
  server = started;
  client = connected;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(each => each.close()));
});

const openRegistry = async (configuration = registryConfiguration(server.url)): Promise<Opened> => {
  const each = await openContext(configuration);
  opened.push(each);
  return each;
};

const keys = (...sessionIds: string[]): SessionKeys => ({
  deviceKey: 'device-1',
  streamId: 'stream-1',
  sessionIds,
  envelope: Buffer.from('s3cret-envelope'),
});

describe.each([
  ['without a guard', []],
  ['with the trigger and the constraint of migration 000009', [migration]],
])('%s', (_, guards) => {
  test('keys are published once, whatever order their sessions come in', async () => {
    await freshRegistry(client, ...guards);
    const {context, logged} = await openRegistry();
    expect(await publishSessionKeys(context, keys('S2', 'S1'))).toBe('published');
    expect(await publishSessionKeys(context, keys('S1', 'S2'))).toBe('already-exists');
    expect(await publishSessionKeys(context, keys('S2', 'S1'))).toBe('already-exists');
    const [row, ...others] = await keysIn(client);
    expect(others).toEqual([]);
    expect(row!.session_ids.sort()).toEqual(['S1', 'S2']);
    expect(row!.message_envelope).toEqual(Buffer.from('s3cret-envelope'));
    expect(logged.map(({level}) => level)).toEqual(['info', 'debug', 'debug']);
    expect(JSON.stringify(logged)).not.toContain('s3cret');
  });

  test('other sessions, streams and devices are other keys, and so are repeated sessions', async () => {
    await freshRegistry(client, ...guards);
    const {context} = await openRegistry();
    const all = [
      keys('S1', 'S2'),
      keys('S1', 'S1', 'S2'),
      keys('S1', 'S2', 'S2'),
      keys('s1', 'S2'),
      keys('S1'),
      keys(),
      keys('S1,S2'),
      {...keys('S1', 'S2'), streamId: 'stream-2'},
      {...keys('S1', 'S2'), deviceKey: 'Device-1'},
    ];
    for (const one of all) expect(await publishSessionKeys(context, one)).toBe('published');
    for (const one of all)
      expect(await publishSessionKeys(context, {...one, sessionIds: one.sessionIds.toReversed()})).toBe(
        'already-exists',
      );
    expect(await keysIn(client)).toHaveLength(all.length);
  });

  test('another envelope for the same keys is left out, with a warning that holds neither', async () => {
    await freshRegistry(client, ...guards);
    const {context, logged} = await openRegistry();
    await publishSessionKeys(context, keys('S1'));
    const other = {...keys('S1'), envelope: Buffer.from('0ther-envelope')};
    expect(await publishSessionKeys(context, other)).toBe('already-exists');
    expect(logged.map(({level}) => level)).toEqual(['info', 'debug', 'warn']);
    expect(logged[2]!.message).toContain('another envelope');
    expect(JSON.stringify(logged)).not.toMatch(/s3cret|0ther/);
    expect((await keysIn(client))[0]!.message_envelope).toEqual(Buffer.from('s3cret-envelope'));
  });
});

test('what is no key, or does not fit, is refused', async () => {
  await freshRegistry(client);
  const {context} = await openRegistry();
  const wrong: unknown[] = [
    {...keys('S1'), deviceKey: ''},
    {...keys('S1'), streamId: 7},
    {...keys('S1'), sessionIds: 'S1'},
    {...keys('S1'), sessionIds: ['S1', null]},
    {...keys('S1'), envelope: 'a text'},
    {...keys('S1'), envelope: undefined},
    undefined,
  ];
  for (const one of wrong)
    expect(await codeOf(publishSessionKeys(context, one as SessionKeys))).toBe('usage');
  expect(await keysIn(client)).toEqual([]);
});

test('a table of other names is found by the places of its columns', async () => {
  await client.query(`drop table if exists published;
    create table published (nr int generated always as identity primary key, ids text[], dev text, str text, msg text)`);
  const {context} = await openRegistry({
    stores: {
      registry: {
        kind: 'postgres',
        url: server.url,
        checks: [
          {check: 'duplicates', name: 'others', table: 'published', groupBy: ['dev']},
          {
            check: 'duplicates',
            table: 'published',
            groupBy: ['ids', 'dev', 'str'],
            unordered: ['ids'],
            payload: ['msg'],
          },
        ],
      },
    },
  });
  const text = {...keys('S2', 'S1'), envelope: 'sealed'};
  expect(await publishSessionKeys(context, text)).toBe('published');
  expect(await publishSessionKeys(context, {...text, sessionIds: ['S1', 'S2']})).toBe('already-exists');
  expect(await codeOf(publishSessionKeys(context, keys('S3')))).toBe('usage');
  expect((await client.query('select * from published')).rows).toEqual([
    {nr: 1, ids: ['S2', 'S1'], dev: 'device-1', str: 'stream-1', msg: 'sealed'},
  ]);
});
