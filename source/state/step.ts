/** What `update` and its parts return: the next state, and the effects that it asks for. */
import type {Effect} from './messages.js';
import type {State, Toast} from './state.js';

export type Step = {state: State; effects: Effect[]};

export const step = (state: State, ...effects: Effect[]): Step => ({state, effects});

/** Does one thing after another, and gathers what both ask for. */
export const inTurn = (first: Step, next: (state: State) => Step): Step => {
  const second = next(first.state);
  return {state: second.state, effects: [...first.effects, ...second.effects]};
};

const TOAST_MS = 6000;

/** Says something for a few seconds on the line above the keys. */
export const say = (state: State, text: string, tone: Toast['tone'] = 'info'): State => ({
  ...state,
  toast: {text, tone, until: state.now + TOAST_MS},
});
