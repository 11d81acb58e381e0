/**
 * The inverse of a run as a plan: deleted rows come back whole, changed rows go back to what they were, inserted
 * rows go. Only rows that are still as the run left them are touched; the rest are conflicts (safety S9).
 */
import {join} from 'node:path';
import {lock} from 'proper-lockfile';
import {type Change, type Connector, type Identity, markOf, type Row, type Unit} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {
  type BackupRecord,
  type JournalLine,
  listRuns,
  type PlannedChange,
  type RunRecord,
  readBackup,
  readRun,
  summaryOf,
} from './run-files.js';
import {runsDirectory} from './state-files.js';

type Outcome = Extract<JournalLine, {event: 'outcome'}>;
type Done = {planned: PlannedChange; backup: BackupRecord; outcome: Outcome; unsettled: boolean};

const nameOf = (unit: number, change: number): string => `${unit} ${change}`;

const outcomesOf = (record: RunRecord): Map<string, Outcome> => {
  const outcomes = new Map<string, Outcome>();
  for (const line of record.journal)
    if (line.event === 'outcome') outcomes.set(nameOf(line.unit, line.change), line);
  return outcomes;
};

/** Units that were begun and of which the journal tells no outcome: the process died in between. */
const begunUnits = (record: RunRecord): Set<number> => {
  const units = new Set<number>();
  for (const line of record.journal)
    if (line.event === 'intent') for (let unit = line.from; unit < line.to; unit++) units.add(unit);
  return units;
};

/** What earlier undos of a run took back, and what they may have (they died before they could tell). */
export const takenBack = async (
  stateDirectory: string,
  run: string,
): Promise<{done: Set<string>; perhaps: Set<string>}> => {
  const done = new Set<string>();
  const perhaps = new Set<string>();
  for (const {run: other, undoes} of await listRuns(stateDirectory)) {
    if (undoes !== run) continue;
    const record = await readRun(stateDirectory, other);
    const outcomes = outcomesOf(record);
    const begun = begunUnits(record);
    for (const {unit, change, source} of record.changes) {
      if (!source) continue;
      const outcome = outcomes.get(nameOf(unit, change));
      if (outcome?.result === 'applied') done.add(nameOf(...source));
      else if (outcome?.result === 'unknown' || (!outcome && begun.has(unit))) perhaps.add(nameOf(...source));
    }
  }
  return {done, perhaps};
};

/**
 * Changes whose outcome nobody wrote down, settled by reading: a row that is gone was deleted, one that is as it
 * was planned was not touched. For the rest nobody can say, and they are conflicts.
 */
const settle = async (
  connector: Connector,
  planned: PlannedChange,
  signal?: AbortSignal,
): Promise<Outcome | null> => {
  const told = {event: 'outcome' as const, at: '', unit: planned.unit, change: planned.change};
  if (planned.op === 'insert') return {...told, result: 'unsettled'};
  const [row] = await connector.fetch(planned.table, [planned.identity], signal);
  if (!row)
    return planned.op === 'delete'
      ? {...told, result: 'applied', after: null}
      : {...told, result: 'unsettled'};
  return row.version === planned.version ? null : {...told, result: 'unsettled'};
};

/** What a run did and nobody took back yet, in order; throws `usage` for a run that was taken back. */
const doneBy = async (
  connector: Connector,
  stateDirectory: string,
  run: string,
  signal?: AbortSignal,
): Promise<{record: RunRecord; done: Done[]; takenBefore: number}> => {
  const record = await readRun(stateDirectory, run);
  if (summaryOf(record).state === 'undone') {
    throw new SesstuiError(
      'usage',
      `run ${run} was taken back already`,
      '`sesstui history` shows what was done since.',
    );
  }
  const backups = new Map(
    (await readBackup(stateDirectory, run)).map(backup => [nameOf(backup.unit, backup.change), backup]),
  );
  const outcomes = outcomesOf(record);
  const begun = begunUnits(record);
  const earlier = await takenBack(stateDirectory, run);
  const done: Done[] = [];
  for (const planned of record.changes) {
    const name = nameOf(planned.unit, planned.change);
    if (earlier.done.has(name)) continue;
    let outcome: Outcome | null | undefined = outcomes.get(name);
    if (begun.has(planned.unit) && (!outcome || outcome.result === 'unknown'))
      outcome = await settle(connector, planned, signal);
    if (!outcome || !['applied', 'unsettled'].includes(outcome.result)) continue;
    const backup = backups.get(name);
    if (!backup)
      throw new SesstuiError(
        'damaged',
        `run ${run} has no backup of one of its changes`,
        'Restore backup.jsonl from a copy.',
      );
    // A row without a key that an undo may have put back can't be told from a copy.
    const doubtful = earlier.perhaps.has(name) && planned.identity.by === 'place';
    done.push({planned, backup, outcome, unsettled: doubtful || outcome.result === 'unsettled'});
  }
  return {record, done, takenBefore: earlier.done.size};
};

