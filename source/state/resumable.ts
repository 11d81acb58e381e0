/** Which runs can be finished or closed. */
import type {RunSummary} from '../types.js';

/** Interrupted, or with changes of which nobody knows whether they were made. */
export const canResume = ({state, unknown}: Pick<RunSummary, 'state' | 'unknown'>): boolean =>
  state === 'interrupted' || (state !== 'undone' && unknown > 0);
