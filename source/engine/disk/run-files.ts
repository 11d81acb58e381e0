/**
 * What a run leaves on disk: `plan.jsonl` (what it was to do; secret values as hashes), `backup.jsonl` (every row
 * as it was, lossless, with a hash a record and a footer) and `journal.jsonl` (what happened, in order).
 */
import {randomBytes} from 'node:crypto';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import type {Identity, Unit} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {GuardDirection} from '../../guards.js';
import type {Counts, RunState, RunSummary} from '../../types.js';
import type {Json} from '../../values.js';
import {stampOf} from '../../words.js';
import {writePlan} from '../plan/plan-lines.js';
import {writeBackup} from './backup.js';
import {
  fsFault,
  JsonLines,
  makeDirectory,
  readJsonLines,
  readLines,
  requireNoLink,
  runsDirectory,
} from './state-files.js';

export type PlanHeader = {
  run: string;
  at: string;
  by: string;
  store: string;
  check: string;
  action: string;
  environment: string;
  server: string;
  note: string | null;
  undoes: string | null;
  /** The reasons that `remaining` counts. */
  reasons: string[];
  /** The check as it was configured, so that a run is not finished under another one. */
  of: {drastic: boolean; secrets: string[]; configuration: string};
  planned: number;
  /** Changes of a reviewed plan that could not be made any more when it was applied; they are not in the files. */
  dropped?: number;
  /** Of an install or uninstall of guards: its changes are the steps, and there are no rows in its backup. */
  guards?: GuardsHeader;
  /** The install of guards that this run mended rows for. */
  mends?: string;
};

export type GuardsHeader = {
  direction: GuardDirection;
  /** Those that were not as they were to be, in the order of the install. */
  names: string[];
  /** What stood in the place of each before it was first installed, for an uninstall to put back. */
  before: Record<string, Json>;
  /** Was it to clean what is in the way? */
  clean: boolean;
};

export type RunOutcome = {
  result: 'applied' | 'skipped' | 'failed' | 'unknown';
  why?: string;
  error?: string;
  after?: {identity: Identity; version: string} | null;
};

/** Why a step of an install counts as skipped that was made and then taken out again. */
export const takenBack = 'taken-back';

export type OutcomeLine = RunOutcome & {
  event: 'outcome';
  at: string;
  unit: number;
  change: number;
  /** Of guards: which step it is. */
  guard?: string;
  step?: string;
};

export type JournalLine =
  /** `stopped`: of guards, what ended it before it was done. */
  | {event: 'begin' | 'done' | 'interrupted'; at: string; stopped?: string}
  /** Units from (including) and to (excluding) which writing begins now. */
  | {event: 'intent'; at: string; from: number; to: number}
  /** A transaction is about to be committed; if it was (which `token` can tell), these are the outcomes of its units. */
  | {
      event: 'prepared';
      at: string;
      token: Json;
      units: {unit: number; outcomes: (RunOutcome & {change: number})[]}[];
    }
  | OutcomeLine
  /** Of guards: what was put in was taken out again, because the install could not be finished. */
  | {event: 'taken-back'; at: string}
  /** `settled`: of guards, a later run (`by`) has gone on with it. */
  | {event: 'resumed' | 'undone' | 'settled'; at: string; by: string};

/** How the name of a run begins that is made at this moment: names of one second don't tell which was first. */
export const runNameAt = (at: Date): string => stampOf(at);

/** `20261121T014210Z-7f3a` */
const newRunId = (now: Date): string => `${runNameAt(now)}-${randomBytes(2).toString('hex')}`;

const runIdPattern = /^\d{8}T\d{6}Z-[0-9a-f]{4}$/;

export const runDirectory = (stateDirectory: string, run: string): string =>
  join(runsDirectory(stateDirectory), run);

const journalPath = (stateDirectory: string, run: string): string =>
  join(runDirectory(stateDirectory, run), 'journal.jsonl');

export class RunFiles {
  readonly directory: string;
  readonly #journal: JsonLines;
  private constructor(directory: string, journal: JsonLines) {
    this.directory = directory;
    this.#journal = journal;
  }

