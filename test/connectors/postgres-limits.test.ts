/** Every transaction has its limits, whatever the server's own are (safety S7): as the server sees them. */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {Session} from '../../connectors/postgres/session.js';
import {postgresServers} from '../support/postgres.js';
import {type Bench, openBench, settings} from './postgres-harness.js';

const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
const statement = {
  text: `select name, setting from pg_settings where name = any(string_to_array($1, ','))`,
  values: [names.join(',')],
};

describe.each(postgresServers)('limits on $name', ({start}) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench(await start());
  }, 60_000);
  afterAll(() => bench.close());

  test('a statement, a lock and an idle transaction have a limit, in milliseconds, to read and to write', async () => {
    // The server's own are none: the client beside the session has these.
    const {rows} = await bench.client.query(statement.text.replace('$1', `'${names.join(',')}'`));
    expect(rows.map(({setting}) => setting)).toEqual(['0', '0', '0']);
    const session = new Session({...settings, timeoutMs: 7_000, url: bench.url});
    const reading = await session.read(run => run(statement));
    const writing = await session.withClient(async client => {
      const run = await session.beginWrite(client);
      const found = await run(statement);
      await client.query('commit');
      return found;
    });
    await session.close();
    const common = {statement_timeout: '7000', idle_in_transaction_session_timeout: '60000'};
    expect(Object.fromEntries(reading)).toEqual({...common, lock_timeout: '5000'});
    expect(Object.fromEntries(writing)).toEqual({...common, lock_timeout: '2000'});
  });
});
