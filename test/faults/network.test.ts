/**
 * A network that loses, at each message of a run in turn, the message or the answer to it. Afterwards what the run
 * told is what is there, nothing is left unknown that can be asked, and undo takes back what was made.
 */
import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {RunResult} from '../../source/types.js';
import {temporaryDirectory} from '../support/cli.js';
import type {Fault} from './network-proxy.js';
import {type Behind, networkServers} from './network-servers.js';
import {differences, liesOf, snapshotOf} from './network-truth.js';
import {type Operator, OperatorError, startOperator, type Task} from './operator-process.js';
import {record} from './record.js';

/** Few groups: each message of a run is lost in a run of its own. */
const groups = 2;

const faultTexts: Record<Fault, string> = {
  cut: 'each message of a run lost in turn',
  drop: 'the answer to each message of a run lost in turn',
  down: 'the network gone from a message of a run on',
  slow: 'each message of a run late in turn',
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

  const sweep = async (fault: Fault, knowable: boolean): Promise<string[]> => {
    const sentences: string[] = [];
    let rounds = 0;
    let violations = 0;
    for (const task of runs)
      for (let message = 1; ; message++) {
        const {lies, unknown, fired} = await runOnce(behind, operator, task, {fault, message});
        // A run that got through without meeting the fault was shorter: every message had its turn.
        if (!fired) break;
        rounds++;
        if (knowable && unknown > 0)
          lies.push(
            `${task.action}, ${fault} at message ${message}: ${unknown} are unknown and could be asked`,
          );
        if (lies.length > 0) violations++;
        sentences.push(...lies);
      }
    record({requirement: 'S5', fault: faultTexts[fault], server: name, rounds, violations});
    expect(rounds).toBeGreaterThan(10);
    return sentences;
  };

  test('a message that does not arrive', async () => expect(await sweep('cut', true)).toEqual([]), 300_000);
  test('an answer that does not arrive', async () => expect(await sweep('drop', true)).toEqual([]), 300_000);
});
