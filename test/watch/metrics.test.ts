/** What Prometheus is told, read by a parser of its format. */
import parse, {type Family} from 'parse-prometheus-text-format';
import {afterEach, expect, test} from 'vitest';
import {checks} from '../../source/checks/index.js';
import type {CheckInfo, RunResult, StoreStatus} from '../../source/types.js';
import {type Metrics, openMetrics, statusLabels} from '../../source/watch/http/metrics.js';
import {id, roundOf} from './server-harness.js';

const stale = checks.find(({kind}) => kind === 'stale-sessions')!;
const info: CheckInfo = {
  id,
  store: 'rides',
  storeKind: 'postgres',
  kind: 'stale-sessions',
  name: 'stale-sessions',
  table: 'sessions',
  columns: [],
  reasons: stale.reasons,
  actions: stale.actions,
};
const rides: StoreStatus = {store: 'rides', kind: 'postgres', state: 'up', text: '', standIn: null};

let metrics: Metrics;
afterEach(() => metrics?.close());

const open = async (stores: StoreStatus[] = [rides]): Promise<Metrics> => {
  metrics = await openMetrics({checks: [info], stores: () => stores});
  return metrics;
};

const families = async (): Promise<Map<string, Family>> =>
  new Map(parse(await metrics.text()).map(family => [family.name, family]));
const series = async (name: string, label: string): Promise<Record<string, number>> =>
  Object.fromEntries(
    ((await families()).get(name)?.metrics ?? []).map(({labels, value}) => [labels![label], Number(value)]),
  );

const down = roundOf({status: 'error', total: 0, byReason: {}, sessions: null, blockedCustomers: null});

test('the metrics of the contract, by their names, types and labels', async () => {
  const {round, ran} = await open();
  round(roundOf());
  ran({check: id, action: 'cancel', applied: 3, skipped: 1, failed: 0, unknown: 0} as RunResult);
  const all = await families();
  const labels = {store: 'rides', check: id};
  expect(
    [...all.values()]
      .filter(({name}) => name.startsWith('sesstui_'))
      .map(({name, type, metrics: own}) => [name, type, Object.keys(own[0]!.labels ?? {})]),
  ).toEqual([
    ['sesstui_findings', 'GAUGE', ['store', 'check', 'reason']],
    ['sesstui_sessions', 'GAUGE', ['store', 'check', 'status']],
    ['sesstui_store_up', 'GAUGE', ['store']],
    ['sesstui_blocked_customers', 'GAUGE', ['store', 'check']],
    ['sesstui_last_success_timestamp_seconds', 'GAUGE', ['store', 'check']],
    ['sesstui_check_duration_seconds', 'HISTOGRAM', expect.anything()],
    ['sesstui_changes_total', 'COUNTER', ['store', 'check', 'action', 'result']],
  ]);
  expect(all.get('sesstui_blocked_customers')!.metrics).toEqual([{labels, value: '3'}]);
  expect(all.get('sesstui_last_success_timestamp_seconds')!.metrics).toEqual([
    {labels, value: String(Date.parse('2026-11-21T01:42:10.000Z') / 1000)},
  ]);
  expect(all.get('sesstui_check_duration_seconds')!.metrics).toMatchObject([
    {buckets: {'0.01': '0', '0.025': '1', '+Inf': '1'}},
  ]);
  expect(await series('sesstui_changes_total', 'result')).toEqual({
    applied: 3,
    skipped: 1,
    failed: 0,
    unknown: 0,
  });
  expect(await series('sesstui_store_up', 'store')).toEqual({rides: 1});
});

test('every reason of a check has a number, 0 where nothing was found', async () => {
  (await open()).round(roundOf());
  const expected = Object.fromEntries(stale.reasons.map(({name}) => [name, 0]));
  expect(await series('sesstui_findings', 'reason')).toEqual({
    ...expected,
    'very-stale-waiting': 2,
    'stale-waiting': 1,
    orphaned: 2,
  });
});

