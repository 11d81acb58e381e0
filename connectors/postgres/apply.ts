/**
 * A call's units in one transaction, a savepoint for each: one that fails does not take the others along, and one
 * that was in another's way is tried again in a new transaction. Nothing is written for certain until COMMIT has
 * answered; when its answer is lost, the server is asked what became of it.
 */
import {setTimeout as pause} from 'node:timers/promises';
import type pg from 'pg';
import type {ApplyOptions, Outcome, Settlement, Unit} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Workspace} from './batches.js';
import {interrupted, isRetriable, isStatementError, mapError} from './errors.js';
import {type Locked, lockTogether} from './groups-lock.js';
import type {Run, Session} from './session.js';
import {runUnit} from './unit.js';

export type Job = {
  session: Session;
  store: string;
  options: ApplyOptions;
  /** What a transaction knows of tables and of the server. */
  prepare: (run: Run) => Promise<Omit<Workspace, 'run'>>;
};

const attempts = 4;
const settleAttempts = 20;

const statement = (text: string) => ({text, values: []});

const failed = (unit: Unit, error: string): Outcome[] =>
  unit.changes.map(({skip}): Outcome => (skip ? {result: 'skipped', why: skip} : {result: 'failed', error}));

/** An error's words for the record, with its hint left out. */
const told = (error: unknown, job: Job): string => mapError(error, job.store).message;

/** A unit inside its savepoint; null when it failed in a way that may pass, and there is an attempt left. */
const tryUnit = async (
  unit: Unit,
  workspace: Workspace,
  attempt: number,
  job: Job,
): Promise<Outcome[] | null> => {
  await workspace.run(statement('savepoint unit'));
  try {
    const {outcomes, givenUp} = await runUnit(unit, workspace, job.options.decideKeeper);
    await workspace.run(statement(givenUp ? 'rollback to savepoint unit' : 'release savepoint unit'));
    return outcomes;
  } catch (error) {
    // Anything else is a lost connection or a fault of ours, and ends the transaction.
    if (!isStatementError(error) && !(error instanceof SesstuiError)) throw error;
    await workspace.run(statement('rollback to savepoint unit'));
    return isRetriable(error) && attempt < attempts ? null : failed(unit, told(error, job));
  }
};

/** The groups of all units at once, where that can be; else each unit locks its own. */
const lockAhead = async (units: Unit[], workspace: Workspace): Promise<Locked | null> => {
  await workspace.run(statement('savepoint groups'));
  try {
    return await lockTogether(units, workspace);
  } catch (error) {
    if (!isStatementError(error)) throw error;
    await workspace.run(statement('rollback to savepoint groups'));
    return null;
  }
};

/** Units of one change without a group differ in nothing from one unit of many, and go in one, until something fails. */
const isPlain = ({group, changes}: Unit): boolean =>
  group === null && changes.length === 1 && !changes[0]!.required;

const tryTogether = async (units: Unit[], workspace: Workspace, job: Job): Promise<Outcome[][] | null> => {
  if (units.length < 2) return null;
  await workspace.run(statement('savepoint together'));
  try {
    const changes = units.map(unit => unit.changes[0]!);
    const {outcomes} = await runUnit({group: null, changes}, workspace, job.options.decideKeeper);
    await workspace.run(statement('release savepoint together'));
    return outcomes.map(outcome => [outcome]);
  } catch (error) {
    if (!isStatementError(error) && !(error instanceof SesstuiError)) throw error;
    await workspace.run(statement('rollback to savepoint together'));
    return null;
  }
};

/**
 * Units up to the first that has to be tried again. That one gets a transaction of its own making: to wait for it
 * here would keep the locks of the units before it, which the other side of a deadlock may be waiting for.
 */
const runSome = async (
  units: Unit[],
  workspace: Workspace,
  attempt: number,
  job: Job,
): Promise<Outcome[][]> => {
  const outcomes: Outcome[][] = [];
  while (outcomes.length < units.length) {
    if (job.options.signal?.aborted) throw interrupted();
    const from = outcomes.length;
    let to = from;
    while (to < units.length && isPlain(units[to]!)) to++;
    const together = await tryTogether(units.slice(from, to), workspace, job);
    if (together) outcomes.push(...together);
    else
      for (const [index, unit] of units.slice(from, Math.max(to, from + 1)).entries()) {
        const done = await tryUnit(unit, workspace, from + index === 0 ? attempt : 1, job);
        if (!done) return outcomes;
        outcomes.push(done);
      }
  }
  return outcomes;
};

type Ending =
  | {kind: 'committed'}
  | {kind: 'rolled-back'; error: unknown}
  | {kind: 'lost'; transaction: string | null; error: unknown};

