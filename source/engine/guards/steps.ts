/** Carrying out the steps of an install or uninstall, from what is there at each moment. */
import {asSesstuiError, SesstuiError} from '../../errors.js';
import type {
  Guard,
  GuardDirection,
  GuardKeeper,
  GuardPhase,
  GuardProgress,
  GuardResult,
  GuardStep,
} from '../../guards.js';
import type {Json} from '../../values.js';
import {ordered} from './prepare.js';
import type {StepRecorder} from './recorder.js';

/** Thrown where the user asked it to stop: what is there stays. */
export class Interruption extends Error {}

/** Thrown where another install or uninstall, of another state directory, is at the table: what is there may be its. */
export class Elsewhere extends SesstuiError {}

export type Carrying = {
  keeper: GuardKeeper;
  recorder: StepRecorder;
  guards: Guard[];
  before: Record<string, Json>;
  /** Not written down step by step: what takes an install back that could not be finished. */
  isTakingBack?: boolean;
  /** The steps that were done, in order. */
  done: GuardResult['steps'];
  signal?: AbortSignal;
  onProgress?: (progress: GuardProgress) => void;
};

/** 'again' leaves nothing of the step behind, so it is written down as not made yet. */
const perform = async (
  {keeper, recorder, before, done, signal, onProgress, isTakingBack}: Carrying,
  guard: Guard,
  direction: GuardDirection,
  step: GuardStep,
): Promise<'done' | 'again'> => {
  if (signal?.aborted) throw new Interruption();
  const tell = (text: string): void => onProgress?.({guard: guard.name, step: step.name, text});
  tell(step.text);
  if (!isTakingBack) await recorder.begun(guard.name, step);
  try {
    const ended = await keeper.perform(guard.rule, direction, step, {
      before: before[guard.name] ?? null,
      signal,
      onProgress: tell,
    });
    if (ended === 'again') return 'again';
  } catch (error) {
    if (signal?.aborted) throw new Interruption();
    const {code, message, hint} = asSesstuiError(error);
    if (!isTakingBack) await recorder.ended(guard.name, step, {result: 'failed', error: message});
    throw code === 'usage' ? new Elsewhere(code, message, hint, error) : error;
  }
  if (!isTakingBack) await recorder.ended(guard.name, step, {result: 'applied'});
  if (!done.some(item => item.guard === guard.name && item.name === step.name))
    done.push({guard: guard.name, name: step.name, text: step.text});
  return 'done';
};

/** The steps of a phase that are left, guard by guard; `again` as soon as one of them is to be repeated. */
export const installPhase = async (carrying: Carrying, phase: GuardPhase): Promise<'done' | 'again'> => {
  for (const guard of carrying.guards) {
    const {keeper, before, signal} = carrying;
    const steps = await keeper.steps(guard.rule, 'install', {before: before[guard.name] ?? null, signal});
    for (const step of steps.filter(item => item.phase === phase))
      if ((await perform(carrying, guard, 'install', step)) === 'again') return 'again';
  }
  return 'done';
};

export const uninstallAll = async (carrying: Carrying, guards = carrying.guards): Promise<void> => {
  for (const guard of ordered(guards, 'uninstall')) {
    const {keeper, before, signal} = carrying;
    const steps = await keeper.steps(guard.rule, 'uninstall', {before: before[guard.name] ?? null, signal});
    for (const step of steps) await perform(carrying, guard, 'uninstall', step);
  }
};