/**
 * Keeps other processes from taking the same run back at the same time; throws `usage` where one is at it, or has
 * been since the plan was made. Returns what lets go.
 */
export const holdRun = async (
  stateDirectory: string,
  run: string,
  takenBefore: number,
): Promise<() => Promise<void>> => {
  const again = '`sesstui history` shows what was done; then undo again for what is left.';
  const release = await lock(join(runsDirectory(stateDirectory), run), {stale: 30_000}).catch(() => {
    throw new SesstuiError('usage', `run ${run} is being taken back by another process`, again);
  });
  if ((await takenBack(stateDirectory, run)).done.size === takenBefore) return release;
  await release();
  throw new SesstuiError('usage', `run ${run} was taken back while this plan was looked at`, again);
};

/** The rows as they are now, of everything that is still there after the run. */
const rowsNow = async (
  connector: Connector,
  done: Done[],
  signal?: AbortSignal,
): Promise<Map<string, Row>> => {
  const byTable = new Map<string, Identity[]>();
  for (const {planned, outcome} of done)
    if (outcome.after)
      byTable.set(planned.table, [...(byTable.get(planned.table) ?? []), outcome.after.identity]);
  const rows = new Map<string, Row>();
  for (const [table, identities] of byTable) {
    for (let start = 0; start < identities.length; start += 500) {
      const some = identities.slice(start, start + 500);
      const found = await connector.fetch(table, some, signal);
      for (const [index, row] of found.entries()) if (row) rows.set(markOf(table, some[index]!), row);
    }
  }
  return rows;
};

const inverse = (
  {planned, backup, outcome, unsettled}: Done,
  now: Map<string, Row>,
  required: boolean,
): Change => {
  const source: [number, number] = [planned.unit, planned.change];
  const common = {table: planned.table, required, source, ...(unsettled ? {skip: 'unsettled'} : {})};
  if (planned.op === 'delete')
    return {...common, op: 'insert', identity: backup.identity, version: null, row: backup.image};
  const after = outcome.after ?? {identity: planned.identity, version: backup.version ?? ''};
  const row = now.get(markOf(planned.table, after.identity));
  const conflict = unsettled
    ? {}
    : !row
      ? {skip: 'gone'}
      : row.version === after.version
        ? {}
        : {skip: 'changed'};
  const current = {
    ...common,
    identity: after.identity,
    version: after.version,
    image: row?.image ?? backup.image,
    ...conflict,
  };
  return planned.op === 'insert' ? {...current, op: 'delete'} : {...current, op: 'update', to: backup.image};
};

/**
 * Units in reverse. What was only done together (rekey's insert, delete and reference) comes back together or not
 * at all, so that no copy is left; a row deleted beside it comes back on its own.
 */
export const makeUndo = async (
  connector: Connector,
  stateDirectory: string,
  run: string,
  signal?: AbortSignal,
): Promise<{record: RunRecord; units: Unit[]; takenBefore: number}> => {
  const {record, done, takenBefore} = await doneBy(connector, stateDirectory, run, signal);
  const server = await connector.server(signal);
  if (server.id !== record.header.server) {
    throw new SesstuiError(
      'usage',
      `run ${run} was made on another server (${record.header.server}) than store ${record.header.store} is now (${server.id})`,
      'Point the store at that server, or take the run back where it was made.',
    );
  }
  const now = await rowsNow(connector, done, signal);
  const byUnit = groupByUnit(done);
  const units = [...byUnit.values()].reverse().map((items): Unit => {
    const moved = items.some(({planned}) => planned.op === 'insert' || planned.whole);
    return {
      group: null,
      changes: items.reverse().map(item => inverse(item, now, moved && item.planned.required)),
    };
  });
  return {record, units, takenBefore};
};

const groupByUnit = (done: Done[]): Map<number, Done[]> => {
  const map = new Map<number, Done[]>();
  for (const item of done) map.set(item.planned.unit, [...(map.get(item.planned.unit) ?? []), item]);
  return map;
};
