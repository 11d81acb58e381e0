/** Carries out a step. */
import {SesstuiError} from '../../../source/errors.js';
import type {StepOptions} from '../../../source/guards.js';
import type {Run, Session} from '../session.js';
import type {Place, Task} from './rule.js';

export type Performer = {session: Session; store: string; standIn: (run: Run) => Promise<string | null>};

export type Derive = (run: Run) => Promise<{place: Place; task: Task | undefined}>;

export const performTask = async (
  derive: Derive,
  options: StepOptions,
  {session}: Performer,
): Promise<'done' | 'again'> => {
  const {task} = await session.read(derive, options.signal);
  if (!task) return 'done';
  throw new SesstuiError('unsupported', 'not yet');
};
