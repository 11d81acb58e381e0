/** Plans as they are made and carried out for the screen: one is made at a time, and one carried out. */
import type {Message} from '../state/messages.js';
import type {Engine, Plan, Progress} from '../types.js';
import {answer, type Tell} from './answer.js';
import type {CustomerReport} from './customer.js';
import {errorOf} from './look.js';

/** The engine's part in it; the second only where the engine can tell about customers. */
export type PlanningEngine = Pick<Engine, 'run'> & {
  planUnblock?: (report: CustomerReport, options: {signal: AbortSignal}) => Promise<Plan[]>;
};

type MakePlan = (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<Plan>;

export type Planning = {
  plan(ticket: number, make: MakePlan): void;
  /** Plans for what keeps a customer from buying; nothing where the engine can't. */
  unblock(ticket: number, report: CustomerReport): void;
  cancel(): void;
  carryOut(plan: Plan, confirmed: string[], note?: string): void;
  /** The run under way ends after its chunk. */
  stop(): void;
};

/** Tells what comes of each plan and run; a plan under the number of its asking. */
export const createPlanning = (engine: PlanningEngine, tell: Tell): Planning => {
  let planning = new AbortController();
  let running = new AbortController();
  const failed =
    (ticket: number) =>
    (thrown: unknown): Message => ({type: 'plan-failed', ticket, error: errorOf(thrown)});
  return {
    plan(ticket, make) {
      planning = new AbortController();
      const onProgress = (progress: Progress): void => tell({type: 'plan-progress', ticket, progress});
      const made = make(planning.signal, onProgress);
      answer(tell, made, plan => ({type: 'planned', ticket, plan}), failed(ticket));
    },
    unblock(ticket, report) {
      if (!engine.planUnblock) return;
      planning = new AbortController();
      const made = engine.planUnblock(report, {signal: planning.signal});
      answer(tell, made, plans => ({type: 'unblock-planned', ticket, plans}), failed(ticket));
    },
    cancel: () => planning.abort(),
    carryOut(plan, confirmed, note) {
      running = new AbortController();
      const onProgress = (progress: Progress): void => tell({type: 'progress', progress});
      answer(
        tell,
        engine.run(plan, {confirmed, note, signal: running.signal, onProgress}),
        result => ({type: 'ran', result}),
        thrown => ({type: 'run-failed', error: errorOf(thrown)}),
      );
    },
    stop: () => running.abort(),
  };
};
