/** The keeper of a store that has no guards: each rule is unavailable, and says why. */
import {SesstuiError} from './errors.js';
import type {GuardKeeper, GuardRule} from './guards.js';

export const noGuards = (why: (rule: GuardRule) => string): GuardKeeper => {
  const refuse = (rule: GuardRule): never => {
    throw new SesstuiError('unsupported', why(rule));
  };
  return {
    refuses: why,
    state: async rule => ({state: 'unavailable', why: why(rule)}),
    capture: async () => null,
    steps: async rule => refuse(rule),
    perform: async rule => refuse(rule),
    script: async () => '',
    // biome-ignore lint/correctness/useYield: there is nothing to prove
    async *prove(rules) {
      for (const {rule} of rules) refuse(rule);
    },
  };
};
