/**
 * A call's units in one transaction, a savepoint for each: one that fails does not take the others along. Nothing
 * is written for certain until COMMIT has answered; when its answer is lost, the server is asked what became of it.
 */
import {setTimeout as pause} from 'node:timers/promises';
import type pg from 'pg';
import type {ApplyOptions, Outcome, Unit} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Workspace} from './batches.js';
import {isRetriable, isStatementError, mapError} from './errors.js';
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

/** A unit inside its savepoint, tried again where that may help: a lock, a deadlock, a serialization failure. */
const tryUnit = async (unit: Unit, workspace: Workspace, job: Job): Promise<Outcome[]> => {
  for (let attempt = 1; ; attempt++) {
    await workspace.run(statement('savepoint unit'));
    try {
      const {outcomes, givenUp} = await runUnit(unit, workspace, job.options.decideKeeper);
      await workspace.run(statement(givenUp ? 'rollback to savepoint unit' : 'release savepoint unit'));
      return outcomes;
    } catch (error) {
      // Anything else is a lost connection or a fault of ours, and ends the transaction.
      if (!isStatementError(error) && !(error instanceof SesstuiError)) throw error;
      await workspace.run(statement('rollback to savepoint unit'));
      if (!isRetriable(error) || attempt === attempts) return failed(unit, told(error, job));
      await pause(50 * 2 ** attempt * (0.5 + Math.random()));
    }
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

const runAll = async (units: Unit[], workspace: Workspace, job: Job): Promise<Outcome[][]> => {
  const outcomes: Outcome[][] = [];
  for (let from = 0; from < units.length; ) {
    let to = from;
    while (to < units.length && isPlain(units[to]!)) to++;
    const together = await tryTogether(units.slice(from, to), workspace, job);
    if (together) outcomes.push(...together);
    else {
      to = Math.max(to, from + 1);
      for (const unit of units.slice(from, to)) {
        if (job.options.signal?.aborted) throw new SesstuiError('interrupted', 'Interrupted.');
        outcomes.push(await tryUnit(unit, workspace, job));
      }
    }
    from = to;
  }
  return outcomes;
};

type Ending =
  | {kind: 'committed'}
  | {kind: 'rolled-back'; error: unknown}
  | {kind: 'lost'; transaction: string | null; error: unknown};

const commit = async (client: pg.ClientBase, transaction: string | null): Promise<Ending> => {
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

/** What became of a transaction whose COMMIT was not answered; null when nobody can say. */
const settle = async (transaction: string, {session}: Job): Promise<'committed' | 'aborted' | null> => {
  for (let attempt = 1; attempt <= settleAttempts; attempt++) {
    try {
      const text = 'select pg_xact_status($1::text::xid8)';
      const [row] = await session.read(run => run({text, values: [transaction]}));
      const status = row?.[0];
      if (status === 'committed' || status === 'aborted') return status;
      if (status !== 'in progress') return null;
    } catch {
      // Not back yet.
    }
    await pause(100 * (0.5 + Math.random()));
  }
  return null;
};

const afterLoss = async (
  units: Unit[],
  outcomes: Outcome[][],
  ending: Ending & {kind: 'lost'},
  job: Job,
): Promise<Outcome[][]> => {
  // Without a number the transaction had locked and written nothing.
  const status = ending.transaction === null ? 'committed' : await settle(ending.transaction, job);
  if (status === 'committed') return outcomes;
  const error = told(ending.error, job);
  if (status === 'aborted') return units.map(unit => failed(unit, error));
  return outcomes.map(list =>
    list.map((outcome): Outcome => (outcome.result === 'applied' ? {result: 'unknown', error} : outcome)),
  );
};

/** Carries out units and says what became of each change. Throws only while nothing can have been written. */
export const applyUnits = async (units: Unit[], job: Job): Promise<Outcome[][]> => {
  let outcomes: Outcome[][] = [];
  let ending: Ending = {kind: 'rolled-back', error: null};
  try {
    await job.session.withClient(async client => {
      const run = await job.session.beginWrite(client);
      // The guard of device sessions lets a transaction through that says so.
      await run(statement("set local sesstui.allow = 'on'"));
      const workspace = {...(await job.prepare(run)), run};
      outcomes = await runAll(units, workspace, job);
      const [[transaction]] = (await run(statement('select pg_current_xact_id_if_assigned()::text'))) as [
        [string | null],
      ];
      ending = await commit(client, transaction);
      // Makes the pool throw the connection away.
      if (ending.kind === 'lost') throw ending.error;
    });
  } catch (error) {
    const last = ending as Ending;
    if (last.kind !== 'lost') throw error;
    return afterLoss(units, outcomes, last, job);
  }
  const last = ending as Ending;
  if (last.kind === 'committed') return outcomes;
  // COMMIT itself found a fault (a deferred constraint): each unit on its own then, so that the others go through.
  if (units.length === 1)
    return [failed(units[0]!, told((last as Ending & {kind: 'rolled-back'}).error, job))];
  const each: Outcome[][] = [];
  for (const unit of units) each.push(...(await applyUnits([unit], job)));
  return each;
};
