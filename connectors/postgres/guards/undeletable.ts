/** Background and protected sessions are not deleted. */
import type {RuleKeeper, RuleOf} from './rule.js';

export const undeletable: RuleKeeper<RuleOf<'undeletable'>> = {
  unavailable: () => 'there is no guard for this here yet',
  state: async () => ({state: 'unavailable', why: 'there is no guard for this here yet'}),
  tasks: async () => [],
  script: () => [],
  async *prove() {},
};
