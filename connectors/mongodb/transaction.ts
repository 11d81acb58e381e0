/** A unit in one transaction, where the server has them: all of it or nothing, on one state of the data. */
import {
  type ClientSession,
  type Document,
  MongoError,
  MongoNetworkError,
  MongoServerSelectionError,
} from 'mongodb';
import type {ApplyOptions, Outcome, Unit} from '../../source/connector.js';
import {settleByReading} from './change.js';
import type {Access} from './client.js';
import {type Decision, decide, type Step, whyWithout} from './decide.js';
import {isAmbiguous, isElection, mapError} from './errors.js';
import {idOfIdentity} from './identity.js';
import {look} from './sight.js';
import {outcomeOf} from './stepwise.js';

const attempts = 6;

/** A field that is written and removed again, so that the keeper conflicts with whoever would remove it. */
const lockField = 'sesstuiLock';

/** Before the commit; the driver does not label the error of a connection that it has given up already. */
const isTransient = (error: unknown): boolean =>
  error instanceof MongoNetworkError ||
  (error instanceof MongoError && error.hasErrorLabel('TransientTransactionError'));
/**
 * Any error of a commit that leaves open what became of it. The driver labels most of them, one that ran out of time,
 * too; but not the one of finding no server to ask again after an answer was lost, nor one of a connection that it has
 * given up already.
 */
const isUncertain = (error: unknown): boolean =>
  error instanceof MongoServerSelectionError ||
  isAmbiguous(error) ||
  (error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult'));

/** Between attempts: up to 20 ms, then 40, 80, …, at random, so that two operators do not meet again. */
const pause = (attempt: number): Promise<void> =>
  new Promise(resolve => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));

/** A unique key moves from the row that goes to the one that comes. */
const order = {delete: 0, insert: 1, update: 2} as const;
const inOrder = (steps: Step[]): Step[] => [...steps].sort((a, b) => order[a.change.op] - order[b.change.op]);

/**
 * Snapshot isolation alone lets two transactions each remove the other's keeper, as neither writes what the other
 * does. Writing the keeper makes them conflict; its bytes are the same afterwards.
 */
const lockKeeper = async (access: Access, {steps, keeper}: Decision): Promise<void> => {
  if (!keeper || !steps.some(step => step.leaves)) return;
  const collection = access.db.collection(keeper.table);
  const options = {...access.limit, session: access.session!};
  const keptId = {_id: {$eq: idOfIdentity(keeper.identity)}} as Document;
  await collection.updateOne(keptId, {$set: {[lockField]: 1}}, options);
  await collection.updateOne(keptId, {$unset: {[lockField]: ''}}, options);
};

/** Changes that failed in an earlier attempt, with why: an error ends a transaction, so the rest is tried without them. */
type Failed = Map<number, Outcome>;

class ChangeFailed extends Error {
  readonly index: number;
  readonly outcome: Outcome;
  constructor(index: number, outcome: Outcome) {
    super('a change of the transaction failed');
    this.index = index;
    this.outcome = outcome;
  }
}

const withoutFailed = (unit: Unit, failed: Failed): Unit => ({
  ...unit,
  changes: unit.changes.map((change, index) => {
    const outcome = failed.get(index);
    return outcome ? {...change, skip: whyWithout(outcome)} : change;
  }),
});

type Result = {outcomes: (Outcome | undefined)[]; steps: Step[]};

const inside = async (
  access: Access,
  unit: Unit,
  failed: Failed,
  now: number,
  options: ApplyOptions,
): Promise<Result> => {
  const [sight] = await look(access, [withoutFailed(unit, failed)], now);
  const decision = decide(withoutFailed(unit, failed), sight!, options.decideKeeper);
  const outcomes = decision.outcomes.map((outcome, index) => failed.get(index) ?? outcome);
  await lockKeeper(access, decision);
  for (const step of inOrder(decision.steps)) {
    try {
      outcomes[step.index] = await outcomeOf(access, step);
    } catch (error) {
      if (isTransient(error) || isElection(error)) throw error;
      const fault = mapError(error, `writing to ${step.change.table}`);
      // Without the right to one of its changes nothing of the unit is tried.
      if (fault.code === 'refused') throw fault;
      throw new ChangeFailed(step.index, {result: 'failed', error: fault.message});
    }
    const outcome = outcomes[step.index]!;
    if (outcome.result !== 'applied') throw new ChangeFailed(step.index, outcome);
  }
  return {outcomes, steps: decision.steps};
};

/** Commits; asks again when the answer was lost (committing twice is once), then settles each write by reading. */
const commit = async (access: Access, session: ClientSession, {outcomes, steps}: Result): Promise<void> => {
  for (let attempt = 1; ; attempt++)
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      if (!isUncertain(error)) throw error;
      if (attempt < 3) continue;
      for (const step of steps)
        outcomes[step.index] = await settleByReading(access, step.change.table, step.write, error);
      return;
    }
};

const attemptOnce = async (
  access: Access,
  unit: Unit,
  failed: Failed,
  now: number,
  options: ApplyOptions,
): Promise<(Outcome | undefined)[]> => {
  const session = access.db.client.startSession();
  try {
    session.startTransaction({
      readConcern: {level: 'snapshot'},
      writeConcern: {w: 'majority'},
      readPreference: 'primary',
      maxCommitTimeMS: access.limit.maxTimeMS,
    });
    const result = await inside({...access, session}, unit, failed, now, options);
    await commit(access, session, result);
    return result.outcomes;
  } finally {
    // Ends a transaction that was not committed.
    await session.endSession();
  }
};

/** How long units wait, all together, for a replica set that is choosing its primary: an election takes up to 12 s. */
export type Patience = {leftMs: number; countedUntil: number; over?: unknown};
export const newPatience = (): Patience => ({leftMs: 15_000, countedUntil: 0});

/** Waits a moment and says whether another try is worth it; the try that failed counts as waiting. */
const waits = async (
  patience: Patience,
  began: number,
  error: unknown,
  signal?: AbortSignal,
): Promise<boolean> => {
  // The units that are left get the same error at once, not after a wait each.
  if (patience.leftMs <= 0) patience.over = error;
  if (patience.over !== undefined || signal?.aborted) return false;
  await pause(5);
  const now = performance.now();
  // Units that wait at the same time wait once.
  patience.leftMs -= now - Math.max(began, patience.countedUntil);
  patience.countedUntil = now;
  return true;
};

/** Makes a unit's changes in one transaction. Nothing is thrown. */
export const inTransaction = async (
  access: Access,
  unit: Unit,
  now: number,
  options: ApplyOptions,
  patience: Patience,
): Promise<Outcome[]> => {
  const failed: Failed = new Map();
  let error = patience.over;
  for (let attempt = patience.over === undefined ? 1 : attempts + 1; attempt <= attempts; ) {
    const began = performance.now();
    try {
      const outcomes = await attemptOnce(access, unit, failed, now, options);
      return outcomes.map(outcome => outcome ?? {result: 'failed', error: 'The change was not decided.'});
    } catch (thrown) {
      error = thrown;
      if (thrown instanceof ChangeFailed) failed.set(thrown.index, thrown.outcome);
      else if (isElection(thrown)) {
        if (!(await waits(patience, began, thrown, options.signal))) break;
      } else if (isTransient(thrown) && attempt < attempts) await pause(attempt++);
      else break;
    }
  }
  const fault = mapError(error, 'a transaction');
  access.onFault?.(fault);
  return unit.changes.map((_, index) => failed.get(index) ?? {result: 'failed', error: fault.message});
};
