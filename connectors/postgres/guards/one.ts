/** Of the rows that match, one for each key. */
import type {RuleKeeper, RuleOf} from './rule.js';

export const one: RuleKeeper<RuleOf<'one'>> = {
  unavailable: () => 'there is no guard for this here yet',
  state: async () => ({state: 'unavailable', why: 'there is no guard for this here yet'}),
  tasks: async () => [],
  script: () => [],
  async *prove() {},
};
