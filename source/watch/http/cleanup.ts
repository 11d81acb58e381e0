/** Cleaning up by HTTP: the plan and the run of every stale-sessions check's `cancel`, one run at a time. */
import {missingConfirmations} from '../../engine/confirmations.js';
import type {FullEngine} from '../../engine/engine.js';
import {emptyResult, plannedResult} from '../../engine/plan/planned.js';
import {asSesstuiError, type ErrorCode, SesstuiError} from '../../errors.js';
import {shellWord} from '../../shell-word.js';
import type {Plan, RunResult} from '../../types.js';

export type CanWrite = {ok: true; confirmed: string[]} | {ok: false; code: ErrorCode; text: string};

export type CleanupOptions = {
  engine: FullEngine;
  /** What was confirmed when the program was started. */
  confirmed: string[];
  /** Aborted: a run finishes its chunk, and ends. */
  signal: AbortSignal;
  /** Flags that a suggested command needs to find the same configuration and state. */
  sameFlags: string[];
  redact: (text: string) => string;
};

export type Cleanup = {
  /** What would be cancelled, a result for each check. */
  plan(customer: string | undefined): Promise<RunResult[]>;
  isRunning(): boolean;
  /** Cancels it; not to be called while it runs. Rejects with what keeps all of it from being carried out. */
  run(customer: string | undefined, note: string): Promise<RunResult[]>;
  /** Fulfilled when nothing runs. */
  idle(): Promise<void>;
};

const action = 'cancel';

const stopped = new SesstuiError('interrupted', 'the server is stopping; nothing was changed', 'Ask again.');

/** Nothing for this customer may be as it should, or the id may be another one than the sessions have. */
const withNote = (result: RunResult, customer: string | undefined): RunResult =>
  customer === undefined || result.planned > 0
    ? result
    : {
        ...result,
        notes: [
          ...result.notes,
          `nothing stale is of the customer ${customer}: customer takes the id that the sessions have, \`sesstui customer\` finds it by an email`,
        ],
      };

type Planned = {check: string; plan: Plan} | {check: string; fault: SesstuiError};

/** Was all of it done, or answered? */
export const isWhole = (runs: RunResult[]): boolean =>
  runs.every(
    ({failed, unknown, faults = [], interrupted}) =>
      failed + unknown === 0 && faults.length === 0 && !interrupted,
  );

export const openCleanup = ({engine, confirmed, signal, sameFlags, redact}: CleanupOptions): Cleanup => {
  const checks = engine.checks.filter(({kind}) => kind === 'stale-sessions').map(({id}) => id);
  let running: Promise<unknown> | undefined;

  const faultOf = (error: unknown): SesstuiError => {
    const {code, message, hint} = asSesstuiError(error);
    return new SesstuiError(code, redact(message), redact(hint));
  };
  /** Each store answers for itself: one that is down does not keep the others from being cleaned. */
  const planEach = (customer: string | undefined): Promise<Planned[]> =>
    Promise.all(
      checks.map(check =>
        engine.plan(check, action, {customer}, {signal}).then(
          plan => ({check, plan}),
          error => ({check, fault: faultOf(error)}),
        ),
      ),
    );
  const release = async (planned: Planned[]): Promise<void> => {
    for (const each of planned) if ('plan' in each) await engine.release(each.plan);
  };
  const command = (words: string[], confirm: string[]): string =>
    ['sesstui', ...words, '--yes', ...confirm.flatMap(text => ['--confirm', text]), ...sameFlags]
      .map(shellWord)
      .join(' ');
  const unanswered = (check: string, fault: SesstuiError, dryRun: boolean): RunResult => ({
    ...emptyResult(check, action),
    dryRun,
    notes: fault.hint === '' ? [] : [fault.hint],
    faults: [`${fault.code}: ${fault.message}`],
  });
  /** Throws when none of the checks could be answered. */
  const requireSome = (planned: Planned[]): void => {
    const [first] = planned;
    if (first && 'fault' in first && planned.every(each => 'fault' in each)) throw first.fault;
  };
  /** None is carried out when one of them lacks its confirmation. */
  const requireConfirmed = (planned: Planned[], customer: string | undefined): void => {
    for (const each of planned) {
      if (!('plan' in each)) continue;
      const missing = missingConfirmations(each.plan.confirmations, confirmed);
      if (missing.length === 0) continue;
      const narrowed = customer === undefined ? [] : ['--customer', customer];
      throw new SesstuiError(
        'confirmation',
        `${each.check} ${action}: ${missing.map(({expected, why}) => `${why}: it needs ${expected} to be confirmed`).join('; ')}. Nothing was changed`,
        `Look at the plan, then carry it out where sesstui runs: ${command(
          ['clean', each.check, '--action', action, ...narrowed],
          missing.map(({expected}) => expected),
        )}`,
      );
    }
  };
  const carryOut = async (each: Planned, note: string): Promise<RunResult> => {
    if ('fault' in each) return unanswered(each.check, each.fault, false);
    const result = await engine.run(each.plan, {note, confirmed, signal});
    if (result.run === null) return result;
    const confirm = engine.production ? [engine.environment] : [];
    const words = result.interrupted ? ['resume', result.run] : ['undo', result.run];
    return {
      ...result,
      notes: [
        ...result.notes,
        `${result.interrupted ? 'finish it' : 'take it back'} with: ${command(words, confirm)}`,
      ],
    };
  };
  const runEach = async (customer: string | undefined, note: string): Promise<RunResult[]> => {
    const planned = await planEach(customer);
    try {
      requireSome(planned);
      requireConfirmed(planned, customer);
      const results: RunResult[] = [];
      for (const each of planned) {
        if (signal.aborted) {
          results.push(unanswered(each.check, stopped, false));
          continue;
        }
        results.push(
          await carryOut(each, note).then(
            result => withNote(result, customer),
            error => {
              const fault = faultOf(error);
              if (planned.length === 1) throw fault;
              return unanswered(each.check, fault, false);
            },
          ),
        );
      }
      return results;
    } finally {
      await release(planned);
    }
  };

  return {
    plan: async customer => {
      const planned = await planEach(customer);
      await release(planned);
      requireSome(planned);
      return planned.map(each =>
        'plan' in each
          ? withNote(plannedResult(each.plan), customer)
          : unanswered(each.check, each.fault, true),
      );
    },
    isRunning: () => running !== undefined,
    run: (customer, note) => {
      const own = runEach(customer, note).finally(() => {
        running = undefined;
      });
      running = own;
      return own;
    },
    idle: async () => {
      await running?.catch(() => undefined);
    },
  };
};