/** Commits, and says what became of it as far as the answer tells. */
export const commit = async (client: pg.ClientBase, transaction: string | null): Promise<Ending> => {
  try {
    const {command} = await client.query('commit');
    // A transaction that had failed is rolled back by COMMIT without an error.
    if (command === 'ROLLBACK')
      return {kind: 'rolled-back', error: new Error('the transaction was rolled back')};
    return {kind: 'committed'};
  } catch (error) {
    return isStatementError(error) ? {kind: 'rolled-back', error} : {kind: 'lost', transaction, error};
  }
};

/**
 * What became of a transaction, by its number; null when nobody can say. One that is still in progress is waited for,
 * a while, and so is a server that is not back yet.
 */
export const settled = async (transaction: string, session: Session): Promise<Settlement | null> => {
  let last: Settlement | null = null;
  for (let attempt = 1; attempt <= settleAttempts; attempt++) {
    try {
      const text = 'select pg_xact_status($1::text::xid8)';
      const [row] = await session.read(run => run({text, values: [transaction]}));
      const status = row?.[0];
      if (status === 'committed' || status === 'aborted') return status;
      if (status !== 'in progress') return null;
      last = 'in-progress';
    } catch {
      // Not back yet.
    }
    await pause(100 * (0.5 + Math.random()));
  }
  return last;
};

const afterLoss = async (
  units: Unit[],
  outcomes: Outcome[][],
  ending: Ending & {kind: 'lost'},
  job: Job,
): Promise<Outcome[][]> => {
  // Without a number the transaction had locked and written nothing.
  const status = ending.transaction === null ? 'committed' : await settled(ending.transaction, job.session);
  if (status === 'committed') return outcomes;
  const error = told(ending.error, job);
  if (status === 'aborted') return units.map(unit => failed(unit, error));
  return outcomes.map(list =>
    list.map((outcome): Outcome => (outcome.result === 'applied' ? {result: 'unknown', error} : outcome)),
  );
};

/** COMMIT itself found a fault (a deferred constraint): each unit on its own then, so that the others go through. */
const oneByOne = async (units: Unit[], error: unknown, job: Job): Promise<Outcome[][]> => {
  if (units.length === 1) return [failed(units[0]!, told(error, job))];
  const outcomes: Outcome[][] = [];
  for (const [index, unit] of units.entries()) {
    const alone = () =>
      applyUnits([unit], fromUnit(job, index)).catch(fault => [failed(unit, told(fault, job))]);
    outcomes.push(...(await alone()));
  }
  return outcomes;
};

/** The job for the units from an index on. */
const fromUnit = (job: Job, index: number): Job => {
  const {prepared} = job.options;
  if (!prepared || index === 0) return job;
  const shifted: typeof prepared = transaction => prepared({...transaction, from: transaction.from + index});
  return {...job, options: {...job.options, prepared: shifted}};
};

/** One transaction with as many of the units as it gets through; fewer where one has to be tried again. */
const oneTransaction = async (units: Unit[], attempt: number, job: Job): Promise<Outcome[][]> => {
  let outcomes: Outcome[][] = [];
  let ending: Ending | undefined;
  const work = job.session.withClient(async client => {
    const run = await job.session.beginWrite(client);
    // The guard of device sessions lets a transaction through that says so.
    await run(statement("set local sesstui.allow = 'on'"));
    const workspace: Workspace = {...(await job.prepare(run)), run};
    workspace.locked = await lockAhead(units, workspace);
    outcomes = await runSome(units, workspace, attempt, job);
    const [row] = await run(statement('select pg_current_xact_id_if_assigned()::text'));
    const transaction = row?.[0] ?? null;
    if (transaction !== null) await job.options.prepared?.({token: {transaction}, from: 0, outcomes});
    ending = await commit(client, transaction);
    // Makes the pool throw the connection away.
    if (ending.kind === 'lost') throw ending.error;
  });
  await work.catch(error => {
    if (ending?.kind !== 'lost') throw error;
  });
  const done = units.slice(0, outcomes.length);
  if (ending?.kind === 'lost') return afterLoss(done, outcomes, ending, job);
  return ending?.kind === 'rolled-back' ? oneByOne(done, ending.error, job) : outcomes;
};

/** Carries out units and says what became of each change. Throws only while nothing can have been written. */
export const applyUnits = async (units: Unit[], job: Job): Promise<Outcome[][]> => {
  const outcomes: Outcome[][] = [];
  for (let attempt = 1; outcomes.length < units.length; ) {
    const rest = units.slice(outcomes.length);
    try {
      const done = await oneTransaction(rest, attempt, fromUnit(job, outcomes.length));
      outcomes.push(...done);
      attempt = done.length > 0 ? 2 : attempt + 1;
    } catch (error) {
      if (outcomes.length === 0) throw error;
      outcomes.push(...rest.map(unit => failed(unit, told(error, job))));
    }
    if (outcomes.length < units.length) await pause(25 * 2 ** attempt * (0.5 + Math.random()));
  }
  return outcomes;
};
