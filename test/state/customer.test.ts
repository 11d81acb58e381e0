/** A customer on the screen: answers as they come, following, unblocking, and nothing mixed up or written late. */
import {describe, expect, test} from 'vitest';
import type {Effect} from '../../source/state/messages.js';
import type {Plan} from '../../source/types.js';
import type {CustomerReport} from '../../source/ui/customer.js';
import {blockedReport, freeReport, nobody, nothingYet, partReport, rideId} from '../support/fake-customer.js';
import {openLooked, type Screen, type ScreenOptions} from '../support/screen.js';

const asked = (screen: Screen): Extract<Effect, {effect: 'customer'}>[] =>
  screen.effects.filter(effect => effect.effect === 'customer');
const lastQuestion = (screen: Screen): number => asked(screen).at(-1)!.question;
const answer = (
  screen: Screen,
  report: CustomerReport,
  {whole = true, question = lastQuestion(screen)} = {},
): void => screen.send({type: 'customer', question, report, whole, now: screen.state().now});
const names = (screen: Screen): (string | undefined)[] =>
  (screen.state().customer?.report?.sessions ?? []).map(({key}) => Object.values(key).join());
const verdict = (screen: Screen): string | undefined => screen.state().customer?.report?.verdict;

const opened = async (options: ScreenOptions = {}): Promise<Screen> => {
  const screen = await openLooked({canCustomer: true, ...options});
  screen.press('c', ...'customer-7', 'enter');
  return screen;
};
const blocked = async (options: ScreenOptions = {}): Promise<Screen> => {
  const screen = await opened(options);
  answer(screen, blockedReport);
  return screen;
};

const plansOf = async (screen: Screen, count = 1): Promise<Plan[]> => {
  const one = (): Promise<Plan> =>
    screen.engine.plan('rides/stale-sessions', 'cancel', {groups: ['customer-7']});
  return Promise.all(Array.from({length: count}, one));
};
/** Up to the results of the first of the plans. */
const unblocked = async (screen: Screen, plans: Plan[]): Promise<void> => {
  screen.press('x');
  const {mode} = screen.state();
  if (mode.name !== 'planning') throw new Error(`nothing is planned: ${mode.name}`);
  screen.send({type: 'unblock-planned', ticket: mode.ticket, plans});
  screen.press('x');
  screen.send({type: 'armed'});
  screen.press('tab', 'enter');
  const run = screen.effects.at(-1);
  if (run?.effect !== 'run') throw new Error(`nothing runs: ${JSON.stringify(run)}`);
  screen.send({type: 'ran', result: await screen.engine.run(run.plan, {confirmed: run.confirmed})});
};

describe('asking', () => {
  test('c and Enter on a finding show its customer', async () => {
    const screen = await openLooked({canCustomer: true});
    screen.press('4', 'c');
    expect(screen.state().mode).toEqual({name: 'prompt', text: '', offered: 'customer-7'});
    screen.press('enter');
    expect(asked(screen)).toEqual([{effect: 'customer', question: expect.any(Number), id: 'customer-7'}]);
  });
  test('of a group of several columns the first is offered, and in the details their own', async () => {
    const screen = await openLooked({canCustomer: true});
    screen.press('2', ']', 'enter', 'c');
    const [finding] = screen.engine.findings['registry/duplicates']!;
    expect(screen.state().mode).toMatchObject({offered: (finding!.group as string[])[0]});
  });
  test('a row without an id is offered by its key', async () => {
    const screen = await openLooked({canCustomer: true});
    screen.press('3', 'c');
    const [finding] = screen.engine.findings['chat/null-ids']!;
    expect(screen.state().mode).toMatchObject({offered: Object.values(finding!.rows[0]!.key)[0]});
  });
  test('what is typed wins over what is offered, and nothing at all asks nothing', async () => {
    const screen = await openLooked({canCustomer: true});
    screen.press('4', 'c', 'a', 'enter');
    expect(asked(screen).map(({id}) => id)).toEqual(['a']);
    screen.press('esc', '1', 'c', 'enter');
    expect(asked(screen)).toHaveLength(1);
    expect(screen.state().mode.name).toBe('browse');
  });
  test('Esc in a prompt over a customer goes back to that customer', async () => {
    const screen = await blocked();
    screen.press('c', 'z', 'esc');
    expect(screen.state().mode.name).toBe('customer');
    expect(screen.state().customer?.id).toBe('customer-7');
  });
});

