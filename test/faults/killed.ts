/**
 * A process that is killed: at operation 1, 2, 3, … until one run gets through. After each, by clients that know
 * nothing of sesstui, the invariants; then another process finishes the run and takes it back, and the stores are
 * as they were, byte for byte.
 */
import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Ended, type Fault, newPlace, type Place, runWords, sesstui, stepsOf} from './child.js';
import {ageLocks, auditedChanges, backupProblems, rowProblems, runsOf} from './invariants.js';
import {record} from './record.js';
import {alterations, historyOf, undo, withEngine} from './recovery.js';
import {changedRows, type Rows, type Scenario, textsOf} from './scenario.js';

export type Opened = {scenarios: Scenario[]; stop(): Promise<void>};

type Round = {scenario: Scenario; place: Place; before: Rows; problems: string[]};

const isSame = (a: Rows, b: Rows): boolean => JSON.stringify(textsOf(a)) === JSON.stringify(textsOf(b));

/** The store has done with what the dead process had sent, and nobody waits for its locks. */
const afterDeath = async ({scenario, place}: Round): Promise<void> => {
  await scenario.settled?.();
  await ageLocks(place.state);
};

const look = async ({scenario, place, before, problems}: Round): Promise<Rows> => {
  const now = await scenario.rows();
  problems.push(
    ...rowProblems(scenario, before, now),
    ...(await backupProblems(scenario, place.state, before, now)),
  );
  return now;
};

