/** Which alerts a round begins and ends. */
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {keptCustomers, keptRuns} from '../../source/watch/alerts/cancelled.js';
import {decide} from '../../source/watch/alerts/decide.js';
import type {Alert, Decided} from '../../source/watch/alerts/types.js';
import {iso, minute, round, type Short, start} from './rounds.js';

/** The alerts of one round after the other, through JSON as what is remembered goes. */
const play = (...shorts: Short[]): {alerts: Alert[][]; memory: Decided; notes: string[]} => {
  let memory: Decided | null = null;
  const notes: string[] = [];
  const alerts = shorts.map(short => {
    const decision = decide(memory, round(short), start + (short.at ?? 0) * minute);
    memory = JSON.parse(JSON.stringify(decision.memory)) as Decided;
    notes.push(...decision.notes);
    return decision.alerts;
  });
  return {alerts, memory: memory!, notes};
};

const names = (alerts: Alert[][]): string[][] =>
  alerts.map(list => list.map(({alert, of}) => (of ? `${alert} ${of}` : alert)));

test('problems begin with the first look that finds them and end with the second without', () => {
  const {alerts} = play(
    {at: 0},
    {at: 5, found: {'stale-waiting': 3, 'unknown-age': 2}},
    {at: 10, found: {'stale-waiting': 9}},
    {at: 15},
    {at: 20},
    {at: 25},
  );
  expect(names(alerts)).toEqual([[], ['problems'], [], [], ['resolved problems'], []]);
  expect(alerts[1]![0]).toEqual({
    alert: 'problems',
    environment: 'staging',
    store: 'rides',
    check: 'rides/stale-sessions',
    count: 3,
    since: iso(start + 5 * minute),
    text: '[staging] rides/stale-sessions: 3 problems (3 stale-waiting)',
  });
  expect(alerts[4]![0]).toEqual({
    alert: 'resolved',
    environment: 'staging',
    store: 'rides',
    check: 'rides/stale-sessions',
    count: 0,
    since: iso(start + 5 * minute),
    text: '[staging] rides/stale-sessions: no problems any more (it began 2026-11-21T10:05:00.000Z)',
    of: 'problems',
  });
});

test('findings of severity info alone are no problem', () => {
  const info = round({found: {'unknown-age': 2}});
  info.look.status = 'pass';
  expect(decide(null, info, start).alerts).toEqual([]);
});

test('one look without it does not end what comes and goes', () => {
  const {alerts} = play(
    {at: 0, found: {'stale-waiting': 1}},
    {at: 5},
    {at: 10, found: {'stale-waiting': 1}},
    {at: 15},
    {at: 20, found: {'stale-waiting': 1}},
    {at: 25},
    {at: 30},
  );
  expect(names(alerts)).toEqual([['problems'], [], [], [], [], [], ['resolved problems']]);
  expect(alerts[6]![0]!.since).toBe(iso(start));
});

test('what a cleaning left is told when the next look finds it too', () => {
  const left = {found: {'stale-waiting': 1}, cancelled: {a: ['c1']}};
  expect(names(play({at: 0, ...left}, {at: 1, cancelled: {b: ['c2']}}).alerts)).toEqual([
    ['sessions-cancelled'],
    ['sessions-cancelled'],
  ]);
  const twice = play({at: 0, ...left}, {at: 1, ...left, cancelled: {b: ['c2']}});
  expect(names(twice.alerts)).toEqual([['sessions-cancelled'], ['problems', 'sessions-cancelled']]);
  expect(twice.alerts[1]![0]!.since).toBe(iso(start));
});

test('very stale sessions are told besides the problems', () => {
  const {alerts} = play(
    {found: {'very-stale-waiting': 2, 'stale-waiting': 1}},
    {found: {'stale-waiting': 1}},
  );
  expect(names(alerts)).toEqual([['problems', 'very-stale'], []]);
  expect(alerts[0]![1]!.count).toBe(2);
  expect(alerts[0]![1]!.text).toContain('2 sessions have been waiting for longer than veryStaleAfter');
});

