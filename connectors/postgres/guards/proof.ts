/** How a proof on a scratch copy comes about. */
import {isStatementError} from '../errors.js';
import type {RuleProof} from './rule.js';

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What `look` finds wrong (null: nothing) as a proof; what the server refuses of it is a proof that failed. */
export const proof = async (text: string, look: () => Promise<string | null>): Promise<RuleProof> => {
  const why = await look().catch((error: unknown) => {
    // Anything else is a lost connection or an abort, and says nothing of the guard.
    if (!isStatementError(error)) throw error;
    return words(error);
  });
  return {text, passed: why === null, why};
};

/** Passes when the work is refused with this SQLSTATE. */
export const refusing = (text: string, code: string, work: () => Promise<unknown>): Promise<RuleProof> =>
  proof(text, () =>
    work().then(
      () => 'it was not refused',
      (error: unknown) => {
        if ((error as {code?: string}).code === code) return null;
        throw error;
      },
    ),
  );

/** null where both are the same; else the words of a proof that failed. */
export const equals = (found: string, wanted: string): string | null =>
  found === wanted ? null : `${found || 'nothing'} instead of ${wanted || 'nothing'}`;