describe('answers', () => {
  test('fill in as each store answers', async () => {
    const screen = await opened();
    answer(screen, nothingYet, {whole: false});
    expect(names(screen)).toEqual([]);
    answer(screen, partReport, {whole: false});
    expect(names(screen)).toEqual([rideId, 'd-11']);
    expect(screen.state().customer?.waiting).toEqual(['kite', 'chat']);
    answer(screen, blockedReport);
    expect(names(screen)).toEqual([rideId, 'd-11', '6730c0ffee']);
    expect(screen.state().customer).toMatchObject({looking: false, waiting: []});
  });
  test('that come late are not those of the next customer', async () => {
    const screen = await blocked();
    const first = lastQuestion(screen);
    screen.press('c', ...'nobody', 'enter');
    answer(screen, blockedReport, {question: first});
    expect(screen.state().customer).toMatchObject({id: 'nobody', report: null});
    answer(screen, nobody);
    answer(screen, blockedReport, {question: first});
    expect(screen.state().customer?.report?.customer).toBe('nobody');
  });
  test('that come after the whole one, or once the customer was left, write nothing', async () => {
    const screen = await blocked();
    answer(screen, partReport, {whole: false});
    expect(names(screen)).toHaveLength(3);
    const question = lastQuestion(screen);
    screen.press('esc');
    expect(screen.effects.at(-1)).toEqual({effect: 'leave-customer'});
    const left = screen.state();
    answer(screen, blockedReport, {question});
    const error = {code: 'internal', message: 'broken', hint: ''} as const;
    screen.send({type: 'customer-failed', question, error, now: left.now});
    expect(screen.state().customer).toBeNull();
    expect(screen.state().mode).toEqual({name: 'browse'});
  });
  test('of another look keep the rows and the verdict of stores that are still asked', async () => {
    const screen = await blocked();
    screen.press('R');
    answer(screen, nothingYet, {whole: false});
    expect(names(screen)).toHaveLength(3);
    expect(verdict(screen)).toBe(blockedReport.verdict);
    answer(
      screen,
      {...freeReport, sessions: freeReport.sessions.slice(0, 1), waiting: ['kite', 'gym', 'chat']},
      {whole: false},
    );
    expect(names(screen)).toHaveLength(3);
    expect(screen.state().customer?.report?.blocked).toBe(false);
    expect(verdict(screen)).toMatch(/^not blocked/);
  });
  test('of a store that has told a part and is asked for more are told once, and as they are now', async () => {
    const screen = await blocked();
    screen.press('R');
    answer(screen, {...partReport, waiting: ['rides', 'gym', 'kite', 'chat']}, {whole: false});
    expect(names(screen)).toEqual([rideId, 'd-11', '6730c0ffee']);
    expect(screen.state().customer?.report?.blockedBy).toHaveLength(1);
    expect(verdict(screen)).toMatch(/; cancelling it unblocks; kite/);
    answer(screen, {...freeReport, waiting: ['rides', 'kite']}, {whole: false});
    expect(names(screen)).toHaveLength(3);
    expect(screen.state().customer?.report).toMatchObject({blocked: false, blockedBy: []});
  });
  test('leave the cursor on its session', async () => {
    const screen = await blocked();
    screen.press('j');
    const above = {...blockedReport.sessions[0]!, key: {id: 'new'}};
    screen.press('R');
    answer(screen, {...blockedReport, sessions: [above, ...blockedReport.sessions]});
    const {customer} = screen.state();
    expect(customer?.report?.sessions[customer.cursor.index]?.key).toEqual({id: 'd-11'});
  });
  test('R while stores are asked says who has not answered, and asks nobody twice', async () => {
    const screen = await opened();
    answer(screen, partReport, {whole: false});
    screen.press('R');
    expect(screen.state().toast?.text).toContain('kite, chat');
    expect(asked(screen)).toHaveLength(1);
  });
});

