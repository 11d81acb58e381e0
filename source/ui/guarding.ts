/** Guards as the screen reads, plans, installs and uninstalls them: one of each at a time. */
import {SesstuiError} from '../errors.js';
import type {GuardPlan} from '../guards.js';
import type {GuardRequest} from '../state/guards.js';
import type {Engine} from '../types.js';
import {answer, type Tell} from './answer.js';
import {errorOf} from './look.js';

/** The second only where the engine keeps runs of guards. */
export type GuardingEngine = Pick<Engine, 'guards' | 'planGuards' | 'runGuards'> & {
  planGuardRun?: (
    run: string,
    what: 'undo' | 'resume',
    options: {signal?: AbortSignal},
  ) => Promise<GuardPlan | null>;
};

/** Throws `usage` where the run is none of guards. */
export const planOf = async (
  engine: GuardingEngine,
  {check, direction, guards, clean, of}: GuardRequest,
  signal?: AbortSignal,
): Promise<GuardPlan> => {
  if (!of || !engine.planGuardRun)
    return engine.planGuards(check, direction, {...(guards ? {guards: [...guards]} : {}), clean, signal});
  const plan = await engine.planGuardRun(of.run, of.what, {signal});
  if (plan) return plan;
  throw new SesstuiError('usage', `run ${of.run} is no run of guards`, 'Look at the runs again.');
};

type Guarding = {
  /** Gives up the question before it. */
  read(question: number): void;
  plan(ticket: number, request: GuardRequest): void;
  cancel(): void;
  carryOut(plan: GuardPlan, confirmed: string[], note?: string): void;
  /** The install or uninstall under way ends after its step. */
  stop(): void;
  /** Gives up everything. */
  leave(): void;
};

/** Tells what comes of each; a reading under the number of its question, a plan under that of its asking. */
export const createGuarding = (engine: GuardingEngine, tell: Tell): Guarding => {
  let reading = new AbortController();
  let planning = new AbortController();
  let running = new AbortController();
  return {
    read(question) {
      reading.abort();
      reading = new AbortController();
      answer(
        tell,
        engine.guards(undefined, {signal: reading.signal}),
        guards => ({type: 'guards', question, guards, now: Date.now()}),
        thrown => ({type: 'guards-failed', question, error: errorOf(thrown), now: Date.now()}),
      );
    },
    plan(ticket, request) {
      planning = new AbortController();
      answer(
        tell,
        planOf(engine, request, planning.signal),
        plan => ({type: 'guards-planned', ticket, plan}),
        thrown => ({type: 'plan-failed', ticket, error: errorOf(thrown)}),
      );
    },
    cancel: () => planning.abort(),
    carryOut(plan, confirmed, note) {
      running = new AbortController();
      answer(
        tell,
        engine.runGuards(plan, {
          confirmed,
          ...(note === undefined ? {} : {note}),
          signal: running.signal,
          onProgress: progress => tell({type: 'guard-progress', progress}),
        }),
        result => ({type: 'guards-ran', result}),
        thrown => ({type: 'guards-run-failed', error: errorOf(thrown)}),
      );
    },
    stop: () => running.abort(),
    leave() {
      reading.abort();
      planning.abort();
      running.abort();
    },
  };
};