test('a look that ends in an error neither begins nor ends problems', () => {
  const {alerts} = play(
    {at: 0, found: {'stale-waiting': 1}},
    {at: 1, error: 'timeout'},
    {at: 2, error: 'timeout'},
    {at: 3, error: 'timeout'},
    {at: 4, found: {'stale-waiting': 1}},
  );
  expect(names(alerts)).toEqual([['problems'], [], [], [], []]);
});

test('a store is down with the second look in a row that does not reach it, once for all its checks', () => {
  const {alerts} = play(
    {at: 0, error: 'unreachable'},
    {at: 0, check: 'rides/other', error: 'unreachable'},
    {at: 5, error: 'unreachable'},
    {at: 5, check: 'rides/other', error: 'unreachable'},
    {at: 10, error: 'unreachable'},
    {at: 15},
    {at: 15, check: 'rides/other'},
    {at: 20},
  );
  expect(names(alerts)).toEqual([[], [], ['store-down'], [], [], [], ['resolved store-down'], []]);
  expect(alerts[2]![0]).toMatchObject({
    store: 'rides',
    check: null,
    since: iso(start),
    text: "[staging] rides can't be reached: connect ECONNREFUSED",
  });
});

test('one failed look alone is not a store that is down, nor is one that was not answered in time', () => {
  const {alerts, memory} = play(
    {error: 'unreachable'},
    {},
    {error: 'unreachable'},
    {},
    {error: 'timeout'},
    {
      error: 'timeout',
    },
  );
  expect(alerts.flat()).toEqual([]);
  expect(memory.conditions).toEqual({});
});

test('each run is told once with its customers, and again when it was finished after an interruption', () => {
  const {alerts} = play(
    {cancelled: {r1: ['c1', 'c2']}, interrupted: true},
    {cancelled: {r1: ['c1', 'c2']}},
    {cancelled: {r1: ['c1', 'c2', 'c3']}},
    {cancelled: {r2: ['c1']}},
  );
  expect(alerts.map(list => list.map(({run, count, customers}) => ({run, count, customers})))).toEqual([
    [{run: 'r1', count: 2, customers: ['c1', 'c2']}],
    [],
    [{run: 'r1', count: 3, customers: ['c1', 'c2', 'c3']}],
    [{run: 'r2', count: 1, customers: ['c1']}],
  ]);
});

test('a run of many customers comes in messages of at most a thousand, none left out', () => {
  const customers = Array.from({length: 2500}, (_, index) => `customer-${index}`);
  const alerts = play({cancelled: {r1: customers}}).alerts[0]!;
  expect(alerts.map(({part, parts, customers}) => [part, parts, customers!.length])).toEqual([
    [1, 3, 1000],
    [2, 3, 1000],
    [3, 3, 500],
  ]);
  expect(alerts.flatMap(alert => alert.customers)).toEqual(customers);
});

test('long ids make shorter messages', () => {
  const customers = Array.from({length: 5}, (_, index) => `${index}`.repeat(150_000));
  const alerts = play({cancelled: {r1: customers}}).alerts[0]!;
  expect(alerts.map(({customers}) => customers!.length)).toEqual([1, 1, 1, 1, 1]);
  expect(alerts[0]!.text.length).toBeLessThan(2000);
});

test('a customer who was cancelled in three runs within a day is told once, and again a day later', () => {
  const hour = 60;
  const {alerts} = play(
    {at: 0, cancelled: {r1: ['c1', 'c2']}},
    {at: hour, cancelled: {r2: ['c1']}},
    {at: 2 * hour, cancelled: {r3: ['c1', 'c2']}},
    {at: 3 * hour, cancelled: {r4: ['c1', 'c2']}},
    {at: 24 * hour},
    {at: 26 * hour},
    {at: 26 * hour + 1},
  );
  const blocked = alerts.map(list => list.filter(({alert}) => alert !== 'sessions-cancelled'));
  expect(names(blocked)).toEqual([
    [],
    [],
    ['blocked-repeatedly'],
    ['blocked-repeatedly'],
    ['resolved blocked-repeatedly'],
    ['resolved blocked-repeatedly'],
    [],
  ]);
  expect(blocked.flat().map(({customers}) => customers)).toEqual([['c1'], ['c2'], ['c2'], ['c1']]);
  expect(blocked[2]![0]!.text).toBe(
    '[staging] rides/stale-sessions: sessions of 1 customer were cancelled in three runs within a day: c1',
  );
});

