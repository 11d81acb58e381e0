/**
 * The inverse of a run as units of changes: deleted rows come back whole, changed rows go back to what they were,
 * inserted rows go. Only rows that are still as the run left them are touched; the rest are conflicts (safety S9).
 */
import {type Change, type Connector, type Identity, markOf, type Row, type Unit} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {Backup, BackupRecord, Place} from '../disk/backup.js';
import {nameOf, type RunRecord, readRun, summaryOf} from '../disk/run-files.js';
import {openSettled} from './open-settled.js';
import type {Settled} from './settle.js';
import {type TakenBack, takenBack} from './taken-back.js';

type Done = {place: Place; settled: Settled; unsettled: boolean};

export type Undo = {
  record: RunRecord;
  /** The last unit of the run first; rows are read as they are asked for. */
  units: AsyncIterable<Unit>;
  /** How many changes earlier undos had taken back. */
  takenBefore: number;
  close: () => Promise<void>;
};

/**
 * What was only done together (rekey's insert, delete and reference) comes back together or not at all, so that no
 * copy is left; a row deleted beside it comes back on its own. Throws `usage` for a run that was taken back or
 * changed nothing, `damaged` for one whose backup is not as it was written.
 */
export const makeUndo = async (
  connector: Connector,
  stateDirectory: string,
  run: string,
  signal?: AbortSignal,
): Promise<Undo> => {
  const record = await readRun(stateDirectory, run);
  if (summaryOf(record).state === 'undone')
    throw new SesstuiError(
      'usage',
      `run ${run} was taken back already`,
      '`sesstui history` shows what was done since.',
    );
  const opened = await openSettled(connector, stateDirectory, record, signal);
  if (!opened) throw changedNothing(record);
  const {backup, settled} = opened;
  try {
    const earlier = await takenBack(connector, stateDirectory, run);
    const units = unitsToUndo(backup, settled, earlier);
    return {
      record,
      takenBefore: earlier.done.size,
      units: inverses(connector, backup, units, signal),
      close: () => backup.close(),
    };
  } catch (error) {
    await backup.close();
    throw error;
  }
};

const changedNothing = ({header}: RunRecord): SesstuiError =>
  new SesstuiError(
    'usage',
    `run ${header.run} was cut off before its backup was on disk: it has changed nothing`,
    `There is nothing to take back; \`sesstui resume ${header.run} --yes\` closes it.`,
  );

/** Of each unit what was done and not taken back; the last unit first, its last change first. */
const unitsToUndo = (backup: Backup, settled: Map<string, Settled>, earlier: TakenBack): Done[][] => {
  const units = new Map<number, Done[]>();
  for (const place of backup.places) {
    const name = nameOf(place.unit, place.change);
    const outcome = settled.get(name)!;
    if (earlier.done.has(name) || (outcome.result !== 'applied' && outcome.result !== 'unknown')) continue;
    const unsettled = earlier.perhaps.has(name) || outcome.result === 'unknown';
    units.set(place.unit, [{place, settled: outcome, unsettled}, ...(units.get(place.unit) ?? [])]);
  }
  return [...units.values()].reverse();
};

type Item = Done & {backup: BackupRecord};

/** How many changes, and about how many bytes, are held at once while their inverses are made. */
const atOnce = {changes: 200, bytes: 8 << 20};

async function* inverses(
  connector: Connector,
  backup: Backup,
  units: Done[][],
  signal?: AbortSignal,
): AsyncGenerator<Unit> {
  let batch: Done[][] = [];
  let changes = 0;
  let bytes = 0;
  for (const [index, unit] of units.entries()) {
    batch.push(unit);
    changes += unit.length;
    bytes += unit.reduce((sum, {place}) => sum + place.length, 0);
    if (changes < atOnce.changes && bytes < atOnce.bytes && index + 1 < units.length) continue;
    yield* inversesOf(connector, backup, batch, signal);
    batch = [];
    changes = 0;
    bytes = 0;
  }
}

async function* inversesOf(
  connector: Connector,
  backup: Backup,
  units: Done[][],
  signal?: AbortSignal,
): AsyncGenerator<Unit> {
  const items = await Promise.all(
    units.map(unit =>
      Promise.all(unit.map(async done => ({...done, backup: await backup.record(done.place)}))),
    ),
  );
  const now = await rowsNow(connector, items.flat(), signal);
  for (const unit of items) {
    const moved = unit.some(({backup: {op, ...rest}}) => op === 'insert' || 'to' in rest);
    yield {
      group: null,
      changes: unit.map(item => inverse(item, now, moved && isRequired(item.backup))),
    };
  }
}

const isRequired = (backup: BackupRecord): boolean => 'required' in backup && backup.required === true;

/** Where the row lies after the change. */
const afterOf = ({settled, backup}: Item): {identity: Identity; version: string} =>
  ('after' in settled && settled.after) || {identity: backup.identity, version: backup.version ?? ''};

/** The rows as they are now, of everything that is still there after the run. */
const rowsNow = async (
  connector: Connector,
  items: Item[],
  signal?: AbortSignal,
): Promise<Map<string, Row>> => {
  const byTable = new Map<string, Identity[]>();
  for (const item of items)
    if (item.backup.op !== 'delete')
      byTable.set(item.backup.table, [...(byTable.get(item.backup.table) ?? []), afterOf(item).identity]);
  const rows = new Map<string, Row>();
  for (const [table, identities] of byTable) {
    const found = await connector.fetch(table, identities, signal);
    for (const [index, row] of found.entries()) if (row) rows.set(markOf(table, identities[index]!), row);
  }
  return rows;
};

const inverse = (item: Item, now: Map<string, Row>, required: boolean): Change => {
  const {backup, place, unsettled} = item;
  const source: [number, number] = [place.unit, place.change];
  const common = {table: backup.table, required, source, ...(unsettled ? {skip: 'unsettled'} : {})};
  if (backup.op === 'delete')
    return {...common, op: 'insert', identity: backup.identity, version: null, row: backup.image};
  const after = afterOf(item);
  const row = now.get(markOf(backup.table, after.identity));
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
  return backup.op === 'insert' ? {...current, op: 'delete'} : {...current, op: 'update', to: backup.image};
};
