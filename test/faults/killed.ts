/**
 * A process that is killed: at operation 1, 2, 3, … until one run gets through. After each, by clients that know
 * nothing of sesstui, the invariants; then another process finishes the run and takes it back, and the stores are
 * as they were, byte for byte.
 */
import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Ended, type Fault, runWords, sesstui, stepsOf} from './child.js';
import {rowProblems, runsOf} from './invariants.js';
import {record} from './record.js';
import {alterations, withEngine} from './recovery.js';
import {afterDeath, begin, look, type Round, recover, told, undoAgain} from './rounds.js';
import {changedRows, type Scenario} from './scenario.js';

export type Opened = {scenarios: Scenario[]; stop(): Promise<void>};

/** With `--rounds`: before questions too, and every operation, also of resume and undo. */
const isThorough = Number(process.env.SESSTUI_ROUNDS ?? 1) > 1;
const everyThird = isThorough ? 1 : 3;
const everyFourth = isThorough ? 1 : 4;
const everything = 'open,make,write,sync,remove,rename,truncate,attributes,message,question';

const wasKilled = ({signal, code, stdout, stderr}: Ended): boolean => {
  if (signal === 'SIGKILL') return true;
  expect({code, stdout: code === 0 ? '' : stdout, stderr}).toEqual({code: 0, stdout: '', stderr: ''});
  return false;
};

/** Kills a run at operation `at`; null when it got through. */
const killedRun = async (scenario: Scenario, fault: Fault): Promise<string[] | null> => {
  // A message that has just left may still be on its way: the start of a process gives it time to arrive.
  const round = await begin(scenario, fault.act === 'kill-after' || fault.at % 5 === 0);
  const ended = await sesstui(round.place, runWords(scenario), fault);
  if (!wasKilled(ended)) {
    await look(round);
    return round.problems.length > 0 ? round.problems : null;
  }
  const step = (await stepsOf(round.place)).at(-1);
  return told(round, `${fault.act} ${step}`, () => recover(round));
};

const killedAtEach = async (scenario: Scenario, act: string, step: number, kinds?: string) => {
  const problems: string[] = [];
  let rounds = 0;
  let violations = 0;
  for (let at = 1; ; at += step) {
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
  const counted = await begin(scenario, false);
  await sesstui(counted.place, runWords(scenario), {at: 0, act: ''});
  const steps = await stepsOf(counted.place);
  const firstMessage = steps.findIndex(step => /^\d+ message /.test(step));
  const outcome = steps.findIndex(
    (step, index) => index > firstMessage && /^\d+ write \w+ .*journal\.jsonl/.test(step),
  );
  const round = await begin(scenario, false);
  await sesstui(round.place, runWords(scenario), {at: outcome + 1, act: 'kill-before'});
  await afterDeath(round);
  return {round, run: (await runsOf(round.place.state))[0]!};
};

/** Kills `resume` at every fourth operation, then resumes again and takes the run back. */
const killedResumes = async (scenario: Scenario) => {
  const sum = {rounds: 0, violations: 0, problems: [] as string[]};
  for (let at = 1; ; at += everyFourth) {
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

/** Kills `undo` at every fourth operation, then undoes again. */
const killedUndos = async (scenario: Scenario) => {
  const sum = {rounds: 0, violations: 0, problems: [] as string[]};
  for (let at = 1; ; at += everyFourth) {
    const round = await begin(scenario, at % 5 === 0);
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

/** Ctrl-C at each operation of a run: the chunk is finished and journalled, and exit 130 says that there is more. */
const interruptedAtEach = async (scenario: Scenario) => {
  const sum = {rounds: 0, violations: 0, problems: [] as string[]};
  for (let at = 1; ; at += everyFourth) {
    const round = await begin(scenario, false);
    const {code, stdout} = await sesstui(round.place, runWords(scenario), {at, act: 'interrupt'});
    const steps = await stepsOf(round.place);
    if (steps.length < at) return sum;
    const problems = await told(round, `interrupted at ${steps[at - 1]}`, async () => {
      const now = await look(round);
      const {applied, interrupted, error} = JSON.parse(stdout);
      const written = changedRows(round.before, now).length;
      if (error ? error.code !== 'interrupted' || written > 0 : applied !== written)
        round.problems.push(`${written} rows were written, it told ${stdout.slice(0, 300)}`);
      if (code !== (interrupted || error ? 130 : 0)) round.problems.push(`it ended with ${code}`);
      await recover(round);
    });
    sum.rounds++;
    sum.violations += Math.min(1, problems.length);
    sum.problems.push(...problems);
  }
};

/**
 * The suite on the scenarios of a server: `names` are theirs, those of `again` (with `--rounds`; else the last of them)
 * are killed in resume and undo too.
 * `before`: those that are killed before their operations; others differ from them in their messages only, and are
 * killed as each leaves.
 */
export const killedSuite = (
  server: string,
  names: string[],
  again: string[],
  open: () => Promise<Opened>,
  before = names,
): void => {
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
      expect(rounds).toBeGreaterThan(1);
    };
    const minutes = 15 * 60_000;
    const last = isThorough ? again : again.slice(-1);

    test.each(isThorough ? names : before)(
      '%s: before one operation of a run after the other',
      {timeout: minutes},
      async name => {
        const scenario = named(name);
        await prove(
          scenario,
          `SIGKILL before ${isThorough ? 'each' : 'every third'} operation of a run`,
          () => killedAtEach(scenario, 'kill-before', everyThird, isThorough ? everything : undefined),
        );
      },
    );
    test.each(names)('%s: as each message leaves', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'SIGKILL as each message to the store has left', () =>
        killedAtEach(scenario, 'kill-after', 1, 'message'),
      );
    });
    test.each(last)('%s: Ctrl-C', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'Ctrl-C at every fourth operation of a run', () => interruptedAtEach(scenario));
    });
    test.each(last)('%s: while it is resumed', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'SIGKILL before every fourth operation of resume', () => killedResumes(scenario));
    });
    test.each(last)('%s: while it is undone', {timeout: minutes}, async name => {
      const scenario = named(name);
      await prove(scenario, 'SIGKILL before every fourth operation of undo', () => killedUndos(scenario));
    });
  });
};
