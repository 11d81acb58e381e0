/** What a customer, and how a check's count went, look like. */
import {describe, expect, test} from 'vitest';
import type {CustomerReport} from '../../source/ui/customer.js';
import {clauseOf} from '../../views/customer.js';
import {blockedReport, freeReport, nobody, nothingYet, partReport} from '../support/fake-customer.js';
import {frameOf, NOW, openLooked, type Screen, type ScreenOptions} from '../support/screen.js';
import {golden} from './golden.js';

const wide: ScreenOptions = {columns: 160, rows: 45};

const opened = async (options: ScreenOptions = {}, id = 'customer-7'): Promise<Screen> => {
  const screen = await openLooked({canCustomer: true, ...options});
  screen.press('c', ...id, 'enter');
  return screen;
};
const answer = (screen: Screen, report: CustomerReport, whole = true): void =>
  screen.send({
    type: 'customer',
    question: screen.state().ticket,
    report,
    whole,
    now: screen.state().now,
  });

/** Looked at again after it was unblocked, and followed. */
const free = async (options: ScreenOptions): Promise<Screen> => {
  const screen = await opened(options);
  answer(screen, blockedReport);
  const plan = await screen.engine.plan('rides/stale-sessions', 'cancel', {groups: ['customer-7']});
  screen.press('x');
  screen.send({type: 'unblock-planned', ticket: screen.state().ticket, plans: [plan]});
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press('tab', 'enter');
  screen.send({type: 'ran', result: await screen.engine.run(plan)});
  screen.pass(75);
  answer(screen, freeReport);
  return screen;
};

describe('a customer', () => {
  test('is asked for, with the one of the row under the cursor offered', async () => {
    const screen = await openLooked({canCustomer: true});
    screen.press('4', 'c');
    await golden('customer-prompt', screen);
  });
  test('before any store has answered', async () => {
    const screen = await opened();
    answer(screen, nothingYet, false);
    await golden('customer-first', screen);
  });
  test('while two stores have answered', async () => {
    const screen = await opened();
    answer(screen, partReport, false);
    await golden('customer-part', screen);
  });
  test('that is blocked, with a store down', async () => {
    const screen = await opened();
    screen.engine.setDown('kite', true);
    answer(screen, blockedReport);
    await golden('customer', screen);
  });
  test('on a wide terminal', async () => {
    const screen = await opened(wide);
    answer(screen, blockedReport);
    screen.press('j');
    await golden('customer-wide', screen);
  });
  test('that nobody knows', async () => {
    const screen = await opened({}, 'nobody');
    answer(screen, nobody);
    await golden('customer-nobody', screen);
  });
  test('that no store could be asked about is told with what to do', async () => {
    const screen = await opened();
    const error = {code: 'unreachable', message: 'kite is away.', hint: 'Is it running?'} as const;
    answer(screen, {...nobody, searched: [], errors: [{check: 'kite/duplicates', error}]});
    const frame = frameOf(screen);
    expect(frame).toContain('✘ kite/duplicates: kite is away. Is it running?');
    expect(frame).not.toContain('Looked in');
  });
  test('whose unblocking is planned', async () => {
    const screen = await opened();
    answer(screen, blockedReport);
    const plan = await screen.engine.plan('rides/stale-sessions', 'cancel', {groups: ['customer-7']});
    screen.press('x');
    screen.send({type: 'unblock-planned', ticket: screen.state().ticket, plans: [plan, plan]});
    await golden('customer-plan', screen);
  });
  test('in the results of the run, looked at again', async () => golden('customer-results', await free({})));
  test('that is free and followed', async () => {
    const screen = await free({});
    screen.press('enter', 'w');
    screen.pass(1);
    await golden('customer-free', screen);
  });
  test('at the smallest size still has its verdict and its sessions', async () => {
    const screen = await free({columns: 60, rows: 16});
    screen.press('enter');
    const frame = frameOf(screen);
    expect(frame).toContain('⚠ customer-7: free: nothing blocks any more');
    expect(frame).toContain('d-11');
    for (const line of frame.split('\n')) expect([...line].length).toBeLessThanOrEqual(60);
    expect(frame.split('\n').length).toBeLessThanOrEqual(16);
  });
  test('whose stores are slow to answer again does not flicker until they are called waiting', async () => {
    const screen = await opened();
    answer(screen, freeReport);
    const before = frameOf(screen);
    screen.press('R');
    answer(screen, nothingYet, false);
    expect(frameOf(screen)).toBe(before);
    screen.pass(2);
    expect(frameOf(screen)).toContain('chat …  gym …');
  });
  test('hostile text reaches the terminal as text', async () => {
    const screen = await opened();
    const sessions = blockedReport.sessions.map(session => ({
      ...session,
      status: '\x1b[2J\u202e',
      key: {id: 'a\rb\x07'},
      wrong: ['\x9b31m'],
    }));
    answer(screen, {...blockedReport, verdict: 'x\x1b]0;y\x07', known: ['\u200b\x1b'], sessions});
    const frame = frameOf(screen);
    expect(frame).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]/);
  });
});

const points = (...totals: number[]) =>
  totals.map((total, index) => ({at: NOW - (totals.length - 1 - index) * 300_000, total}));

const withTrends = async (options: ScreenOptions): Promise<Screen> => {
  const screen = await openLooked(options);
  screen.send({
    type: 'trends',
    trends: Object.fromEntries(
      Object.entries({
        'kite/duplicates': points(2, 2, 3, 5, 8, 9, 12, 20, 24),
        'chat/null-ids': points(1204, 1100, 600, 200, 5),
        'gym/device-sessions': points(2, 2),
        'registry/duplicates': points(10, 12_345),
      }).map(([check, list]) => [check, {check, points: list}]),
    ),
  });
  return screen;
};

describe('how a check’s count went', () => {
  test('is the change alone at 80 columns', async () => golden('overview-trends', await withTrends({})));
  test('is a line and the change where there is room', async () =>
    golden('overview-trends-wide', await withTrends(wide)));
  test('goes before the counts do', async () => {
    const frame = frameOf(await withTrends({columns: 60}));
    expect(frame).toContain('12 warning');
    expect(frame).not.toContain('Change');
  });
});

test('a verdict in short is as sure as the whole one', () => {
  expect(
    clauseOf(
      'free: nothing blocks any more, as far as is known (1 session in rides); kite could not be asked',
    ),
  ).toBe('free, as far as is known');
  expect(clauseOf('free: nothing blocks any more (1 session in rides)')).toBe('free');
  expect(clauseOf(freeReport.verdict)).toMatch(/^not blocked, as far as is known \(/);
});