describe('following', () => {
  test('looks again each refresh, and only then', async () => {
    const screen = await blocked();
    screen.pass(60);
    expect(asked(screen)).toHaveLength(1);
    screen.press('w');
    screen.pass(1);
    expect(asked(screen)).toHaveLength(2);
    screen.pass(60);
    expect(asked(screen)).toHaveLength(2);
    answer(screen, blockedReport);
    screen.pass(1);
    expect(asked(screen)).toHaveLength(3);
    answer(screen, blockedReport);
    screen.pass(4);
    expect(asked(screen)).toHaveLength(3);
    screen.press('w');
    screen.pass(60);
    expect(asked(screen)).toHaveLength(3);
  });
  test('writes down when the verdict changed, and not that only time went on', async () => {
    const screen = await blocked();
    const {now} = screen.state();
    screen.pass(60);
    screen.press('R');
    answer(screen, {...blockedReport, verdict: blockedReport.verdict.replace('42', '43')});
    expect(screen.state().customer?.told).toHaveLength(1);
    screen.pass(60);
    screen.press('R');
    // A part that tells it already does not take the change away.
    answer(screen, {...freeReport, waiting: ['kite']}, {whole: false});
    answer(screen, freeReport);
    expect(screen.state().customer?.told).toEqual([
      {at: now, text: blockedReport.verdict, blocked: true},
      {at: now + 120_000, text: freeReport.verdict, blocked: false},
    ]);
  });
});

