/** One round of the fault suite: a fault is injected, then the invariants, a resume and an undo are asked of the store. */
import {rm} from 'node:fs/promises';
import {newPlace, type Place, sesstui} from './child.js';
import {ageLocks, auditedChanges, backupProblems, rowProblems, runsOf} from './invariants.js';
import {alterations, historyOf, resume, undo} from './recovery.js';
import {changedRows, type Rows, type Scenario, textsOf} from './scenario.js';

export type Round = {
  scenario: Scenario;
  place: Place;
  before: Rows;
  problems: string[];
  /** What follows is done by the command line. */
  byCommand: boolean;
};

const isSame = (a: Rows, b: Rows): boolean => JSON.stringify(textsOf(a)) === JSON.stringify(textsOf(b));

/** The store has done with what the dead process had sent, and nobody waits for its locks. */
export const afterDeath = async ({scenario, place}: Round): Promise<void> => {
  await scenario.settled?.();
  await ageLocks(place.state);
};

export const look = async ({scenario, place, before, problems}: Round): Promise<Rows> => {
  const now = await scenario.rows();
  problems.push(
    ...rowProblems(scenario, before, now),
    ...(await backupProblems(scenario, place.state, before, now)),
  );
  return now;
};

/** Finishes a run that died: by the command line, or (quicker) by another engine here. */
const finish = async ({scenario, place, problems, byCommand}: Round, run: string): Promise<void> => {
  if (byCommand) {
    const {code, stdout, stderr} = await sesstui(place, ['resume', run, '--yes']);
    if (code !== 0)
      problems.push(`resume ended with ${code}: ${stdout.slice(0, 600)}${stderr.slice(0, 300)}`);
    return;
  }
  const {failed, unknown, interrupted, faults = []} = await resume(scenario, place, run);
  if (failed + unknown + faults.length > 0 || interrupted)
    problems.push(`resume: ${failed} failed, ${unknown} unknown, ${faults.join('; ')}`);
};

/** Finishes what the dead process began. */
const finished = async (round: Round, run: string): Promise<void> => {
  const {scenario, place, before, problems} = round;
  const [summary] = await historyOf(scenario, place);
  if (summary?.state === 'interrupted') await finish(round, run);
  const now = await look(round);
  const [after] = await historyOf(scenario, place);
  if (after?.state !== 'done') problems.push(`after resume the run is ${after?.state}`);
  const writes = changedRows(before, now).length;
  const audited = await auditedChanges(place.state, run);
  if (audited !== writes) problems.push(`${writes} rows were written, the audit log tells ${audited}`);
  if (after?.applied !== writes)
    problems.push(`${writes} rows were written, the history tells ${after?.applied}`);
};

/** Takes the run back; afterwards the stores are as they were. */
const takeBack = async (round: Round, run: string): Promise<void> => {
  const {scenario, place, before, problems} = round;
  const written = changedRows(before, await scenario.rows()).length;
  const result = await undo(scenario, place, run);
  const {applied, skipped, failed, unknown} = result;
  if (skipped + failed + unknown > 0 || applied !== written)
    problems.push(
      `undo of ${written} rows: ${applied} applied, ${skipped} skipped, ${failed} failed, ${unknown} unknown`,
    );
  if (!isSame(before, await scenario.rows())) problems.push('after undo the store is not as it was');
};

/** What follows a death: the invariants, a resume, an undo. */
export const recover = async (round: Round): Promise<void> => {
  const {scenario, place, before, problems} = round;
  await afterDeath(round);
  const now = await look(round);
  const [run] = await runsOf(place.state);
  const listed = await historyOf(scenario, place);
  if (run === undefined || listed.length === 0) {
    // It died before the run had a plan: nothing is listed, and nothing was done.
    if (!isSame(before, now)) problems.push('rows were written by a run that is not listed');
  } else {
    await finished(round, run);
    // A run that was cut off before it could begin has nothing to take back.
    if (!isSame(before, await scenario.rows())) await takeBack(round, run);
  }
  problems.push(...(await alterations(place)));
};

export const begin = async (scenario: Scenario, byCommand: boolean): Promise<Round> => {
  await scenario.reset();
  return {scenario, place: await newPlace(scenario), before: await scenario.rows(), problems: [], byCommand};
};

/** A round's problems with what was done in it; a round that can't go on is a problem too. */
export const told = async (round: Round, what: string, work: () => Promise<void>): Promise<string[]> => {
  try {
    await work();
  } catch (error) {
    round.problems.push(`it could not go on: ${(error as Error).message}`);
  }
  if (round.problems.length === 0) await rm(round.place.directory, {recursive: true, force: true});
  const problems = round.problems.map(problem => `${what}: ${problem}`);
  // At once, and with the place to look at: a whole suite takes minutes.
  for (const problem of problems) process.stderr.write(`${round.place.directory}: ${problem}\n`);
  return problems;
};

/** Finishes an undo that died, then takes back what it left. */
export const undoAgain = async (round: Round, run: string): Promise<void> => {
  const {scenario, place, before, problems} = round;
  const dead = (await historyOf(scenario, place)).find(
    ({undoes, state}) => undoes && state === 'interrupted',
  );
  if (dead) await finish(round, dead.run);
  if (!isSame(before, await scenario.rows())) {
    const {skipped, failed, unknown} = await undo(scenario, place, run);
    if (skipped + failed + unknown > 0)
      problems.push(`undo again: ${skipped} skipped, ${failed} failed, ${unknown} unknown`);
  }
  if (!isSame(before, await scenario.rows())) problems.push('after undo the store is not as it was');
};
