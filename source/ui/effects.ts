/** Runs what the state machine asks for, and tells it what came of it. All I/O of the screen is here. */
import type {Effect, Message} from '../state/messages.js';
import type {Engine, Plan} from '../types.js';
import {counted} from '../words.js';
import {answer} from './answer.js';
import {createArming} from './arming.js';
import {createCustomerAsker} from './ask-customer.js';
import {copySequence} from './clipboard.js';
import type {CustomerOptions, CustomerReport} from './customer.js';
import {exportFindings} from './export.js';
import {createGuarding} from './guarding.js';
import {errorOf, look, lookFor} from './look.js';
import {createPlanning, type PlanningEngine} from './planning.js';

/** The engine as the screen needs it; what is optional only where the engine can tell about customers. */
export type UiEngine = Engine &
  PlanningEngine & {customer?: (id: string, options: CustomerOptions) => Promise<CustomerReport>};

export type Surroundings = {
  send(message: Message): void;
  /** Writes a sequence that the terminal acts on. */
  control(sequence: string): void;
  /** Calls back once the next frame is on the terminal. */
  afterPaint(listener: () => void): void;
  suspend(): void;
  quit(code: number): void;
};

export type Effects = {
  run(effect: Effect): void;
  /** Gives up everything that is under way. */
  stop(): void;
};

type Handlers = {[Name in Effect['effect']]: (effect: Extract<Effect, {effect: Name}>) => void};

const said = (text: string, tone: 'good' | 'bad'): Message => ({type: 'said', text, tone});

export const createEffects = (engine: UiEngine, around: Surroundings): Effects => {
  const all = new AbortController();
  const tell = (message: Message): void => {
    if (!all.signal.aborted) around.send(message);
  };
  const arming = createArming(around.afterPaint, () => tell({type: 'armed'}));
  const planning = createPlanning(engine, tell);
  const guarding = createGuarding(engine, tell);
  const customers = createCustomerAsker(engine, tell);
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

  const handlers: Handlers = {
    load: ({check, pages}) => {
      for (const page of pages) inTurn(check, () => look(engine, check, page, all.signal));
    },
    verify: ({check, ids}) =>
      inTurn(check, async () => {
        const there = await lookFor(engine, check, ids, all.signal).catch(() => ids);
        return {type: 'verified', check, asked: ids, there};
      }),
    history: () =>
      answer(
        tell,
        engine.history(),
        runs => ({type: 'history', runs, now: Date.now()}),
        thrown => ({type: 'history-failed', error: errorOf(thrown), now: Date.now()}),
      ),
    plan: ({ticket, check, action, selection}) =>
      planning.plan(ticket, (signal, onProgress) =>
        engine.plan(check, action, selection, {signal, onProgress}),
      ),
    'plan-undo': ({ticket, run}) => planning.plan(ticket, signal => engine.planUndo(run, {signal})),
    'plan-resume': ({ticket, run}) => planning.plan(ticket, signal => engine.planResume(run, {signal})),
    'plan-unblock': ({ticket, report}) => planning.unblock(ticket, report),
    guards: ({question}) => guarding.read(question),
    'plan-guards': ({ticket, request}) => guarding.plan(ticket, request),
    'run-guards': ({plan, confirmed, note}) => guarding.carryOut(plan, confirmed, note),
    'cancel-plan': () => {
      planning.cancel();
      guarding.cancel();
    },
    release: ({plan}) => {
      // An engine that holds nothing for a plan has nothing to let go of.
      void (plan as Plan & {close?: () => Promise<void>}).close?.();
    },
    run: ({plan, confirmed, note}) => planning.carryOut(plan, confirmed, note),
    stop: () => {
      planning.stop();
      guarding.stop();
    },
    arm: effect => arming.begin(effect),
    hold: () => arming.hold(),
    unlock: ({typed}) => {
      try {
        tell({type: 'unlocked', until: Date.now() + engine.unlock(typed)});
      } catch (thrown) {
        tell({type: 'unlock-failed', error: errorOf(thrown)});
      }
    },
    lock: () => engine.lock(),
    copy: ({text, what}) => {
      const {sequence, told} = copySequence(text, what);
      around.control(sequence);
      tell(said(told, 'good'));
    },
    export: ({check, format, filter}) => {
      const request = {check, format, filter, directory: process.cwd(), now: new Date()};
      answer(
        tell,
        exportFindings(engine, request, all.signal),
        ({path, count}) => said(`${counted(count, 'finding')} written to ${path}`, 'good'),
        thrown => said(errorOf(thrown).message, 'bad'),
      );
    },
    customer: ({id, question}) => void customers.ask(id, question),
    'leave-customer': () => customers.stop(),
    suspend: () => around.suspend(),
    quit: ({code}) => around.quit(code),
  };

  return {
    // Which handler takes which effect is the type of the table; it can't be told of one that is looked up.
    run: effect => (handlers[effect.effect] as (effect: Effect) => void)(effect),
    stop() {
      all.abort();
      planning.cancel();
      planning.stop();
      guarding.leave();
      customers.stop();
    },
  };
};