describe('unblocking', () => {
  test('plans, asks, runs, and looks again by itself; then tells what was done', async () => {
    const screen = await blocked();
    await unblocked(screen, await plansOf(screen));
    expect(screen.state().mode.name).toBe('results');
    expect(asked(screen)).toHaveLength(2);
    answer(screen, freeReport);
    screen.press('enter');
    expect(screen.state().mode.name).toBe('customer');
    expect(verdict(screen)).toMatch(/^free: nothing blocks any more/);
    expect(screen.state().customer?.done).toHaveLength(1);
    screen.press('y');
    const copied = screen.effects.at(-1);
    expect(copied).toMatchObject({effect: 'copy', what: 'the incident as Markdown'});
    const {text} = copied as Extract<Effect, {effect: 'copy'}>;
    expect(text).toMatch(/\*\*Before:\*\* blocked by session[\s\S]*\*\*After:\*\* free/);
    expect(text).toContain(`sesstui undo ${screen.state().customer?.done[0]?.run} --yes\n`);
  });
  test('an answer from before the run tells nothing of the time after it', async () => {
    const screen = await blocked();
    screen.press('R');
    const before = lastQuestion(screen);
    await unblocked(screen, await plansOf(screen));
    answer(screen, {...nobody, verdict: 'from before'}, {question: before});
    expect(verdict(screen)).toBe(blockedReport.verdict);
    expect(screen.state().customer?.looking).toBe(true);
  });
  test('several plans come one after another, each with its own confirmation', async () => {
    const screen = await blocked();
    const plans = await plansOf(screen, 2);
    await unblocked(screen, plans);
    answer(screen, {...blockedReport, blockedBy: blockedReport.blockedBy});
    const runs = screen.effects.filter(({effect}) => effect === 'run').length;
    screen.press('enter');
    expect(screen.state().mode).toMatchObject({name: 'plan', plan: plans[1]});
    expect(screen.effects.filter(({effect}) => effect === 'run')).toHaveLength(runs);
    screen.press('x', 'enter');
    expect(screen.state().mode).toMatchObject({name: 'confirm', focus: 'cancel', armed: false});
  });
  test('once the customer is free the other plans are let go of', async () => {
    const screen = await blocked();
    const plans = await plansOf(screen, 2);
    await unblocked(screen, plans);
    answer(screen, freeReport);
    screen.press('enter');
    expect(screen.state().mode.name).toBe('customer');
    expect(screen.effects.at(-1)).toEqual({effect: 'release', plan: plans[1]});
  });
  test('giving up lets go of all of them and leads back to the customer', async () => {
    const screen = await blocked();
    const plans = await plansOf(screen, 2);
    screen.press('x');
    screen.send({type: 'unblock-planned', ticket: screen.state().ticket, plans});
    screen.press('esc');
    expect(screen.state().mode.name).toBe('customer');
    expect(screen.effects.slice(-2)).toEqual(plans.map(plan => ({effect: 'release', plan})));
  });
  test('plans that come after they were given up are let go of', async () => {
    const screen = await blocked();
    const plans = await plansOf(screen, 2);
    screen.press('x');
    const {ticket} = screen.state();
    screen.press('esc');
    screen.send({type: 'unblock-planned', ticket, plans});
    expect(screen.state().mode.name).toBe('customer');
    expect(screen.effects.slice(-2)).toEqual(plans.map(plan => ({effect: 'release', plan})));
  });
  test('what is older than a refresh is read again first', async () => {
    const screen = await blocked();
    screen.pass(30);
    screen.press('x');
    expect(screen.state().mode).toMatchObject({name: 'planning', reading: true});
    expect(screen.effects.at(-1)).toMatchObject({effect: 'customer'});
    const free = {...freeReport, errors: []};
    answer(screen, free);
    expect(screen.effects.at(-1)).toMatchObject({effect: 'plan-unblock', report: free});
    screen.send({type: 'unblock-planned', ticket: screen.state().ticket - 1, plans: []});
    expect(screen.state().mode.name).toBe('customer');
    expect(screen.state().toast?.text).toContain('Nothing blocks');
  });
  test('what is alive is not cancelled, and that is said', async () => {
    const screen = await blocked();
    screen.press('x');
    screen.send({type: 'unblock-planned', ticket: screen.state().ticket, plans: []});
    expect(screen.state().toast?.text).toContain('not stale');
  });
  test('a store that could not be asked may hold what blocks, and that is said', async () => {
    const screen = await opened();
    answer(screen, freeReport);
    screen.press('x');
    screen.send({type: 'unblock-planned', ticket: screen.state().ticket, plans: []});
    expect(screen.state().toast?.text).toContain('kite/duplicates could not be asked');
  });
  test('production asks for its name and a reason', async () => {
    const screen = await blocked({production: true});
    screen.press('x');
    screen.send({type: 'unblock-planned', ticket: screen.state().ticket, plans: await plansOf(screen)});
    screen.press('x');
    screen.send({type: 'armed'});
    screen.press('tab', 'tab', 'tab', 'enter');
    expect(screen.effects.filter(({effect}) => effect === 'run')).toEqual([]);
    expect(screen.state().mode).toMatchObject({name: 'confirm', fields: [{kind: 'exact'}, {kind: 'note'}]});
  });
  test('read-only shows the plan and goes no further; :write is offered there and leads back', async () => {
    const screen = await blocked({production: true, readOnlyBy: 'production'});
    screen.press('x');
    screen.send({type: 'unblock-planned', ticket: screen.state().ticket, plans: await plansOf(screen)});
    screen.press('x');
    expect(screen.state().mode.name).toBe('plan');
    expect(screen.state().toast?.text).toContain(':write');
    screen.press('esc', ':', ...'write', 'enter');
    expect(screen.state().mode.name).toBe('unlock');
    screen.press('esc');
    screen.send({type: 'armed'});
    screen.press('esc');
    expect(screen.state().mode.name).toBe('customer');
  });
});
