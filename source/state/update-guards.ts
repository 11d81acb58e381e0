/** Reading the guards' states: when it is due, and what comes of it. */
import {atGuard, guardHere, guardIndex, guardName, wantingOf} from './guards.js';
import type {Message} from './messages.js';
import type {State} from './state.js';
import {type Step, step} from './step.js';

type Of<Type extends Message['type']> = Extract<Message, {type: Type}>;

/** Reads them anew, whatever is under way: an answer to a question from before a run tells of the time before it. */
export const askGuards = (state: State): Step => {
  const question = state.guards.question + 1;
  const guards = {...state.guards, question, loading: true, askedAt: state.now};
  return step({...state, guards}, {effect: 'guards', question});
};

/** The same unless they are being read already. */
export const readGuards = (state: State): Step => (state.guards.loading ? step(state) : askGuards(state));

/** Time went on: they are read while one looks at them, one question at a time, and not in the middle of a run. */
export const guardsWatched = (state: State): Step => {
  const {guards, view, mode, now} = state;
  if (view !== 'guards' || guards.loading || mode.name === 'guard-running') return step(state);
  if (state.paused && guards.askedAt !== null) return step(state);
  const isDue = guards.askedAt === null || now - guards.askedAt >= state.refreshMs;
  return isDue ? askGuards(state) : step(state);
};

export const guardsAnswered = (state: State, message: Of<'guards'>): Step => {
  if (message.question !== state.guards.question) return step(state);
  const now = Math.max(state.now, message.now);
  const guards = {...state.guards, items: message.guards, loading: false, answeredAt: now, error: null};
  const next: State = {...state, now, guards};
  return step(atGuard(next, guardIndex(next)));
};

export const guardsFailed = (state: State, {question, error}: Of<'guards-failed'>): Step =>
  step(
    question === state.guards.question ? {...state, guards: {...state.guards, loading: false, error}} : state,
  );

/** The state with the cursor at what a check that was just cleaned is missing; as it is where nothing is. */
export const atWanting = (state: State): State => {
  const {mode, guards} = state;
  if (mode.name !== 'results') return state;
  const [first] = wantingOf(state, mode.result.check);
  const index = first ? (guards.items ?? []).indexOf(first) : -1;
  return index < 0 ? state : atGuard(state, index);
};

/** Enter: all of the guard under the cursor. */
export const openGuard = (state: State): Step => {
  const guard = guardHere(state);
  return step(guard ? {...state, mode: {name: 'guard-details', guard: guardName(guard), top: 0}} : state);
};

/** `y`: the migration of the guard; one that has none says so by doing nothing. */
export const copyGuard = (state: State): Step => {
  const guard = guardHere(state);
  const text = guard && (guard.state === 'installed' ? guard.down : guard.up);
  if (!guard || !text) return step(state);
  const which = guard.state === 'installed' ? 'uninstalls' : 'installs';
  return step(state, {effect: 'copy', text, what: `the script that ${which} ${guard.guard}`});
};
