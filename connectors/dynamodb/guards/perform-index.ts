/** Builds and removes an index, and waits for it. Each decision is made from the table as it is at that moment. */
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import {SesstuiError} from '../../../source/errors.js';
import type {GuardDirection, StepOptions} from '../../../source/guards.js';
import {isAmbiguous, isInvalid, isThrottling, mapError, nameOf} from '../errors.js';
import {pause} from '../pause.js';
import type {Store} from '../store.js';
import {
  creationRequest,
  type IndexRule,
  indexesOf,
  indexNameOf,
  isPrimaryKey,
  ownIndex,
  removalRequest,
  servingIndex,
} from './definition.js';
import {lookAt} from './index-state.js';
import {keyTypes, requireTypes} from './key-types.js';

type Options = Pick<StepOptions, 'signal' | 'onProgress'>;

/** How long others may be changing the table, and how long an index of ours may take to be built or removed. */
export type Patience = {othersMs: number; indexMs: number};
export const patience: Patience = {othersMs: 10 * 60_000, indexMs: 6 * 60 * 60_000};

const tableOf = async (store: Store, rule: IndexRule, signal?: AbortSignal): Promise<TableDescription> => {
  const table = await lookAt(store, rule.table, signal);
  if (table) return table;
  throw new SesstuiError('not-found', `There is no table ${rule.table}.`, 'Check its name and the region.');
};

/** Another change of the table that is under way, in words; null when there is none. One is taken at a time. */
const otherWork = (table: TableDescription): string | null => {
  const busy = indexesOf(table).find(({IndexStatus}) => IndexStatus !== 'ACTIVE');
  if (busy) return `${busy.IndexName} to be ${busy.IndexStatus === 'DELETING' ? 'deleted' : 'built'}`;
  return table.TableStatus === 'ACTIVE' ? null : `${table.TableName} (${table.TableStatus})`;
};

/** Sends a change. False when the table's other work, or the limited rate, was in its way: to be looked at again. */
const send = async (
  store: Store,
  input: ReturnType<typeof creationRequest> | ReturnType<typeof removalRequest>,
  signal?: AbortSignal,
): Promise<boolean> => {
  try {
    await store.client.send('UpdateTable', input, signal);
    return true;
  } catch (error) {
    if (signal?.aborted) throw mapError(error, `UpdateTable of ${input.TableName}`);
    // What it did without an answer, or what another did before, is seen by the next look.
    const passes =
      isThrottling(error) ||
      isAmbiguous(error) ||
      ['ResourceInUseException', 'ResourceNotFoundException'].includes(nameOf(error)) ||
      (isInvalid(error) && /already exists/i.test((error as Error).message));
    if (!passes) throw mapError(error, `UpdateTable of ${input.TableName}`);
    return false;
  }
};

const tooLong = (what: string, hint: string): SesstuiError =>
  new SesstuiError('timeout', `Waited too long for ${what}.`, hint);

/** Looks again and again, with growing pauses, until `look` has nothing to wait for (null). */
const until = async (
  look: (attempt: number) => Promise<{waits: string; mostMs: number} | null>,
  {signal, onProgress}: Options,
  hint: string,
): Promise<void> => {
  const started = performance.now();
  for (let attempt = 0, said = ''; ; attempt++) {
    const state = await look(attempt);
    if (!state) return;
    if (performance.now() - started > state.mostMs) throw tooLong(state.waits, hint);
    if (state.waits !== said) onProgress?.(`waiting for ${state.waits}`);
    said = state.waits;
    await pause(attempt, signal);
  }
};

const goesOn = 'What was begun goes on without anybody: the next install or uninstall takes it from there.';

/** Adds the index where nothing does what it is for, and waits until it answers. */
const build = async (store: Store, rule: IndexRule, options: Options, wait: Patience): Promise<void> => {
  const {signal} = options;
  const name = indexNameOf(rule);
  await until(
    async () => {
      const table = await tableOf(store, rule, signal);
      if (isPrimaryKey(rule, table)) return null;
      const serving = servingIndex(rule, table);
      if (serving) {
        if (serving.IndexStatus !== 'CREATING' && !serving.Backfilling) return null;
        const phase = serving.Backfilling ? 'CREATING, backfilling' : 'CREATING';
        return {waits: `${serving.IndexName} to be built (${phase})`, mostMs: wait.indexMs};
      }
      const other = otherWork(table);
      if (other) return {waits: other, mostMs: wait.othersMs};
      const known = await keyTypes(store, rule, table, signal);
      if ('why' in known)
        throw new SesstuiError('unsupported', `${rule.table} can't have the index ${name}: ${known.why}.`);
      const sent = await send(store, creationRequest(rule, table, known.types), signal);
      return {
        waits: sent ? `${name} to be built` : `its turn to change ${rule.table}`,
        mostMs: sent ? wait.indexMs : wait.othersMs,
      };
    },
    options,
    goesOn,
  );
};

/** Takes the index away, once it can be, and waits until it is gone. */
const remove = async (store: Store, rule: IndexRule, options: Options, wait: Patience): Promise<void> => {
  const {signal} = options;
  const name = indexNameOf(rule);
  await until(
    async () => {
      const table = await lookAt(store, rule.table, signal);
      const own = table && ownIndex(rule, table);
      if (!own) return null;
      if (own.IndexStatus === 'DELETING') return {waits: `${name} to be deleted`, mostMs: wait.indexMs};
      const other = otherWork(table);
      if (other) return {waits: other, mostMs: own.IndexStatus === 'ACTIVE' ? wait.othersMs : wait.indexMs};
      const sent = await send(store, removalRequest(rule, rule.table), signal);
      return {
        waits: sent ? `${name} to be deleted` : `its turn to change ${rule.table}`,
        mostMs: sent ? wait.indexMs : wait.othersMs,
      };
    },
    options,
    goesOn,
  );
};

/**
 * Carries out a step of an install or uninstall; harmless where it was done already. Throws `timeout` when others keep
 * changing the table, `unsupported` when rows can't be in the index, `interrupted`; what DynamoDB has begun by then
 * goes on, and is taken up by the next call.
 */
export const performIndex = async (
  store: Store,
  rule: IndexRule,
  direction: GuardDirection,
  step: string,
  options: Options,
  wait: Patience = patience,
): Promise<void> => {
  const {signal, onProgress} = options;
  if (direction === 'uninstall') await remove(store, rule, options, wait);
  else if (step !== 'types') await build(store, rule, options, wait);
  else {
    const table = await tableOf(store, rule, signal);
    const known = await keyTypes(store, rule, table, signal);
    if ('why' in known)
      throw new SesstuiError('unsupported', `${rule.table} can't have the index: ${known.why}.`);
    onProgress?.(`reading ${rule.columns.join(', ')} of ${rule.table}`);
    await requireTypes(store, rule, known.types, signal);
  }
  // What is known of the table is some seconds old otherwise.
  await store.tables.look(rule.table, signal);
};
