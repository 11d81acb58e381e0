/** Arrays are stored sorted. */
import type {RuleKeeper, RuleOf} from './rule.js';

export const sorted: RuleKeeper<RuleOf<'sorted'>> = {
  unavailable: () => 'there is no guard for this here yet',
  state: async () => ({state: 'unavailable', why: 'there is no guard for this here yet'}),
  tasks: async () => [],
  script: () => [],
  async *prove() {},
};
