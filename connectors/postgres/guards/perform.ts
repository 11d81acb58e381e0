/** Carries out a step of an install or uninstall, from what is there by then. */
import {SesstuiError} from '../../../source/errors.js';
import type {StepOptions} from '../../../source/guards.js';
import {isStatementError} from '../errors.js';
import type {Run, Session} from '../session.js';
import {type Builder, buildIndex, isViolation} from './concurrent.js';
import type {Hold} from './hold.js';
import {leaveInstallLock, stopWithClient, takeInstallLock} from './install-lock.js';
import type {Limits} from './limits.js';
import {watch} from './progress.js';
import type {Place, Task} from './rule.js';
import {withRetries} from './waiting.js';

export type Performer = {
  session: Session;
  limits: Limits;
  /** The server has one backend, for all connections together. */
  isAlone: () => Promise<boolean>;
  /** What keeps the tables between the steps; null where nothing does. */
  held: () => Hold | null;
};

/** The task as it is now: undefined when there is nothing left to do. */
type Derive = (run: Run) => Promise<{place: Place; task: Task | undefined}>;

const statement = (text: string) => ({text, values: []});

const isConcurrent = (text: string): boolean => /^\s*\w+ (unique )?index concurrently\b/i.test(text);

/** All statements or none; short of a lock, everything is let go and tried again. */
const inTransaction = async (texts: string[], place: Place, builder: Builder, options: StepOptions) => {
  const {session, run, evenThen, limits} = builder;
  const once = async (): Promise<void> => {
    try {
      await run(statement(`${session.writeText}; set local lock_timeout = ${limits.lockMs}`));
      for (const text of texts) await run(statement(text));
      await run(statement('commit'));
    } catch (error) {
      if (isStatementError(error) || error instanceof SesstuiError) await evenThen(statement('rollback'));
      throw error;
    }
  };
  await withRetries(once, place.table, session, {limits, ...options});
};

const oneByOne = async (texts: string[], place: Place, builder: Builder, options: StepOptions) => {
  const {session, run, processId, limits} = builder;
  for (const text of texts) {
    const lockMs = isConcurrent(text) ? limits.concurrentMs : limits.lockMs;
    await run(statement(`set lock_timeout = ${lockMs}`));
    const stop = watch(processId, session, limits, options);
    try {
      await withRetries(() => run(statement(text)), place.table, session, {limits, ...options});
    } finally {
      stop();
    }
  }
};

/** Carries out a task on the builder's connection. */
export const carryOut = async (task: Task, place: Place, builder: Builder, options: StepOptions) => {
  if (task.how === 'index') return buildIndex(task, place, builder, options);
  const work = task.how === 'transaction' ? inTransaction : oneByOne;
  try {
    await work(task.statements, place, builder, options);
    return 'done';
  } catch (error) {
    // Rows have come that a constraint does not allow.
    if (isViolation(error)) return 'again';
    throw error;
  }
};

const processIdOf = async (run: Run): Promise<string> =>
  (await run(statement('select pg_catalog.pg_backend_pid()::text')))[0]![0]!;

/** Carries out the task, holding the table's lock meanwhile. */
export const performTask = async (
  derive: Derive,
  options: StepOptions,
  {session, limits, isAlone, held}: Performer,
): Promise<'done' | 'again'> => {
  const {signal} = options;
  await held()?.check();
  const {place} = await session.read(derive, signal);
  const alone = await isAlone();
  return session.alone(
    async (run, evenThen) => {
      // The connections of a server of one backend share its locks, and their statements don't overlap.
      if (!alone) {
        await stopWithClient(run);
        await takeInstallLock(place.table, run, limits, {locked: 'step', signal});
      }
      try {
        // Another install may have been at it until now.
        const {place: now, task} = await session.read(derive, signal);
        if (!task) return 'done';
        const processId = alone ? null : await processIdOf(run);
        return await carryOut(task, now, {session, run, evenThen, processId, limits}, options);
      } finally {
        if (!alone) await leaveInstallLock(place.table, evenThen, 'step');
      }
    },
    {lockMs: limits.concurrentMs, signal},
  );
};
