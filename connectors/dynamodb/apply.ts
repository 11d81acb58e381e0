/** Applying units of changes: read, decide, write, again and again until every change has its outcome. */
import type {TransactWriteItem} from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import type {After, ApplyOptions, Change, Identity, Outcome, Unit} from '../../source/connector.js';
import {asSesstuiError, SesstuiError} from '../../source/errors.js';
import {type Item, imageOf, neutralItem, versionOf} from './attributes.js';
import {nextBatch} from './batch.js';
import {decide, type Keepers, type Outcomes, skipped} from './decide.js';
import {keeperCheck, type Operation, operationOf} from './operations.js';
import {partnerChecks, partnersByKey} from './partner-checks.js';
import {stillEnvironment} from './still.js';
import {type Store, serverNow} from './store.js';
import {identityOf, type TableInfo} from './tables.js';
import {type GroupFinder, groupFinder, readUnit, type UnitRows} from './unit-rows.js';
import {type Answer, transact, writeOne} from './write.js';

/** How many units are under way at once. */
const unitsAtOnce = 8;
/** Rounds in a row in which conditions failed; each one begins with a new look at the rows. */
const mostLostRounds = 5;

/** `written` is shared by the units of a call: true as soon as one may have written. */
type Job = {store: Store; unit: Unit; options: ApplyOptions; find: GroupFinder; progress: {written: boolean}};

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
          rows.item(change.table, rows.identities[index]!),
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

/** The checks of the rows that stay, except where the batch writes to one itself, which says as much. */
const checksFor = (unit: Unit, keepers: Keepers, batch: Operation[], rows: UnitRows): TransactWriteItem[] => {
  if (!unit.group) return [];
  const {table, where} = unit.group;
  return keepers.flatMap(keeper => {
    const item = rows.item(table, keeper);
    if (!item || batch.some(operation => isRowOf(operation, table, keeper))) return [];
    return [keeperCheck(rows.tables.get(table)!, item, where)];
  });
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

/** One look and one write. `lost`: the conditions failed, as they did in that many rounds before. */
const round = async (
  {store, unit, options, find, progress}: Job,
  outcomes: Outcomes,
  lost: number,
): Promise<'written' | 'lost' | 'finished'> => {
  const rows = await readUnit(store, unit, find);
  const now = await nowOf(store);
  const conditional = judged(unit, outcomes, rows);
  const partners = await partnersByKey(store, conditional);
  const env = await stillEnvironment(store, conditional, now);
  const keepers = decide(unit, outcomes, rows, env, options.decideKeeper);
  const operations = operationsOf(unit, outcomes, rows, now);
  if (unit.changes.some((change, i) => change.required && outcomes[i]?.result === 'failed'))
    return 'finished';
  const batch = nextBatch(unit, outcomes, operations, keepers.length + partners.length);
  if (batch.length === 0) return 'finished';
  const checks = [...checksFor(unit, keepers, batch, rows), ...partnerChecks(partners, batch)];
  progress.written = true;
  const alone = batch.length === 1 && checks.length === 0;
  const answer = alone ? await writeOne(store, batch[0]!) : await transact(store, batch, checks);
  record(outcomes, batch, answer);
  if (answer.kind !== 'conditions') return answer.kind === 'done' ? 'written' : 'finished';
  if (lost >= mostLostRounds)
    batch.forEach(({index}, i) => {
      if (answer.failed[i]) outcomes[index] = skipped('changed');
    });
  return 'lost';
};

const applyUnit = async (job: Job): Promise<{outcomes: Outcome[]; error?: SesstuiError}> => {
  const outcomes: Outcomes = job.unit.changes.map(() => undefined);
  const rest = (outcome: Outcome) => outcomes.map(known => known ?? outcome);
  try {
    for (let lost = 0; outcomes.includes(undefined) && lost <= 2 * mostLostRounds; ) {
      if (job.options.signal?.aborted)
        throw new SesstuiError('interrupted', 'Interrupted before this change was made.');
      const result = await round(job, outcomes, lost);
      if (result === 'finished') break;
      lost = result === 'lost' ? lost + 1 : 0;
    }
    return {outcomes: rest({result: 'failed', error: 'Not made: its unit could not be completed.'})};
  } catch (error) {
    return {outcomes: rest(failed(error)), error: asSesstuiError(error)};
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
  const progress = {written: false};
  const limit = pLimit(unitsAtOnce);
  const results = await Promise.all(
    units.map(unit => limit(() => applyUnit({store, unit, options, find, progress}))),
  );
  // What is wrong with one unit only (too much for a transaction) is no reason to give up the others.
  const error = results.find(result => result.error && result.error.code !== 'unsupported')?.error;
  if (error && !progress.written) throw error;
  return results.map(({outcomes}) => outcomes);
};
