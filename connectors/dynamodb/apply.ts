/** Applying units of changes: read, decide, write, again and again until every change has its outcome. */
import pLimit from 'p-limit';
import type {After, ApplyOptions, Change, Identity, Outcome, Unit} from '../../source/connector.js';
import {asSesstuiError, SesstuiError} from '../../source/errors.js';
import {type Item, imageOf, neutralItem, versionOf} from './attributes.js';
import {nextBatch} from './batch.js';
import {decide, type Outcomes, skipped} from './decide.js';
import {keeperCheck, type Operation, operationOf} from './operations.js';
import {stillEnvironment} from './still.js';
import {type Store, serverNow} from './store.js';
import {identityOf, type TableInfo} from './tables.js';
import {type GroupFinder, groupFinder, readUnit, type UnitRows} from './unit-rows.js';
import {type Answer, transact, writeOne} from './write.js';

/** How many units are under way at once. */
const unitsAtOnce = 8;
/** Rounds in a row in which conditions failed; each one begins with a new look at the rows. */
const mostLostRounds = 5;

type Progress = {written: boolean};

const afterOf = (item: Item | null, info: TableInfo): After =>
  item && {
    identity: identityOf(item, info.key),
    version: versionOf(item),
    image: imageOf(item),
    values: neutralItem(item),
  };

const failed = (error: unknown): Outcome => ({result: 'failed', error: asSesstuiError(error).message});

/** The writes of the changes that are still to be made; one that can't be put into a write has failed. */
const operationsOf = (unit: Unit, outcomes: Outcomes, rows: UnitRows, now: number): Operation[] =>
  unit.changes.flatMap((change, index) => {
    if (outcomes[index]) return [];
    try {
      return [
        operationOf(
          change,
          index,
          rows.tables.get(change.table)!,
          rows.item(change.table, change.identity),
          now,
        ),
      ];
    } catch (error) {
      outcomes[index] = failed(error);
      return [];
    }
  });

const isRowOf = (operation: Operation, table: string, identity: Identity): boolean =>
  operation.info.table === table && versionOf(operation.key) === versionOf(identity.at as unknown as Item);

/** The keeper's check, unless the batch itself writes to the keeper, which says as much. */
const checkFor = (unit: Unit, keeper: Identity | null, batch: Operation[], rows: UnitRows) => {
  if (!unit.group || !keeper || !batch.some(operation => operation.kind === 'Delete')) return null;
  const {table, where} = unit.group;
  const item = rows.item(table, keeper);
  if (!item || batch.some(operation => isRowOf(operation, table, keeper))) return null;
  return keeperCheck(rows.tables.get(table)!, item, where);
};

const record = (outcomes: Outcomes, batch: Operation[], answer: Answer): void => {
  batch.forEach(({index, info, after}, i) => {
    if (answer.kind === 'done')
      outcomes[index] = {result: 'applied', after: afterOf(answer.items[i] ?? null, info)};
    else if (answer.kind === 'failed') outcomes[index] = failed(answer.error);
    else if (answer.kind === 'settled') {
      const state = answer.states[i]!;
      const error = answer.error.message;
      outcomes[index] =
        state === 'applied' ? {result: 'applied', after: afterOf(after, info)} : {result: state, error};
    }
  });
};

/** What is judged by `still`, as its rows are now. */
const judged = (unit: Unit, outcomes: Outcomes, rows: UnitRows) =>
  unit.changes.flatMap((change: Change, i) => {
    const item = outcomes[i] || !change.still ? undefined : rows.item(change.table, change.identity);
    return item ? [{change, values: neutralItem(item)}] : [];
  });

const nowOf = async (store: Store): Promise<number> => store.client.seen.micros ?? (await serverNow(store));

/** One look and one write; false when nothing is left to do. `lost` counts rounds whose conditions failed. */
const round = async (
  store: Store,
  unit: Unit,
  outcomes: Outcomes,
  options: ApplyOptions,
  find: GroupFinder,
  progress: Progress,
  lost: number,
): Promise<'written' | 'lost' | 'finished'> => {
  const rows = await readUnit(store, unit, find);
  const now = await nowOf(store);
  const env = await stillEnvironment(store, judged(unit, outcomes, rows), now);
  const keeper = decide(unit, outcomes, rows, env, options.decideKeeper);
  const operations = operationsOf(unit, outcomes, rows, now);
  if (outcomes.some((outcome, i) => outcome?.result === 'failed' && unit.changes[i]!.required))
    return 'finished';
  const batch = nextBatch(unit, outcomes, operations);
  if (batch.length === 0) return 'finished';
  const check = checkFor(unit, keeper, batch, rows);
  progress.written = true;
  const answer =
    batch.length === 1 && !check ? await writeOne(store, batch[0]!) : await transact(store, batch, check);
  record(outcomes, batch, answer);
  if (answer.kind !== 'conditions') return answer.kind === 'done' ? 'written' : 'finished';
  if (lost >= mostLostRounds)
    batch.forEach(({index}, i) => {
      if (answer.failed[i]) outcomes[index] = skipped('changed');
    });
  return 'lost';
};

const applyUnit = async (
  store: Store,
  unit: Unit,
  options: ApplyOptions,
  find: GroupFinder,
  progress: Progress,
): Promise<{outcomes: Outcome[]; error?: unknown}> => {
  const outcomes: Outcomes = unit.changes.map(() => undefined);
  const rest = (outcome: Outcome) => outcomes.map(known => known ?? outcome);
  try {
    for (let lost = 0; outcomes.includes(undefined); ) {
      if (options.signal?.aborted)
        throw new SesstuiError('interrupted', 'Interrupted before this change was made.');
      const result = await round(store, unit, outcomes, options, find, progress, lost);
      if (result === 'finished') break;
      lost = result === 'lost' ? lost + 1 : 0;
      if (lost > 2 * mostLostRounds) break;
    }
    return {
      outcomes: rest({result: 'failed', error: 'Not tried: another change of its unit could not be made.'}),
    };
  } catch (error) {
    return {outcomes: rest(failed(error)), error};
  }
};

/**
 * One outcome for each change of each unit. Throws only while nothing has been written: afterwards an error is
 * the outcome of the changes that it kept from being made.
 */
export const applyUnits = async (
  store: Store,
  units: Unit[],
  options: ApplyOptions,
): Promise<Outcome[][]> => {
  const find = groupFinder(store, units);
  const progress: Progress = {written: false};
  const limit = pLimit(unitsAtOnce);
  const results = await Promise.all(
    units.map(unit => limit(() => applyUnit(store, unit, options, find, progress))),
  );
  const error = results.find(result => result.error !== undefined)?.error;
  if (error !== undefined && !progress.written) throw asSesstuiError(error);
  return results.map(({outcomes}) => outcomes);
};
