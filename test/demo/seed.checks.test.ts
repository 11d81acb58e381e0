/** The checks themselves on the sample data: every reason there is occurs, and what was made healthy is. */
import {Double, Int32, ObjectId} from 'bson';
import {describe, expect, it} from 'vitest';
import {checkOf} from '../../source/checks/index.js';
import {demoConfig} from '../../source/demo/config.js';
import {conversations} from '../../source/demo/seed-chat.js';
import {gymRows} from '../../source/demo/seed-gym.js';
import {kiteItems} from '../../source/demo/seed-kite.js';
import type {TableRow} from '../../source/demo/seed-load-postgres.js';
import {registryRows} from '../../source/demo/seed-registry.js';
import {ridesRows} from '../../source/demo/seed-rides.js';
import {Other, Time, type Value, type ValueMap} from '../../source/values.js';
import {now, type Tables, tester} from '../support/check-tester.js';

const plan = {seed: 1, rows: 400, now: now / 1000};
const {stores} = demoConfig({dynamodb: '', mongodb: '', postgres: ''});

const tablesOf = (rows: Iterable<{table: string; row: object}>, keys: Record<string, string[]>): Tables => {
  const tables: Tables = Object.fromEntries(
    Object.entries(keys).map(([table, key]) => [table, {key, rows: []}]),
  );
  for (const {table, row} of rows) tables[table]?.rows.push(neutral(row) as ValueMap);
  return tables;
};

/** What a connector makes of a native value, as far as the sample data has it. */
const neutral = (value: unknown): Value => {
  if (value instanceof Date) return new Time(value.getTime() * 1000);
  if (value instanceof ObjectId) return new Other('objectId', value.toHexString());
  if (value instanceof Int32 || value instanceof Double) return value.valueOf();
  if (value instanceof Set) return [...value] as Value;
  if (Array.isArray(value)) return value.map(neutral);
  if (typeof value !== 'object' || value === null) return value as Value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, neutral(item)]));
};

/** PostgreSQL's `infinity`, which is no text to a connector. */
const withInfinity = function* (rows: Iterable<TableRow>): Iterable<{table: string; row: object}> {
  for (const {table, row} of rows) {
    const entries = Object.entries(row).map(([name, cell]) => [
      name,
      cell === 'infinity' || cell === '-infinity' ? new Time(Number(cell.replace('i', 'I'))) : cell,
    ]);
    yield {table, row: Object.fromEntries(entries)};
  }
};

const wrapped = function* <Row extends object>(rows: Iterable<Row>, table: string) {
  for (const row of rows) yield {table, row};
};
const items = function* () {
  for (const {table, item} of kiteItems(plan)) yield {table, row: item};
};

const systems = [
  {
    name: 'kite',
    check: stores.kite.checks[0]!,
    tables: tablesOf(items(), {'kite-sessions': ['sessionId'], 'kite-accounts': ['accountId']}),
    without: ['payload-differs'],
  },
  {
    name: 'chat',
    check: stores.chat.checks[0]!,
    tables: tablesOf(wrapped(conversations(plan), 'conversations'), {conversations: ['_id']}),
    without: [],
  },
  {
    name: 'gym',
    check: stores.gym.checks[0]!,
    tables: tablesOf(gymRows(plan), {auth_sessions: ['id']}),
    without: [],
  },
  {
    name: 'registry',
    check: stores.registry.checks[0]!,
    tables: tablesOf(registryRows(plan), {app_session_keys: []}),
    without: [
      'non-canonical-id',
      'dangling-reference',
      'unreferenced',
      'missing-group-key',
      'unreadable-time',
    ],
  },
  {
    name: 'rides',
    check: stores.rides.checks[0]!,
    tables: tablesOf(withInfinity(ridesRows(plan)), {sessions: ['id'], session_requests: ['id']}),
    without: [],
  },
];

describe.each(systems)('$name', ({check, tables, without}) => {
  it('has every reason that its check knows', async () => {
    const found = await tester(check, tables).findings();
    const reasons = new Set(found.flatMap(finding => finding.reasons));
    const known = checkOf(check.check as Parameters<typeof checkOf>[0]).reasons.map(({name}) => name);
    expect([...reasons].toSorted()).toEqual(
      known.filter(name => !without.includes(name as never)).toSorted(),
    );
  });

  it('is healthy for the most part', async () => {
    const found = await tester(check, tables).findings();
    const rows = Object.values(tables)[0]!.rows.length;
    const faulty = new Set(found.flatMap(finding => finding.rows.map(({key}) => JSON.stringify(key))));
    expect(faulty.size).toBeLessThan(rows * 0.45);
  });
});
