/**
 * What a run leaves on disk: `plan.jsonl` (what it was to do; secret values as hashes), `backup.jsonl` (every row
 * as it was, lossless, with a hash a record and a footer) and `journal.jsonl` (what happened, in order).
 */
import {randomBytes} from 'node:crypto';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import type {Change, Identity, Image, NewValue, Unit} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {isSecretColumn} from '../secrets.js';
import type {Counts, RunState, RunSummary} from '../types.js';
import type {Json, Value} from '../values.js';
import {encodeValue} from './encode.js';
import {
  JsonLines,
  makeDirectory,
  readJsonLines,
  runsDirectory,
  sealed,
  sha256,
  unseal,
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
  planned: number;
};

/** What is known of a change besides its images: enough to find the row and to take the change back. */
export type PlannedChange = {
  unit: number;
  change: number;
  op: Change['op'];
  table: string;
  identity: Identity;
  version: string | null;
  whole: boolean;
  set: Record<string, Json> | null;
  still: Json | null;
  required: boolean;
  skip: string | null;
  /** Of an undo: what it takes back. */
  source: [number, number] | null;
};

export type BackupRecord = {
  unit: number;
  change: number;
  table: string;
  identity: Identity;
  version: string | null;
  image: Image;
  sha256: string;
};

export type JournalLine =
  | {event: 'begin' | 'done' | 'interrupted'; at: string}
  | {event: 'intent'; at: string; from: number; to: number}
  | {
      event: 'outcome';
      at: string;
      unit: number;
      change: number;
      result: string;
      why?: string;
      error?: string;
      after?: {identity: Identity; version: string} | null;
    }
  | {event: 'undone'; at: string; by: string};

/** `20261121T014210Z-7f3a` */
export const newRunId = (now: Date): string =>
  `${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`;

const runIdPattern = /^\d{8}T\d{6}Z-[0-9a-f]{4}$/;

const hashed = (name: string, secrets: string[], value: Value): Json =>
  isSecretColumn(name, secrets) ? {$sha256: sha256(JSON.stringify(encodeValue(value)))} : encodeValue(value);

const plannedValue = (name: string, secrets: string[], value: NewValue): Json => {
  if ('value' in value) return {value: hashed(name, secrets, value.value)};
  return 'now' in value ? {now: true} : {remove: true};
};

const plannedChange = (change: Change, unit: number, index: number, secrets: string[]): PlannedChange => ({
  unit,
  change: index,
  op: change.op,
  table: change.table,
  identity: change.identity,
  version: change.version,
  whole: 'to' in change || change.op === 'insert',
  set:
    'set' in change && change.set
      ? Object.fromEntries(
          Object.entries(change.set).map(([name, value]) => [name, plannedValue(name, secrets, value)]),
        )
      : null,
  still: (change.still as Json | undefined) ?? null,
  required: change.required ?? false,
  skip: change.skip ?? null,
  source: change.source ?? null,
});

/** The row as it was, or for an insert the row that it is made from. */
const imageOf = (change: Change): Image =>
  change.op === 'insert' ? ('row' in change ? change.row : change.from) : change.image;

export class RunFiles {
  readonly run: string;
  readonly directory: string;
  #journal: JsonLines;
  private constructor(run: string, directory: string, journal: JsonLines) {
    this.run = run;
    this.directory = directory;
    this.#journal = journal;
  }

  /** Everything that has to be on disk before the first change is, when this returns. */
  static async create(
    stateDirectory: string,
    header: PlanHeader,
    units: Unit[],
    secrets: string[],
  ): Promise<RunFiles> {
    const directory = join(runsDirectory(stateDirectory), header.run);
    await makeDirectory(stateDirectory);
    await makeDirectory(directory, true);
    const journal = await JsonLines.open(join(directory, 'journal.jsonl'));
    await journal.append([{event: 'begin', at: header.at}]);
    await writePlan(join(directory, 'plan.jsonl'), header, units, secrets);
    await writeBackup(join(directory, 'backup.jsonl'), units);
    return new RunFiles(header.run, directory, journal);
  }

