/**
 * The inverse of a run as a plan: deleted rows come back whole, changed rows go back to what they were, inserted
 * rows go. Only rows that are still as the run left them are touched; the rest are conflicts (safety S9).
 */
import {type Change, type Connector, type Identity, markOf, type Row, type Unit} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {
  type BackupRecord,
  type JournalLine,
  type PlannedChange,
  type RunRecord,
  readBackup,
  readRun,
  summaryOf,
} from './run-files.js';

type Outcome = Extract<JournalLine, {event: 'outcome'}>;
type Done = {planned: PlannedChange; backup: BackupRecord; outcome: Outcome};

/** What a run did, in order; throws `usage` for a run that has nothing to take back. */
const doneBy = async (stateDirectory: string, run: string): Promise<{record: RunRecord; done: Done[]}> => {
  const record = await readRun(stateDirectory, run);
  if (summaryOf(record).state === 'undone') {
    throw new SesstuiError(
      'usage',
      `run ${run} was taken back already`,
      '`sesstui history` shows what was done since.',
    );
  }
  const backups = new Map(
    (await readBackup(stateDirectory, run)).map(backup => [`${backup.unit} ${backup.change}`, backup]),
  );
  const outcomes = new Map<string, Outcome>();
  for (const line of record.journal)
    if (line.event === 'outcome') outcomes.set(`${line.unit} ${line.change}`, line);
  const done = record.changes.flatMap((planned): Done[] => {
    const name = `${planned.unit} ${planned.change}`;
    const outcome = outcomes.get(name);
    const backup = backups.get(name);
    if (outcome?.result !== 'applied') return [];
    if (!backup)
      throw new SesstuiError(
        'damaged',
        `run ${run} has no backup of one of its changes`,
        'Restore backup.jsonl from a copy.',
      );
    return [{planned, backup, outcome}];
  });
  return {record, done};
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

const inverse = ({planned, backup, outcome}: Done, now: Map<string, Row>, required: boolean): Change => {
  const common = {table: planned.table, required};
  if (planned.op === 'delete')
    return {...common, op: 'insert', identity: backup.identity, version: null, row: backup.image};
  const after = outcome.after!;
  const row = now.get(markOf(planned.table, after.identity));
  const conflict = !row ? {skip: 'gone'} : row.version === after.version ? {} : {skip: 'changed'};
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
): Promise<{record: RunRecord; units: Unit[]}> => {
  const {record, done} = await doneBy(stateDirectory, run);
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
  return {record, units};
};

const groupByUnit = (done: Done[]): Map<number, Done[]> => {
  const map = new Map<number, Done[]>();
  for (const item of done) map.set(item.planned.unit, [...(map.get(item.planned.unit) ?? []), item]);
  return map;
};