test('a run that was cut short and then finished counts each change once', async () => {
  const {round} = await open();
  const run = {run: 'r1', check: id, action: 'cancel', skipped: 0, failed: 0, unknown: 0} as RunResult;
  round(roundOf({}, {runs: [{...run, applied: 100, interrupted: true}]}));
  round(roundOf({}, {runs: [{...run, applied: 150, skipped: 2, interrupted: true}]}));
  round(roundOf({}, {runs: [{...run, applied: 154, skipped: 2, interrupted: false}]}));
  expect(await series('sesstui_changes_total', 'result')).toEqual({
    applied: 154,
    skipped: 2,
    failed: 0,
    unknown: 0,
  });
});

test('a status that is gone has no series any more', async () => {
  const {round} = await open();
  round(roundOf({sessions: {waiting: 2, odd: 1}}));
  expect(await series('sesstui_sessions', 'status')).toEqual({waiting: 2, odd: 1});
  round(roundOf({sessions: {waiting: 1}}));
  expect(await series('sesstui_sessions', 'status')).toEqual({waiting: 1});
});

test('of a check without an answer there is no number, only when it last had one', async () => {
  const stores = [rides];
  const {round} = await open(stores);
  round(roundOf());
  stores[0] = {...rides, state: 'down'};
  round(down);
  expect(await series('sesstui_findings', 'reason')).toEqual({});
  expect(await series('sesstui_sessions', 'status')).toEqual({});
  expect(await series('sesstui_blocked_customers', 'store')).toEqual({});
  expect(await series('sesstui_store_up', 'store')).toEqual({rides: 0});
  expect(await series('sesstui_last_success_timestamp_seconds', 'store')).toEqual({
    rides: Date.parse('2026-11-21T01:42:10.000Z') / 1000,
  });
});

test('a store that nobody has asked yet is neither up nor down; one that never answered is down', async () => {
  const {round} = await open([{...rides, state: 'connecting'}]);
  expect(await series('sesstui_store_up', 'store')).toEqual({});
  round(down);
  expect(await series('sesstui_store_up', 'store')).toEqual({rides: 0});
});

test('runs of a round are counted, and of a dry run nothing is', async () => {
  const {round} = await open();
  const run = {
    check: id,
    action: 'cancel',
    planned: 3,
    applied: 2,
    skipped: 0,
    failed: 1,
    unknown: 0,
  } as RunResult;
  round(roundOf({}, {runs: [run, run]}));
  expect(await series('sesstui_changes_total', 'result')).toEqual({
    applied: 4,
    skipped: 0,
    failed: 2,
    unknown: 0,
  });
});

test('hostile statuses are few, short and read back as they are shown', async () => {
  const statuses = Object.fromEntries(Array.from({length: 500}, (_, index) => [`s${index}`, index]));
  const hostile = {'a"b\\c\nd} 1': 1000, '\u001b[2J\u202eevil': 1001, ['x'.repeat(5000)]: 1002, '': 1003};
  (await open()).round(roundOf({sessions: {...statuses, ...hostile}}));
  const told = await series('sesstui_sessions', 'status');
  expect(Object.keys(told)).toHaveLength(51);
  expect(told['a"b\\c\\nd} 1']).toBe(1000);
  expect(told['\\x1b[2J\\u202eevil']).toBe(1001);
  expect(Math.max(...Object.keys(told).map(label => label.length))).toBeLessThanOrEqual(100);
  const sum = (counts: Record<string, number>): number =>
    Object.values(counts).reduce((all, count) => all + count, 0);
  expect(sum(told)).toBe(sum(statuses) + sum(hostile));
  expect(await metrics.text()).not.toContain('\u001b');
});

test('a status called other is counted with the rest, and ties are always cut at the same place', () => {
  const many = Object.fromEntries(Array.from({length: 60}, (_, index) => [`s${index}`, 1]));
  expect(statusLabels({...many, other: 5}).get('other')).toBe(5 + 11);
  expect([...statusLabels(many)]).toEqual([
    ...statusLabels(Object.fromEntries(Object.entries(many).reverse())),
  ]);
});
