/** A COMMIT that is not over yet when its process is dead (safety S5): nobody may say that it did nothing. */
import {type ChildProcess, spawn} from 'node:child_process';
import {afterAll, beforeAll, expect, test, vi} from 'vitest';
import {cliPath} from '../support/cli.js';
import {dumpPostgres} from '../support/dumps.js';
import {record} from './record.js';
import {configured, type ErrorJson, openStage, type RunJson, type Stage} from './stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  // Without a key, so that rows are found by their place only.
  await stage.sql(`create table keys (account text, seen timestamptz);
    insert into keys select 'acc-' || i / 3, now() - i * interval '1 minute' from generate_series(0, 8) i`);
});
afterAll(() => stage?.close());

/** With a standby that isn't there, COMMIT waits for it: the rows are as good as gone, and still to be seen. */
const standby = async (name: string): Promise<void> => {
  await stage.sql(`alter system set synchronous_standby_names = '${name}'`);
  await stage.sql('select pg_reload_conf()');
};

const isCommitting = async (): Promise<boolean> =>
  (
    await stage.sql(
      `select from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'sesstui'`,
    )
  ).rowCount === 1;

test('resume and undo wait until the server has ended it, and then know', {timeout: 120_000}, async () => {
  const before = await dumpPostgres(stage.url, 'keys');
  const checks = [{check: 'duplicates', table: 'keys', groupBy: ['account'], latestBy: ['seen']}];
  const stores = {shop: {kind: 'postgres', url: stage.url, timeout: '1m', checks}};
  const {json, directory, file} = await configured({environment: 'test', stores});
  await standby('ghost');
  const args = ['--config', file, '--state-dir', `${directory}/state`, 'clean', 'shop/duplicates'];
  const child: ChildProcess = spawn(
    process.execPath,
    [cliPath, ...args, '--action', 'keep-latest', '--yes'],
    {stdio: 'ignore'},
  );
  await vi.waitFor(async () => expect(await isCommitting()).toBe(true), 30_000);
  child.kill('SIGKILL');
  await new Promise(ended => child.once('close', ended));
  const [{run}] = (await json<{runs: {run: string}[]}>(['history'])).json.runs as [{run: string}];
  for (const command of ['resume', 'undo']) {
    const {code, json: told} = await json<ErrorJson>([command, run, '--yes']);
    expect([command, code, told.error.code]).toEqual([command, 3, 'timeout']);
    expect(told.error.message).toContain('still being committed');
  }
  await standby('');
  await vi.waitFor(async () => expect(await isCommitting()).toBe(false), 30_000);
  const {code, json: finished} = await json<RunJson>(['resume', run, '--yes']);
  expect([code, finished]).toMatchObject([0, {run, planned: 6, applied: 6, unknown: 0}]);
  expect((await json<RunJson>(['undo', run, '--yes'])).json).toMatchObject({applied: 6});
  expect(await dumpPostgres(stage.url, 'keys')).toEqual(before);
  record({
    requirement: 'S5',
    fault: 'COMMIT waits for a standby that is gone, and its process is killed',
    server: stage.name,
    rounds: 1,
    violations: 0,
    note: 'resume and undo refuse until the server has ended it',
  });
});
