/**
 * Two operators, each a process, with opposite rules and among hot writers: they plan, meet, and run at once. On
 * servers that nobody here wrote; `npm run test:faults -- --rounds 1000` plays more rounds.
 */
import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {RunResult} from '../../source/types.js';
import {temporaryDirectory} from '../support/cli.js';
import {type Operator, startOperator} from './operator-process.js';
import {auditOf} from './operators-files.js';
import {playRound, type Round, type Violations} from './operators-round.js';
import {servers} from './operators-servers.js';
import type {System} from './operators-system.js';
import {record} from './record.js';

/** Rounds with one state directory: its audit is read at the end of them. */
const roundsOfBlock = 25;

const requirements: Record<keyof Violations, string> = {
  S1: 'two operators with opposite rules, and writers: groups keep a row',
  S2: 'two operators, and writers: what others wrote stays',
  S3: 'two operators at once: each change made once, and told as it is',
  S4: 'two operators at once: what is written is planned, backed up and audited',
};

const playBlock = async (
  system: System,
  operators: [Operator, Operator],
  range: {from: number; to: number},
  seen: (round: Round, name: string) => void,
): Promise<string[]> => {
  const stateDirectory = await temporaryDirectory();
  const results: RunResult[] = [];
  await Promise.all(operators.map(operator => operator.open(system.config, stateDirectory)));
  for (let index = range.from; index < range.to; index++) {
    const pair = system.pairs[index % system.pairs.length]!;
    const round = await playRound(system, operators, pair, stateDirectory);
    results.push(...round.results);
    seen(round, pair.name);
  }
  const problems = await auditOf(stateDirectory, results);
  await rm(stateDirectory, {recursive: true, force: true});
  return problems;
};

/** Plays the rounds, records them, and gives back every violation as a sentence. */
const play = async (system: System, rounds: number): Promise<string[]> => {
  const operators: [Operator, Operator] = [startOperator(), startOperator()];
  const broken: Record<keyof Violations, number> = {S1: 0, S2: 0, S3: 0, S4: 0};
  const sentences: string[] = [];
  let overlapped = 0;
  let met = 0;
  try {
    for (let from = 0; from < rounds; from += roundsOfBlock) {
      const to = Math.min(rounds, from + roundsOfBlock);
      const audit = await playBlock(system, operators, {from, to}, (round, name) => {
        overlapped += Number(round.overlapped);
        met += Number(round.met);
        for (const [id, problems] of Object.entries(round.violations)) {
          if (problems.length > 0) broken[id as keyof Violations]++;
          sentences.push(...problems.map(problem => `${id} ${name}: ${problem}`));
        }
      });
      if (audit.length > 0) broken.S4++;
      sentences.push(...audit.map(problem => `S4 ${problem}`));
    }
  } finally {
    await Promise.all(operators.map(operator => operator.end()));
  }
  const note = `${system.name}: overlapping plans in ${overlapped} of ${rounds}, something skipped in ${met}`;
  for (const [id, fault] of Object.entries(requirements))
    record({
      requirement: id,
      fault,
      server: system.server,
      rounds,
      violations: broken[id as keyof Violations],
      note,
    });
  expect(overlapped).toBeGreaterThan(rounds * 0.9);
  expect(met).toBeGreaterThan(rounds / 4);
  return sentences;
};

describe.each(servers)('two operators on $name', ({start, share}) => {
  let systems: System[] = [];
  let stop: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    ({systems, stop} = await start());
  });
  afterAll(async () => {
    await Promise.all(systems.map(system => system.close()));
    await stop();
  });

  const rounds = share(process.env.SESSTUI_ROUNDS === undefined ? null : Number(process.env.SESSTUI_ROUNDS));
  test(
    `no group is emptied, nothing is overwritten, nothing is made twice (${rounds} rounds)`,
    async () => {
      for (const system of systems)
        expect(await play(system, Math.ceil(rounds / systems.length))).toEqual([]);
    },
    60_000 + rounds * 3_000,
  );
});
