/** Runs what the state machine asks for, and tells it what came of it. All I/O of the screen is here. */

import type {Effect, Message} from '../state/messages.js';
import type {Engine, Plan, Progress} from '../types.js';
import {createArming} from './arming.js';
import {createCustomerAsker} from './ask-customer.js';
import {copySequence} from './clipboard.js';
import type {CustomerOptions, CustomerReport} from './customer.js';
import {exportFindings} from './export.js';
import {errorOf, look, lookFor} from './look.js';

/** The engine as the screen needs it; the last two only where the engine can tell about customers. */
export type UiEngine = Engine & {
  customer?: (id: string, options: CustomerOptions) => Promise<CustomerReport>;
  planUnblock?: (report: CustomerReport, options: {signal: AbortSignal}) => Promise<Plan[]>;
};

export type Surroundings = {
  send(message: Message): void;
  /** Writes a sequence that the terminal acts on. */
  control(sequence: string): void;
  /** Calls back once the next frame is on the terminal. */
  afterPaint(listener: () => void): void;
  suspend(): void;
  quit(code: number): void;
};

export type Effects = {run(effect: Effect): void /** Gives up everything that is under way. */; stop(): void};

export const createEffects = (engine: UiEngine, around: Surroundings): Effects => {
  const {send} = around;
  const arming = createArming(around.afterPaint, () => tell({type: 'armed'}));
  const all = new AbortController();
  let planning = new AbortController();
  let running = new AbortController();
  const customers = createCustomerAsker(engine, message => tell(message));
  /** The last question to each check: the next waits for it, so that a check never overlaps itself. */
  const asked = new Map<string, Promise<void>>();

  const inTurn = (check: string, ask: () => Promise<Message>): void => {
    const before = asked.get(check) ?? Promise.resolve();
    asked.set(
      check,
      before.then(async () => {
        if (!all.signal.aborted) tell(await ask());
      }),
    );
  };
  const tell = (message: Message): void => {
    if (!all.signal.aborted) send(message);
  };
  /** Tells what a promise comes to, or the error that it ends with. */
  const answer = <T>(
    promise: Promise<T>,
    good: (value: T) => Message,
    bad: (thrown: unknown) => Message,
  ): void => {
    promise.then(
      value => tell(good(value)),
      thrown => tell(bad(thrown)),
    );
  };

  const plan = (
    ticket: number,
    make: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<Plan>,
  ): void => {
    planning = new AbortController();
    const made = make(planning.signal, progress => tell({type: 'plan-progress', ticket, progress}));
    answer(
      made,
      value => ({type: 'planned', ticket, plan: value}),
      thrown => ({type: 'plan-failed', ticket, error: errorOf(thrown)}),
    );
  };

  const carryOut = (wanted: Plan, confirmed: string[], note?: string): void => {
    running = new AbortController();
    const onProgress = (progress: Progress): void => tell({type: 'progress', progress});
    answer(
      engine.run(wanted, {confirmed, note, signal: running.signal, onProgress}),
      result => ({type: 'ran', result}),
      thrown => ({type: 'run-failed', error: errorOf(thrown)}),
    );
  };

  const unlock = (typed: string): void => {
    try {
      tell({type: 'unlocked', until: Date.now() + engine.unlock(typed)});
    } catch (thrown) {
      tell({type: 'unlock-failed', error: errorOf(thrown)});
    }
  };

  const verify = (check: string, ids: string[]): void =>
    inTurn(check, async () => {
      const there = await lookFor(engine, check, ids, all.signal).catch(() => ids);
      return {type: 'verified', check, asked: ids, there};
    });

  const said = (text: string, tone: 'good' | 'bad'): Message => ({type: 'said', text, tone});

  const save = (check: string, format: 'csv' | 'json', filter: string): void => {
    const request = {check, format, filter, directory: process.cwd(), now: new Date()};
    answer(
      exportFindings(engine, request, all.signal),
      ({path, count}) => said(`${count} ${count === 1 ? 'finding' : 'findings'} written to ${path}`, 'good'),
      thrown => said(errorOf(thrown).message, 'bad'),
    );
  };

  const planUnblock = (ticket: number, report: CustomerReport): void => {
    if (!engine.planUnblock) return;
    planning = new AbortController();
    answer(
      engine.planUnblock(report, {signal: planning.signal}),
      plans => ({type: 'unblock-planned', ticket, plans}),
      thrown => ({type: 'plan-failed', ticket, error: errorOf(thrown)}),
    );
  };

  const copy = (text: string, what?: string): void => {
    const {sequence, told} = copySequence(text, what);
    around.control(sequence);
    tell(said(told, 'good'));
  };

  const run = (effect: Effect): void => {
    switch (effect.effect) {
      case 'load':
        for (const page of effect.pages)
          inTurn(effect.check, () => look(engine, effect.check, page, all.signal));
        break;
      case 'verify':
        verify(effect.check, effect.ids);
        break;
      case 'history':
        answer(
          engine.history(),
          runs => ({type: 'history', runs, now: Date.now()}),
          thrown => ({type: 'history-failed', error: errorOf(thrown), now: Date.now()}),
        );
        break;
      case 'plan':
        plan(effect.ticket, (signal, onProgress) =>
          engine.plan(effect.check, effect.action, effect.selection, {signal, onProgress}),
        );
        break;
      case 'plan-undo':
        plan(effect.ticket, signal => engine.planUndo(effect.run, {signal}));
        break;
      case 'plan-resume':
        plan(effect.ticket, signal => engine.planResume(effect.run, {signal}));
        break;
      case 'cancel-plan':
        planning.abort();
        break;
      case 'release':
        // An engine that holds nothing for a plan has nothing to let go of.
        void (effect.plan as Plan & {close?: () => Promise<void>}).close?.();
        break;
      case 'run':
        carryOut(effect.plan, effect.confirmed, effect.note);
        break;
      case 'stop':
        running.abort();
        break;
      case 'arm':
        arming.begin(effect);
        break;
      case 'hold':
        arming.hold();
        break;
      case 'unlock':
        unlock(effect.typed);
        break;
      case 'lock':
        engine.lock();
        break;
      case 'copy':
        copy(effect.text, effect.what);
        break;
      case 'export':
        save(effect.check, effect.format, effect.filter);
        break;
      case 'customer':
        void customers.ask(effect.id, effect.question);
        break;
      case 'leave-customer':
        customers.stop();
        break;
      case 'plan-unblock':
        planUnblock(effect.ticket, effect.report);
        break;
      case 'suspend':
        around.suspend();
        break;
      case 'quit':
        around.quit(effect.code);
        break;
    }
  };

  return {
    run,
    stop() {
      all.abort();
      planning.abort();
      running.abort();
      customers.stop();
    },
  };
};