test('three sessions in one run, or a run told twice, are not three runs', () => {
  const {alerts} = play(
    {cancelled: {r1: ['c1', 'c1', 'c1']}},
    {cancelled: {r1: ['c1', 'c1', 'c1', 'c1']}},
    {cancelled: {r2: ['c1']}},
  );
  expect(names(alerts).flat()).not.toContain('blocked-repeatedly');
});

test('what is remembered is bounded, and one is told', () => {
  const many = Array.from({length: keptCustomers}, (_, index) => `customer-${index}`);
  const {memory, notes} = play(
    {cancelled: {r1: ['early']}},
    {cancelled: {r2: many}},
    {cancelled: {r3: many}},
  );
  const [kept] = Object.values(memory.cancelled);
  expect(kept!.customers).toHaveLength(keptCustomers);
  expect(kept!.customers.map(([customer]) => customer)).not.toContain('early');
  expect(notes).toHaveLength(1);
  const runs = Array.from({length: keptRuns + 5}, (_, index): Short => ({cancelled: {[`r${index}`]: ['c']}}));
  expect(play(...runs).memory.runs).toHaveLength(keptRuns);
});

test('ids that objects have of their own are customers like others', () => {
  const ids = ['__proto__', 'constructor', 'toString'];
  const {alerts} = play({cancelled: {r1: ids}}, {cancelled: {r2: ids}}, {cancelled: {r3: ids}});
  expect(alerts[2]!.find(({alert}) => alert === 'blocked-repeatedly')!.customers).toEqual(ids);
});

test('names and messages from outside are one safe line', () => {
  const {alerts} = play(
    {cancelled: {r1: ['a\u001b[31m\nb\u202e']}},
    {error: 'unreachable', message: `x\u001b]0;y\u0007\n${'z'.repeat(10_000)}`},
    {error: 'unreachable', message: `x\u001b]0;y\u0007\n${'z'.repeat(10_000)}`},
  );
  for (const {text} of alerts.flat()) {
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(1000);
  }
  expect(alerts[0]![0]!.customers).toEqual(['a\u001b[31m\nb\u202e']);
});

test('whatever the looks say, each alert begins, ends, begins, ends', () => {
  const look = fc.oneof(
    fc.record({
      found: fc.constantFrom<Record<string, number>[]>({}, {'stale-waiting': 1}, {'very-stale-waiting': 1}),
    }),
    fc.record({error: fc.constantFrom<'unreachable' | 'timeout'>('unreachable', 'timeout')}),
    fc.record({cancelled: fc.constantFrom<Record<string, string[]>>({x: ['c']}, {})}),
  );
  const where = fc.record({check: fc.constantFrom('rides/stale-sessions', 'rides/b', 'gym/c')});
  fc.assert(
    fc.property(fc.array(fc.tuple(where, look), {maxLength: 60}), looks => {
      const {alerts} = play(...looks.map(([place, seen], at): Short => ({at, ...place, ...seen})));
      const open = new Map<string, string>();
      for (const {alert, of, store, check, since} of alerts.flat()) {
        if (alert === 'sessions-cancelled') continue;
        const key = `${of ?? alert} ${store} ${check}`;
        expect(open.has(key)).toBe(alert === 'resolved');
        if (alert === 'resolved') {
          expect(since).toBe(open.get(key));
          open.delete(key);
        } else open.set(key, since);
      }
    }),
  );
});
