/** No two rows are equal. */
import type {RuleKeeper, RuleOf} from './rule.js';

export const unique: RuleKeeper<RuleOf<'unique'>> = {
  unavailable: () => 'there is no guard for this here yet',
  state: async () => ({state: 'unavailable', why: 'there is no guard for this here yet'}),
  tasks: async () => [],
  script: () => [],
  async *prove() {},
};
