/**
 * A network that loses, at each message of a run in turn, the message or the answer to it. Afterwards what the run
 * told is what is there, nothing is left unknown that can be asked, and undo takes back what was made.
 */
import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {RunResult} from '../../source/types.js';
import {temporaryDirectory} from '../support/cli.js';
import {type Behind, networkServers} from './network-servers.js';
import {differences, liesOf, snapshotOf} from './network-truth.js';
import {type Operator, OperatorError, startOperator, type Task} from './operator-process.js';
import {record} from './record.js';

/** Few groups: each message of a run is lost in a run of its own. */
const groups = 2;

/** Asked for rounds, it loses every message both ways. */
const thorough = process.env.SESSTUI_ROUNDS !== undefined;

type Fault = 'cut' | 'drop';

const faultTexts: Record<Fault, string> = {
  cut: 'messages of a run lost in turn',
  drop: 'answers to messages of a run lost in turn',
};

type Told = {lies: string[]; unknown: number; fired: boolean};

const runOnce = async (
  {system, proxy, config}: Behind,
  operator: Operator,
  task: Task,
  at: {fault: Fault; message: number},
): Promise<Told> => {
  const stateDirectory = await temporaryDirectory();
  await system.reset(groups);
  const before = await snapshotOf(system);
  // A new engine, as a new process has: none of its connections is open yet.
  await operator.open(config, stateDirectory);
  proxy.arm(at.fault, at.message);
  let result: RunResult | undefined;
  try {
    await operator.plan(task);
    result = await operator.run();
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code === 'internal') throw error;
  }
  const {fired} = proxy;
  const now = await snapshotOf(system);
  const lies = result ? liesOf(system, result, before, now) : differences(before, now);
  proxy.arm(null);
  if (result?.run && result.applied + result.unknown > 0) {
    await operator.undo(result.run);
    lies.push(...differences(before, await snapshotOf(system)).map(text => `after the undo ${text}`));
  }
  await rm(stateDirectory, {recursive: true, force: true});
  const what = `${task.action}, ${at.fault} at message ${at.message}`;
  return {lies: lies.map(lie => `${what}: ${lie}`), unknown: result?.unknown ?? 0, fired};
};

describe.each(networkServers)('a network that loses messages, on $name', ({name, runs, start}) => {
  let behind: Behind;
  let operator: Operator;

  beforeAll(async () => {
    behind = await start();
    operator = startOperator();
  });
  afterAll(async () => {
    await operator.end();
    await behind.stop();
  });

  /** How many messages a plan takes: nothing is written before. */
  const planning = async (task: Task): Promise<number> => {
    await behind.system.reset(groups);
    await operator.open(behind.config, await temporaryDirectory());
    behind.proxy.arm(null);
    await operator.plan(task);
    return behind.proxy.count;
  };

  const sweep = async (fault: Fault): Promise<string[]> => {
    const sentences: string[] = [];
    let rounds = 0;
    let violations = 0;
    for (const task of runs) {
      const planned = await planning(task);
      for (let message = 1; ; message++) {
        // While a plan is made nothing can be half done: either fault for each message, and both where more is asked.
        if (!thorough && message < planned && message % 2 === Number(fault === 'cut')) continue;
        const {lies, unknown, fired} = await runOnce(behind, operator, task, {fault, message});
        // A run that got through without meeting the fault was shorter: every message had its turn.
        if (!fired) break;
        rounds++;
        if (unknown > 0)
          lies.push(
            `${task.action}, ${fault} at message ${message}: ${unknown} are unknown and could be asked`,
          );
        if (lies.length > 0) violations++;
        sentences.push(...lies);
      }
    }
    record({requirement: 'S5', fault: faultTexts[fault], server: name, rounds, violations});
    expect(rounds).toBeGreaterThan(10);
    return sentences;
  };

  test('a message that does not arrive', async () => expect(await sweep('cut')).toEqual([]), 600_000);
  test('an answer that does not arrive', async () => expect(await sweep('drop')).toEqual([]), 600_000);
});
