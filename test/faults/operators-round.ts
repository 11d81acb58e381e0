/** One round of two operators, and what has to hold after it, read from the store by a client of its own. */
import type {RunResult, ShownChange} from '../../source/types.js';
import type {Operator} from './operator-process.js';
import {filesOfRun} from './operators-files.js';
import type {Pair, Stored, System} from './operators-system.js';
import {startWriters, type Written} from './operators-writers.js';

/** Sentences, by the requirement that they break. */
export type Violations = {S1: string[]; S2: string[]; S3: string[]; S4: string[]};

export type Round = {
  violations: Violations;
  /** Both plans held changes to rows of one group. */
  overlapped: boolean;
  /** Something was skipped: they, or a writer, were in each other's way. */
  met: boolean;
  results: RunResult[];
};

const appliedNames = (system: System, {changes}: RunResult, ops: ShownChange['op'][]): string[] =>
  changes.filter(({op, result}) => result === 'applied' && ops.includes(op)).map(system.nameOf);

const emptied = (system: System, seed: Map<string, Stored>, now: Map<string, Stored>): string[] => {
  const left = new Set([...now.values()].map(({group}) => group));
  const groups = [...new Set([...seed.values()].map(({group}) => group))];
  return groups
    .filter((group, index) => !left.has(group) && (system.guarded || index > 0))
    .map(group => `group ${group} has lost its last row`);
};

/** An account refers to a row that is there: who removes or moves a row repoints it in the same breath. */
const dangling = (references: Map<string, string | null>, now: Map<string, Stored>): string[] =>
  [...references].flatMap(([group, name]) =>
    name !== null && now.has(name) ? [] : [`the account of ${group} refers to ${name}, which is not there`],
  );

const overwritten = (now: Map<string, Stored>, {stamped}: Written): string[] =>
  [...stamped].flatMap(([name, wrote]) => {
    const is = now.get(name);
    return is?.stamp === wrote.stamp && is.group === wrote.group
      ? []
      : [`${name} was written by someone else as ${JSON.stringify(wrote)} and is ${JSON.stringify(is)}`];
  });

/** What was told is what is there: no more, no less, and nothing twice. */
const mistold = (
  system: System,
  results: RunResult[],
  rows: {seed: Map<string, Stored>; now: Map<string, Stored>},
  written: Written,
): string[] => {
  const [one, two] = results.map(result => appliedNames(system, result, ['delete', 'update', 'insert']));
  const problems = one!.filter(name => two!.includes(name)).map(name => `${name} was changed by both`);
  const gone = new Set(results.flatMap(result => appliedNames(system, result, ['delete'])));
  const came = results.flatMap(result => appliedNames(system, result, ['insert']));
  const moved = new Set(results.flatMap(result => appliedNames(system, result, ['update'])));
  const expected = new Set([...rows.seed.keys(), ...came, ...written.stamped.keys()]);
  for (const name of [...gone, ...written.removed]) expected.delete(name);
  for (const name of expected)
    if (!rows.now.has(name)) problems.push(`${name} is gone, and nobody told that`);
  for (const [name, {group, stamp}] of rows.now) {
    if (!expected.has(name)) problems.push(`${name} is there, and was told to be gone`);
    const was = rows.seed.get(name);
    const writer = written.stamped.get(name);
    if (was && !writer && !moved.has(name) && (was.group !== group || was.stamp !== stamp))
      problems.push(`${name} was changed, and nobody told that`);
  }
  for (const {unknown, run} of results) if (unknown > 0) problems.push(`${run} told ${unknown} as unknown`);
  return problems;
};

/** A plan that both held, with nobody beside them: each change was made once. */
const notOnce = (system: System, pair: Pair, plans: ShownChange[][], results: RunResult[]): string[] => {
  if (!pair.calm) return [];
  const planned = plans[0]!.map(system.nameOf).sort();
  const made = results.flatMap(result => appliedNames(system, result, ['delete', 'update', 'insert'])).sort();
  return made.join() === planned.join() ? [] : [`of ${planned.join()} were made ${made.join()}`];
};

export const playRound = async (
  system: System,
  operators: [Operator, Operator],
  pair: Pair,
  stateDirectory: string,
): Promise<Round> => {
  const seed = await system.reset();
  const plans = await Promise.all(operators.map((operator, index) => operator.plan(pair.tasks[index]!)));
  const groupsOf = (changes: ShownChange[]) =>
    new Set(changes.map(change => seed.get(system.nameOf(change))?.group));
  const [one, two] = plans.map(groupsOf);
  const writers = pair.calm ? null : startWriters(system, seed);
  // Both have their plans in hand: from here they run at once.
  const results = await Promise.all(operators.map(operator => operator.run()));
  const written = (await writers?.stop()) ?? {stamped: new Map(), removed: new Set()};
  const now = await system.rows();
  const references = (await system.references?.()) ?? new Map<string, string | null>();
  const files = await Promise.all(results.map(result => filesOfRun(stateDirectory, result, system)));
  return {
    violations: {
      S1: [...emptied(system, seed, now), ...dangling(references, now)],
      S2: overwritten(now, written),
      S3: [...mistold(system, results, {seed, now}, written), ...notOnce(system, pair, plans, results)],
      S4: files.flat(),
    },
    overlapped: [...one!].some(group => group !== undefined && two!.has(group)),
    met: results.some(({skipped}) => skipped > 0),
    results,
  };
};