  /** Everything that has to be on disk before the first change is, when this returns; with the files' hashes. */
  static async create(
    stateDirectory: string,
    header: PlanHeader,
    units: AsyncIterable<Unit>,
    secrets: string[],
  ): Promise<{files: RunFiles; plan: string; backup: string}> {
    const directory = runDirectory(stateDirectory, header.run);
    const journal = await JsonLines.open(join(directory, 'journal.jsonl'));
    try {
      await journal.append([{event: 'begin', at: header.at}]);
      const plan = await writePlan(join(directory, 'plan.jsonl'), header, units, secrets);
      const backup = await writeBackup(join(directory, 'backup.jsonl'), units);
      return {files: new RunFiles(directory, journal), plan, backup};
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** The journal of a run that is there, to write on. */
  static async reopen(stateDirectory: string, run: string): Promise<RunFiles> {
    const journal = await JsonLines.open(journalPath(stateDirectory, run), true);
    return new RunFiles(runDirectory(stateDirectory, run), journal);
  }

  journal(lines: JournalLine[]): Promise<void> {
    return this.#journal.append(lines as unknown as Json[]);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

/** A directory of its own for a new run; its name is the run's. */
export const makeRunDirectory = async (stateDirectory: string, now: Date): Promise<string> => {
  await makeDirectory(stateDirectory);
  await makeDirectory(runsDirectory(stateDirectory));
  await requireNoLink(runsDirectory(stateDirectory));
  for (;;) {
    const run = newRunId(now);
    if (await makeDirectory(runDirectory(stateDirectory, run), true)) return run;
  }
};

export type RunRecord = {header: PlanHeader; journal: JournalLine[]};

/** A run as its files tell it. Throws `not-found` for a run that isn't there. */
export const readRun = async (stateDirectory: string, run: string): Promise<RunRecord> => {
  if (!runIdPattern.test(run))
    throw new SesstuiError(
      'usage',
      `"${run}" is not the name of a run`,
      'A run is named like 20261121T014210Z-7f3a; `sesstui history` lists them.',
    );
  const header = await readHeader(join(runDirectory(stateDirectory, run), 'plan.jsonl'));
  if (!header)
    throw new SesstuiError(
      'not-found',
      `there is no run ${run} in ${runsDirectory(stateDirectory)}`,
      '`sesstui history` lists the runs; --state-dir names another place. A run that was cut off before its plan was on disk has changed nothing.',
    );
  return {header, journal: await readJsonLines<JournalLine>(journalPath(stateDirectory, run))};
};

const readHeader = async (path: string): Promise<PlanHeader | undefined> => {
  for await (const {record} of readLines<{plan?: PlanHeader}>(path)) return record.plan;
  return undefined;
};

/** What the journal tells of each change, by unit and change; the last word counts. */
export const outcomesOf = (journal: JournalLine[]): Map<string, OutcomeLine> => {
  const outcomes = new Map<string, OutcomeLine>();
  for (const line of journal) {
    if (line.event !== 'outcome') continue;
    const name = nameOf(line.unit, line.change);
    // What was made was made, whatever another process believed later.
    if (outcomes.get(name)?.result !== 'applied' || line.why === takenBack) outcomes.set(name, line);
  }
  return outcomes;
};

export const nameOf = (unit: number, change: number): string => `${unit} ${change}`;

export const countsOf = ({header, journal}: RunRecord): Counts => {
  const dropped = header.dropped ?? 0;
  const counts: Counts = {
    planned: header.planned + dropped,
    applied: 0,
    skipped: dropped,
    failed: 0,
    unknown: 0,
  };
  const outcomes = outcomesOf(journal);
  for (const {result} of outcomes.values()) counts[result] += 1;
  // What is left of an install is seen anew as it goes: there may be more steps than were planned.
  return header.guards ? {...counts, planned: Math.max(counts.planned, outcomes.size)} : counts;
};

const stateOf = (record: RunRecord, counts: Counts): RunState => {
  const {journal} = record;
  const events = journal.map(line => line.event);
  if (events.includes('undone')) return 'undone';
  if (events.includes('settled')) return 'done';
  if (events.at(-1) !== 'done') return 'interrupted';
  return counts.failed + counts.unknown > 0 || stoppedBy(record) ? 'failed' : 'done';
};

/** Why an install or uninstall of guards has not come to its end, and what became of it. */
const stoppedBy = ({journal}: RunRecord): string | undefined => {
  const last = journal.findLast(line => line.event === 'done' || line.event === 'settled');
  if (last?.event !== 'done' || last.stopped === undefined) return undefined;
  const isBack = journal.some(({event}) => event === 'taken-back');
  return isBack ? `${last.stopped}; what it had put in was taken out again` : last.stopped;
};

export const summaryOf = (record: RunRecord): RunSummary => {
  const {run, at, by, check, action, note, undoes} = record.header;
  const counts = countsOf(record);
  const stopped = stoppedBy(record);
  return {
    ...{run, at, by, check, action, state: stateOf(record, counts), ...counts, note, undoes},
    ...(stopped !== undefined && {stopped}),
  };
};

/** The names of the runs that have a directory. */
export const runNames = async (stateDirectory: string): Promise<string[]> =>
  (
    await readdir(runsDirectory(stateDirectory)).catch(error => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw fsFault(error, runsDirectory(stateDirectory), 'read');
    })
  )
    .filter(name => runIdPattern.test(name))
    .sort();

/** A run that ended before its plan was on disk changed nothing; a damaged one is told by `history --verify`. */
const orNothing = (error: unknown): undefined => {
  if (error instanceof SesstuiError && ['not-found', 'damaged'].includes(error.code)) return undefined;
  throw error;
};

/** What every run was to do; those whose plan can't be read are left out. */
export const listHeaders = async (stateDirectory: string): Promise<PlanHeader[]> => {
  const headers: PlanHeader[] = [];
  for (const run of await runNames(stateDirectory)) {
    const header = await readHeader(join(runDirectory(stateDirectory, run), 'plan.jsonl')).catch(orNothing);
    if (header) headers.push(header);
  }
  return headers;
};

/** A run's files; null where they can't be read, or aren't there yet. */
export const readRunIfThere = async (stateDirectory: string, run: string): Promise<RunRecord | null> =>
  (await readRun(stateDirectory, run).catch(orNothing)) ?? null;

/** Every run, the newest first. A run whose files can't be read is left out of the list, not of the directory. */
export const listRuns = async (stateDirectory: string): Promise<RunSummary[]> => {
  const runs = (await runNames(stateDirectory)).reverse();
  const summaries: RunSummary[] = [];
  for (const run of runs) {
    const record = await readRun(stateDirectory, run).catch(orNothing);
    if (record) summaries.push(summaryOf(record));
  }
  // Names tell the second only; runs of one second are ordered by when they began.
  return summaries.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
};
