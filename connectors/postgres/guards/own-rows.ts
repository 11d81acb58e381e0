/** A signed-in user deals with its own device sessions only. */
import type {RuleKeeper, RuleOf} from './rule.js';

export const ownRows: RuleKeeper<RuleOf<'own-rows'>> = {
  unavailable: () => 'there is no guard for this here yet',
  state: async () => ({state: 'unavailable', why: 'there is no guard for this here yet'}),
  tasks: async () => [],
  script: () => [],
  async *prove() {},
};