  journal(lines: JournalLine[]): Promise<void> {
    return this.#journal.append(lines as unknown as Json[]);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

const writeAll = async (path: string, records: Iterable<Json>): Promise<void> => {
  const file = await JsonLines.open(path);
  try {
    let batch: Json[] = [];
    for (const record of records) {
      batch.push(record);
      if (batch.length === 500) {
        await file.append(batch);
        batch = [];
      }
    }
    await file.append(batch);
  } finally {
    await file.close();
  }
};

function* planRecords(header: PlanHeader, units: Unit[], secrets: string[]): Iterable<Json> {
  yield {plan: header} as unknown as Json;
  for (const [unit, {changes}] of units.entries())
    for (const [index, change] of changes.entries())
      yield plannedChange(change, unit, index, secrets) as unknown as Json;
}

const writePlan = (path: string, header: PlanHeader, units: Unit[], secrets: string[]): Promise<void> =>
  writeAll(path, planRecords(header, units, secrets));

function* backupRecords(units: Unit[]): Iterable<Json> {
  let count = 0;
  let chain = '';
  for (const [unit, {changes}] of units.entries()) {
    for (const [index, change] of changes.entries()) {
      const record = sealed({
        unit,
        change: index,
        table: change.table,
        identity: change.identity as unknown as Json,
        version: change.version,
        image: imageOf(change),
      });
      chain = sha256(chain + (record.sha256 as string));
      count++;
      yield record;
    }
  }
  yield {records: count, chain};
}

const writeBackup = (path: string, units: Unit[]): Promise<void> => writeAll(path, backupRecords(units));

/** The rows of a backup; throws `damaged` when a byte of it is not as it was written. */
export const readBackup = async (stateDirectory: string, run: string): Promise<BackupRecord[]> => {
  const path = join(runsDirectory(stateDirectory), run, 'backup.jsonl');
  const lines = await readJsonLines<BackupRecord | {records: number; chain: string}>(path);
  const footer = lines.pop();
  if (!footer || !('chain' in footer))
    throw new SesstuiError(
      'damaged',
      `${path} has no footer: it was not written to its end`,
      'Nothing was changed by a run whose backup is not whole.',
    );
  const records = lines as BackupRecord[];
  const chain = records
    .map((record, index) => unseal(record, path, index + 1))
    .reduce((hash, record) => sha256(hash + record.sha256), '');
  if (footer.records !== records.length || footer.chain !== chain)
    throw new SesstuiError(
      'damaged',
      `${path} was altered: its footer does not fit`,
      'Restore the file from a copy; nothing is undone from a damaged backup.',
    );
  return records;
};

export type RunRecord = {header: PlanHeader; changes: PlannedChange[]; journal: JournalLine[]};

/** A run as its files tell it. Throws `not-found` for a run that isn't there. */
export const readRun = async (stateDirectory: string, run: string): Promise<RunRecord> => {
  if (!runIdPattern.test(run))
    throw new SesstuiError(
      'usage',
      `"${run}" is not the name of a run`,
      'A run is named like 20261121T014210Z-7f3a; `sesstui history` lists them.',
    );
  const directory = join(runsDirectory(stateDirectory), run);
  const [first, ...changes] = await readJsonLines<{plan?: PlanHeader} & PlannedChange>(
    join(directory, 'plan.jsonl'),
  );
  if (!first?.plan)
    throw new SesstuiError(
      'not-found',
      `there is no run ${run} in ${runsDirectory(stateDirectory)}`,
      '`sesstui history` lists the runs; --state-dir names another place.',
    );
  return {
    header: first.plan,
    changes,
    journal: await readJsonLines<JournalLine>(join(directory, 'journal.jsonl')),
  };
};

export const countsOf = ({changes, journal}: RunRecord): Counts => {
  const counts: Counts = {planned: changes.length, applied: 0, skipped: 0, failed: 0, unknown: 0};
  const latest = new Map<string, string>();
  for (const line of journal)
    if (line.event === 'outcome') latest.set(`${line.unit} ${line.change}`, line.result);
  for (const result of latest.values()) counts[result as 'applied'] += 1;
  return counts;
};

const stateOf = (record: RunRecord, counts: Counts): RunState => {
  const events = record.journal.map(line => line.event);
  if (events.includes('undone')) return 'undone';
  if (!events.includes('done')) return 'interrupted';
  return counts.failed + counts.unknown > 0 ? 'failed' : 'done';
};

export const summaryOf = (record: RunRecord): RunSummary => {
  const {run, at, by, check, action, note, undoes} = record.header;
  const counts = countsOf(record);
  return {run, at, by, check, action, state: stateOf(record, counts), ...counts, note, undoes};
};

/** The names of the runs that have a directory. */
export const runNames = async (stateDirectory: string): Promise<string[]> =>
  (await readdir(runsDirectory(stateDirectory)).catch(() => []))
    .filter(name => runIdPattern.test(name))
    .sort();

/** Every run, the newest first. A run whose files can't be read is left out of the list, not of the directory. */
export const listRuns = async (stateDirectory: string): Promise<RunSummary[]> => {
  const runs = (await runNames(stateDirectory)).reverse();
  const summaries: RunSummary[] = [];
  for (const run of runs) {
    try {
      summaries.push(summaryOf(await readRun(stateDirectory, run)));
    } catch (error) {
      // A run that ended before its plan was on disk changed nothing; a damaged one is told by `history --verify`.
      if (!(error instanceof SesstuiError && ['not-found', 'damaged'].includes(error.code))) throw error;
    }
  }
  // Names tell the second only; runs of one second are ordered by when they began.
  return summaries.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
};
