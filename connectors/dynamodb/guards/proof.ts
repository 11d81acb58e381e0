/** What was expected of a guard on a scratch table, and whether it was so. */
import {asSesstuiError} from '../../../source/errors.js';
import type {Proof} from '../../../source/guards.js';

export type RuleProof = Omit<Proof, 'guard'>;

/** `look` says what was there instead; null when it was as expected. What it throws is a proof that failed. */
export const proof = async (text: string, look: () => Promise<string | null>): Promise<RuleProof> => {
  try {
    const why = await look();
    return {text, passed: why === null, why};
  } catch (error) {
    const {code, message} = asSesstuiError(error);
    if (code === 'interrupted') throw error;
    return {text, passed: false, why: message};
  }
};
