/** Where there is nobody else to take care of, and nobody to ask. On a real server: test/faults/pacing.test.ts. */
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import {startPglite} from '../support/postgres.js';
import {type Bench, openBench, settings} from './postgres-harness.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench(await startPglite());
});
afterAll(() => bench.close());

test('a server of one backend is under no strain, and answers what is asked next', async () => {
  await bench.client.query('create table items (id int primary key)');
  await bench.connector.describe('items');
  expect(await bench.connector.strain!()).toBeNull();
  expect(await bench.connector.tables()).toEqual(['items']);
});

test('a server that is not there is under no strain', async () => {
  const nowhere = openPostgres({...settings, url: 'postgres://nobody@127.0.0.1:1/none'});
  expect(await nowhere.strain!()).toBeNull();
  expect(await bench.connector.strain!(AbortSignal.abort())).toBeNull();
  await nowhere.close();
});