/** Finishes what the dead process began. */
const resume = async (round: Round, run: string): Promise<void> => {
  const {scenario, place, before, problems} = round;
  const [summary] = await historyOf(scenario, place);
  if (summary?.state === 'interrupted') {
    const {code, stdout, stderr} = await sesstui(place, ['resume', run, '--yes']);
    if (code !== 0)
      problems.push(`resume ended with ${code}: ${stdout.slice(0, 600)}${stderr.slice(0, 300)}`);
  }
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
const recover = async (round: Round): Promise<void> => {
  const {place, before, problems} = round;
  await afterDeath(round);
  const now = await look(round);
  const [run] = await runsOf(place.state);
  const listed = await historyOf(round.scenario, place);
  if (run === undefined || listed.length === 0) {
    // It died before the run had a plan: nothing is listed, and nothing was done.
    if (!isSame(before, now)) problems.push('rows were written by a run that is not listed');
  } else {
    await resume(round, run);
    await takeBack(round, run);
  }
  problems.push(...(await alterations(place)));
};

const begin = async (scenario: Scenario): Promise<Round> => {
  await scenario.reset();
  return {scenario, place: await newPlace(scenario), before: await scenario.rows(), problems: []};
};

/** A round's problems with what was done in it; a round that can't go on is a problem too. */
const told = async (round: Round, what: string, work: () => Promise<void>): Promise<string[]> => {
  try {
    await work();
  } catch (error) {
    round.problems.push(`it could not go on: ${(error as Error).message}`);
  }
  if (round.problems.length === 0) await rm(round.place.directory, {recursive: true, force: true});
  return round.problems.map(problem => `${what}: ${problem}`);
};

const wasKilled = ({signal, code, stdout, stderr}: Ended): boolean => {
  if (signal === 'SIGKILL') return true;
  expect({code, stdout: code === 0 ? '' : stdout, stderr}).toEqual({code: 0, stdout: '', stderr: ''});
  return false;
};

/** Kills a run at operation `at`; null when it got through. */
const killedRun = async (scenario: Scenario, fault: Fault): Promise<string[] | null> => {
  const round = await begin(scenario);
  const ended = await sesstui(round.place, runWords(scenario), fault);
  if (!wasKilled(ended)) {
    await look(round);
    return round.problems.length > 0 ? round.problems : null;
  }
  const step = (await stepsOf(round.place)).at(-1);
  return told(round, `${fault.act} ${step}`, () => recover(round));
};

const killedAtEach = async (scenario: Scenario, act: string, kinds?: string) => {
  const problems: string[] = [];
  let rounds = 0;
  let violations = 0;
  for (let at = 1; ; at++) {
    const found = await killedRun(scenario, {at, act, kinds});
    if (found === null) break;
    rounds++;
    if (found.length > 0) violations++;
    problems.push(...found);
  }
  return {rounds, violations, problems};
};

/** A run that was killed when its first writes were made and nobody had written down what became of them. */
const killedInDoubt = async (scenario: Scenario): Promise<{round: Round; run: string}> => {
  const counted = await begin(scenario);
  await sesstui(counted.place, runWords(scenario), {at: 0, act: ''});
  const steps = await stepsOf(counted.place);
  const firstMessage = steps.findIndex(step => /^\d+ message /.test(step));
  const outcome = steps.findIndex(
    (step, index) => index > firstMessage && /^\d+ write \w+ .*journal\.jsonl/.test(step),
  );
  const round = await begin(scenario);
  await sesstui(round.place, runWords(scenario), {at: outcome + 1, act: 'kill-before'});
  await afterDeath(round);
  return {round, run: (await runsOf(round.place.state))[0]!};
};

/** Kills `resume` at every third operation, then resumes again and takes the run back. */
const killedResumes = async (scenario: Scenario) => {
  const sum = {rounds: 0, violations: 0, problems: [] as string[]};
  for (let at = 1; ; at += 3) {
    const {round, run} = await killedInDoubt(scenario);
    await rm(round.place.log, {force: true});
    const ended = await sesstui(round.place, ['resume', run, '--yes'], {at, act: 'kill-before'});
    if (!wasKilled(ended)) return sum;
    const step = (await stepsOf(round.place)).at(-1);
    const problems = await told(round, `resume killed before ${step}`, () => recover(round));
    sum.rounds++;
    sum.violations += Math.min(1, problems.length);
    sum.problems.push(...problems);
  }
};

/** Kills `undo` at every third operation, then undoes again. */
const killedUndos = async (scenario: Scenario) => {
  const sum = {rounds: 0, violations: 0, problems: [] as string[]};
  for (let at = 1; ; at += 3) {
    const round = await begin(scenario);
    const {run} = await withEngine(scenario, round.place, async engine =>
      engine.run(await engine.plan(scenario.check, scenario.action, {})),
    );
    await rm(round.place.log, {force: true});
    const ended = await sesstui(round.place, ['undo', run!, '--yes'], {at, act: 'kill-before'});
    if (!wasKilled(ended)) return sum;
    const step = (await stepsOf(round.place)).at(-1);
    const problems = await told(round, `undo killed before ${step}`, async () => {
      await afterDeath(round);
      round.problems.push(...rowProblems(scenario, round.before, await scenario.rows()));
      await undoAgain(round, run!);
      round.problems.push(...(await alterations(round.place)));
    });
    sum.rounds++;
    sum.violations += Math.min(1, problems.length);
    sum.problems.push(...problems);
  }
};

/** Finishes an undo that died, then takes back what it left. */
const undoAgain = async ({scenario, place, before, problems}: Round, run: string): Promise<void> => {
  const dead = (await historyOf(scenario, place)).find(
    ({undoes, state}) => undoes && state === 'interrupted',
  );
  if (dead) {
    const {code, stdout} = await sesstui(place, ['resume', dead.run, '--yes']);
    if (code !== 0) problems.push(`resume of the undo ended with ${code}: ${stdout.slice(0, 600)}`);
  }
  if (!isSame(before, await scenario.rows())) {
    const {skipped, failed, unknown} = await undo(scenario, place, run);
    if (skipped + failed + unknown > 0)
      problems.push(`undo again: ${skipped} skipped, ${failed} failed, ${unknown} unknown`);
  }
  if (!isSame(before, await scenario.rows())) problems.push('after undo the store is not as it was');
};

/** The suite on the scenarios of a server; `names` are theirs. */
export const killedSuite = (server: string, names: string[], open: () => Promise<Opened>): void => {
  describe(`killed on ${server}`, () => {
    let opened: Opened;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => opened?.stop());
    const named = (name: string): Scenario => opened.scenarios.find(scenario => scenario.name === name)!;

    const prove = async (
      scenario: Scenario,
      fault: string,
      work: () => Promise<{rounds: number; violations: number; problems: string[]}>,
    ): Promise<void> => {
      const {rounds, violations, problems} = await work();
      record({requirement: 'S4', fault, server: scenario.server, rounds, violations, note: scenario.name});
      expect(problems).toEqual([]);
      expect(rounds).toBeGreaterThan(3);
    };
    const minutes = 15 * 60_000;

    test.each(names)('%s: before each operation of a run', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'SIGKILL before each operation of a run', () =>
        killedAtEach(scenario, 'kill-before'),
      );
    });
    test.each(names)('%s: as each message leaves', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'SIGKILL as each message to the store has left', () =>
        killedAtEach(scenario, 'kill-after', 'message'),
      );
    });
    test.each(names)('%s: while it is resumed', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'SIGKILL before every third operation of resume', () => killedResumes(scenario));
    });
    test.each(names)('%s: while it is undone', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'SIGKILL before every third operation of undo', () => killedUndos(scenario));
    });
  });
};
