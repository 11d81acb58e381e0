/** The screen without a terminal: the state machine with an engine's answers put in by hand, and its frames. */
import {render} from 'ink-testing-library';
import {createElement} from 'react';
import type {GuardProgress} from '../../source/guards.js';
import type {Effect, Message} from '../../source/state/messages.js';
import {initialState, type State} from '../../source/state/state.js';
import {update} from '../../source/state/update.js';
import {planOf} from '../../source/ui/guarding.js';
import {look, lookFor} from '../../source/ui/look.js';
import {App, type Store} from '../../views/app.js';
import {createFakeEngine, type FakeEngine, type FakeOptions} from './fake-engine.js';

export const NOW = Date.parse('2026-11-21T01:42:10.000Z');

export type Screen = {
  engine: FakeEngine;
  store: Store;
  state(): State;
  /** Effects that were asked for and are left to the test: all but looking. */
  effects: Effect[];
  send(message: Message): void;
  /** Presses keys by their names, one after another. */
  press(...keys: string[]): void;
  /** Answers every look that was asked for, until nothing is asked any more. */
  settle(): Promise<void>;
  /** Time goes on by this many seconds. */
  pass(seconds: number): void;
};

export type ScreenOptions = FakeOptions & {
  columns?: number;
  rows?: number;
  standIns?: string[];
  color?: boolean;
  canCustomer?: boolean;
};

/** A state machine on a fake engine, before anything was answered. */
export const openScreen = (options: ScreenOptions = {}): Screen => {
  const engine = createFakeEngine(options);
  const effects: Effect[] = [];
  const looks: Effect[] = [];
  const listeners = new Set<() => void>();
  let now = NOW;
  let state = initialState(engine, engine.status(), {
    color: options.color ?? false,
    standIns: options.standIns ?? null,
    canCustomer: options.canCustomer ?? false,
    now,
    size: {columns: options.columns ?? 80, rows: options.rows ?? 24},
  });
  const send = (message: Message): void => {
    const next = update(state, message);
    state = next.state;
    for (const effect of next.effects) {
      const isLook = ['load', 'verify', 'history', 'guards'].includes(effect.effect);
      (isLook ? looks : effects).push(effect);
    }
    for (const listener of listeners) listener();
  };
  engine.onStatus(stores => send({type: 'status', stores}));
  const {signal} = new AbortController();
  const answer = async (effect: Effect): Promise<void> => {
    if (effect.effect === 'load') {
      for (const page of effect.pages)
        send({...(await look(engine, effect.check, page, signal)), now} as Message);
    } else if (effect.effect === 'verify') {
      const there = await lookFor(engine, effect.check, effect.ids, signal);
      send({type: 'verified', check: effect.check, asked: effect.ids, there});
    } else if (effect.effect === 'history') {
      send({type: 'history', runs: await engine.history(), now});
    } else if (effect.effect === 'guards') {
      send({type: 'guards', question: effect.question, guards: await engine.guards(), now});
    }
  };
  return {
    engine,
    effects,
    send,
    state: () => state,
    store: {
      get: () => state,
      subscribe: listener => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      send,
    },
    press: (...keys) => {
      for (const key of keys) send({type: 'key', key});
    },
    settle: async () => {
      for (let effect = looks.shift(); effect; effect = looks.shift()) await answer(effect);
    },
    pass: seconds => {
      now += seconds * 1000;
      send({type: 'tick', now});
    },
  };
};

/** The same with every check looked at once. */
export const openLooked = async (options: ScreenOptions = {}): Promise<Screen> => {
  const screen = openScreen(options);
  screen.pass(0);
  await screen.settle();
  return screen;
};

/** Carries out the plan, undo or run that was asked for last, as source/ui does. */
export const answerLast = async (screen: Screen): Promise<void> => {
  const effect = screen.effects.at(-1);
  const {engine, send} = screen;
  if (effect?.effect === 'plan') {
    const plan = await engine.plan(effect.check, effect.action, effect.selection);
    send({type: 'planned', ticket: effect.ticket, plan});
  } else if (effect?.effect === 'plan-undo') {
    send({type: 'planned', ticket: effect.ticket, plan: await engine.planUndo(effect.run)});
  } else if (effect?.effect === 'plan-resume') {
    send({type: 'planned', ticket: effect.ticket, plan: await engine.planResume(effect.run)});
  } else if (effect?.effect === 'plan-guards') {
    const plan = await planOf(engine, effect.request);
    send({type: 'guards-planned', ticket: effect.ticket, plan});
  } else if (effect?.effect === 'run-guards') {
    const {plan, confirmed, note} = effect;
    const onProgress = (progress: GuardProgress): void => send({type: 'guard-progress', progress});
    send({type: 'guards-ran', result: await engine.runGuards(plan, {confirmed, note, onProgress})});
  } else if (effect?.effect === 'unlock') {
    send({type: 'unlocked', until: screen.state().now + engine.unlock(effect.typed)});
  } else if (effect?.effect === 'run') {
    const options = {confirmed: effect.confirmed, note: effect.note};
    const onProgress = (
      progress: Parameters<NonNullable<Parameters<FakeEngine['run']>[1]>['onProgress'] & object>[0],
    ) => send({type: 'progress', progress});
    send({type: 'ran', result: await engine.run(effect.plan, {...options, onProgress})});
  } else {
    throw new Error(`nothing to answer: ${JSON.stringify(effect)}`);
  }
};

/** The screen drawn by Ink, at the size that its state has. */
export const draw = (screen: Screen) => {
  const app = createElement(App, {store: screen.store});
  const drawn = render(app);
  // The library's terminal is 100 columns wide whatever is asked for.
  Object.defineProperty(drawn.stdout, 'columns', {get: () => screen.state().size.columns});
  drawn.rerender(app);
  return drawn;
};

/** The frame of the state as it is now. */
export const frameOf = (screen: Screen): string => {
  const drawn = draw(screen);
  const frame = drawn.lastFrame() ?? '';
  drawn.unmount();
  return frame;
};
