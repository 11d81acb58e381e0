/** A row that another transaction holds while a customer is looked at: only where there are backends of their own. */
import pg from 'pg';
import {describe, expect, test} from 'vitest';
import {openSesstui} from '../../source/library.js';
import {temporaryDirectory} from '../support/cli.js';
import {postgresServers} from '../support/postgres.js';
import {postgresStage} from './rides-stage.js';

/** Waits until some backend waits for a lock. */
const someoneWaits = async (client: pg.Client): Promise<void> => {
  for (;;) {
    const {rows} = await client.query(`select from pg_stat_activity where wait_event_type = 'Lock'`);
    if (rows.length > 0) return;
  }
};

describe.each(postgresServers)('$name', kind => {
  test('a session that is being accepted while it is to be cancelled stays, and every caller is told', async () => {
    const stage = await postgresStage(kind);
    const {url} = stage.store as {url: string};
    const [payment, watcher] = [new pg.Client(url), new pg.Client(url)];
    await Promise.all([payment.connect(), watcher.connect()]);
    const sesstui = await openSesstui({
      config: {environment: 'test', stores: {rides: stage.store}},
      stateDirectory: await temporaryDirectory(),
    });
    try {
      await stage.fill(
        ['s1', 's2'].map((id, i) => ({id, customer: `c${i + 1}`, status: 'waiting', minutes: 42})),
      );
      await payment.query(
        `begin; update sessions set status = 'in_progress', updated_at = now() where id = 's1'`,
      );
      const calls = Promise.all(
        Array.from({length: 100}, (_, i) => sesstui.checkCustomerSessionStatus(`c${(i % 2) + 1}`)),
      );
      await someoneWaits(watcher);
      await payment.query('commit');
      const told = await calls;
      expect(
        told.filter((_, i) => i % 2 === 0).every(({blockedBy}) => blockedBy[0]?.status === 'in_progress'),
      ).toBe(true);
      expect(told.filter((_, i) => i % 2 === 1).every(({blocked}) => !blocked)).toBe(true);
      expect(told.reduce((sum, {cleaned}) => sum + cleaned, 0)).toBe(1);
      expect(await stage.statuses()).toEqual({s1: 'in_progress', s2: 'cancelled'});
    } finally {
      await sesstui.close();
      await Promise.all([payment.end(), watcher.end()]);
      await stage.close();
    }
  });

  test('one that stays locked is told as it is: waiting, stale, in the way', async () => {
    const stage = await postgresStage(kind);
    const {url} = stage.store as {url: string};
    const payment = new pg.Client(url);
    await payment.connect();
    const sesstui = await openSesstui({
      config: {environment: 'test', stores: {rides: stage.store}},
      stateDirectory: await temporaryDirectory(),
    });
    try {
      await stage.fill([{id: 's1', customer: 'c1', status: 'waiting', minutes: 42}]);
      await payment.query(`begin; select from sessions where id = 's1' for update`);
      expect(await sesstui.checkCustomerSessionStatus('c1')).toMatchObject({
        blocked: true,
        blockedBy: [{id: 's1', status: 'waiting', stale: true}],
        cleaned: 0,
      });
    } finally {
      await payment.query('rollback');
      await sesstui.close();
      await payment.end();
      await stage.close();
    }
  });
});
