/** Undo of a run is the identity on any data: generated rows of every kind, compared by an independent client. */
import fc from 'fast-check';
import type pg from 'pg';
import {expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {openEngine} from '../../source/engine/engine.js';
import {temporaryDirectory} from '../support/cli.js';
import {dumpPostgres} from '../support/dumps.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';

let server: PostgresServer;
let client: pg.Client;

onPglite((started, connected) => {
  server = started;
  client = connected;
});

/** Values that a careless copy changes: each as the text that PostgreSQL reads. */
const columns = {
  big: ['bigint', ['9007199254740993', '-1', null]],
  exact: ['numeric', ['1.10', '12345678901234567890.123456789', 'NaN', null]],
  rough: ['double precision', ['-0', '1e-300', 'Infinity', 'NaN', null]],
  at: [
    'timestamptz',
    ['2026-11-21 01:42:10.123456+00', 'infinity', '-infinity', '0044-03-15 00:00:00+00 BC', null],
  ],
  naive: ['timestamp', ['2026-03-29 02:30:00', 'infinity', null]],
  span: ['interval', ['1 year -2 days 03:04:05.678901', null]],
  bytes: ['bytea', ['\\x00ff', '\\x', null]],
  exactJson: ['json', ['{"b":1,  "a":[1, 2]}', 'null', '"x"', null]],
  json: ['jsonb', ['{"b":1,"a":[1,2]}', 'null', '1.10', null]],
  words: ['text[]', ['{b,a,NULL,"","a b"}', '[0:1]={x,y}', '{}', null]],
  cash: ['money', ['12.34', null]],
  bits: ['bit varying', ['10101', '', null]],
  odd: ['text', ["it's", '', ' ', '\u00a0é\u0301', '"quoted", (row)', '$1', '\\', null]],
} as const;

const names = Object.keys(columns) as (keyof typeof columns)[];

const row = fc.record({
  account: fc.constantFrom('a', 'b', 'c', 'd'),
  status: fc.constantFrom('waiting', 'live'),
  values: fc.tuple(...names.map(name => fc.constantFrom<string | null>(...columns[name][1]))),
});

const fill = async (
  hasKey: boolean,
  rows: {account: string; status: string; values: (string | null)[]}[],
) => {
  const types = names.map(name => `${name} ${columns[name][0]}`).join(', ');
  await client.query(`drop table if exists mixed; create table mixed (
    ${hasKey ? 'id bigint generated always as identity primary key,' : ''} account text, status text, ${types},
    twice int generated always as (length(account) * 2) stored)`);
  const marks = Array.from({length: names.length + 2}, (_, index) => `$${index + 1}`).join(', ');
  for (const {account, status, values} of rows)
    await client.query(`insert into mixed (account, status, ${names.join(', ')}) values (${marks})`, [
      account,
      status,
      ...values,
    ]);
};

const config = () =>
  configFromObject({
    environment: 'test',
    stores: {
      db: {
        kind: 'postgres',
        url: server.url,
        checks: [
          {check: 'duplicates', table: 'mixed', groupBy: ['account']},
          {check: 'null-ids', table: 'mixed', id: 'odd'},
        ],
      },
    },
  }).config;

const actions = [
  ['db/duplicates', 'keep-first', {}],
  ['db/duplicates', 'purge', {}],
  ['db/null-ids', 'assign-ids', {}],
  ['db/null-ids', 'assign-ids', {reasons: ['wrong-format-id']}],
  ['db/null-ids', 'delete', {}],
] as const;

test.each([true, false])('whatever was there comes back, with a primary key: %s', async hasKey => {
  let changed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, {minLength: 1, maxLength: 12}),
      fc.constantFrom(...actions),
      async (rows, [check, action, selection]) => {
        await fill(hasKey, rows);
        const before = await dumpPostgres(server.url, 'mixed');
        const options = {stateDirectory: await temporaryDirectory(), open: openConnector};
        const first = openEngine(config(), options);
        const plan = await first.plan(check, action, {
          ...selection,
          reasons: 'reasons' in selection ? [...selection.reasons] : undefined,
        });
        const result = await first.run(plan, {confirmed: plan.confirmations.map(({expected}) => expected)});
        await first.close();
        expect(result.applied).toBe(result.planned);
        if (result.run) {
          changed++;
          const second = openEngine(config(), options);
          const undone = await second.run(await second.planUndo(result.run));
          await second.close();
          expect(undone.applied).toBe(result.applied);
        }
        expect(await dumpPostgres(server.url, 'mixed')).toEqual(before);
      },
    ),
    {numRuns: 25, seed: 7},
  );
  expect(changed).toBeGreaterThan(10);
});
