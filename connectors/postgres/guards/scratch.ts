/** Scratch copies of tables, for `guards test`. */
import {SesstuiError} from '../../../source/errors.js';
import type {NamedRule, Proof} from '../../../source/guards.js';
import type {GuardAccess} from './index.js';

// biome-ignore lint/correctness/useYield: nothing is proved yet
export async function* proveRules(
  _rules: NamedRule[],
  _access: GuardAccess,
  _signal?: AbortSignal,
): AsyncIterable<Proof> {
  throw new SesstuiError('unsupported', 'not yet');
}
