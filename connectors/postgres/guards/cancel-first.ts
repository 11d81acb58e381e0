/** Stale waiting sessions are cancelled before a new one is made. */
import type {RuleKeeper, RuleOf} from './rule.js';

export const cancelFirst: RuleKeeper<RuleOf<'cancel-first'>> = {
  unavailable: () => 'there is no guard for this here yet',
  state: async () => ({state: 'unavailable', why: 'there is no guard for this here yet'}),
  tasks: async () => [],
  script: () => [],
  async *prove() {},
};
