/** What a run left on disk, compared with what it told: written ⊆ backed up ⊆ planned, and the audit tells the same. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Image} from '../../source/connector.js';
import type {RunResult} from '../../source/types.js';
import type {System} from './operators-system.js';

type Line = Record<string, unknown>;

const linesOf = async (path: string): Promise<Line[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Line);

const placeOf = ({unit, change}: Line): string => `${unit}/${change}`;

/** What is wrong with the files of a run, a sentence each. */
export const filesOfRun = async (
  stateDirectory: string,
  result: RunResult,
  system: System,
): Promise<string[]> => {
  if (result.run === null) return [];
  const at = (name: string) => linesOf(join(stateDirectory, 'runs', result.run!, name));
  const planned = (await at('plan.jsonl')).filter(line => 'op' in line);
  const backup = (await at('backup.jsonl')).filter(line => 'image' in line);
  const journal = await at('journal.jsonl');
  const places = planned.map(placeOf);
  const backedUp = new Map(backup.map(line => [placeOf(line), line.image as Image]));
  const problems = [...backedUp.keys()]
    .filter(place => !places.includes(place))
    .map(place => `${result.run}: ${place} is backed up and not planned`);
  const outcomes = new Map(
    journal.filter(({event}) => event === 'outcome').map(line => [placeOf(line), line.result]),
  );
  for (const [index, change] of result.changes.entries()) {
    const place = places[index]!;
    if (outcomes.get(place) !== change.result)
      problems.push(
        `${result.run}: ${place} is ${change.result}, and the journal says ${outcomes.get(place)}`,
      );
    if (change.result !== 'applied') continue;
    const image = backedUp.get(place);
    if (image === undefined || (change.op !== 'insert' && !system.holds(image, system.nameOf(change))))
      problems.push(`${result.run}: ${place} was applied without a backup of its row`);
  }
  return problems;
};

/** What is wrong with the audit of some runs, which are all that were carried out with this directory. */
export const auditOf = async (stateDirectory: string, results: RunResult[]): Promise<string[]> => {
  const lines = await linesOf(join(stateDirectory, 'audit.jsonl'));
  const problems: string[] = [];
  const runs = results.filter(({run}) => run !== null);
  for (const {run, applied, skipped, failed, unknown} of runs) {
    const own = lines.filter(line => line.run === run && line.event === 'done');
    const told = own.map(line => [line.applied, line.skipped, line.failed, line.unknown].join());
    if (told.length !== 1 || told[0] !== [applied, skipped, failed, unknown].join())
      problems.push(`${run}: the audit tells ${told.join(' and ') || 'nothing'}`);
  }
  const known = new Set(runs.map(({run}) => run));
  for (const {run} of lines) if (!known.has(run as string)) problems.push(`the audit tells of ${run}`);
  return problems;
};
