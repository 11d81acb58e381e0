/** Sending writes, and finding out what became of them. A write is never repeated blindly (safety: S5, S6). */
import {randomUUID} from 'node:crypto';
import type {AttributeValue, TransactWriteItem} from '@aws-sdk/client-dynamodb';
import {SesstuiError} from '../../source/errors.js';
import {type Item, toItem, versionOf} from './attributes.js';
import {isAmbiguous, isConditionFailure, isConflict, isThrottling, mapError, nameOf} from './errors.js';
import {type Operation, transactItemOf} from './operations.js';
import {getInOrder} from './pages.js';
import {pause} from './pause.js';
import type {Store} from './store.js';

/** What became of some writes that go together. */
export type Answer =
  /** `items`: as the writes left them. */
  | {kind: 'done'; items: (Item | null)[]}
  /** Nothing was written. `failed`: the operations whose own condition did not hold. */
  | {kind: 'conditions'; failed: boolean[]}
  | {kind: 'failed'; error: SesstuiError}
  /** Per operation: it stands as after, as before, or neither. */
  | {kind: 'settled'; error: SesstuiError; states: ('applied' | 'failed' | 'unknown')[]};

const mostAttempts = 10;
/** How often a write without an answer is sent again under the same token. */
const mostUnanswered = 3;

type Reason = {Code?: string; Message?: string};
const reasonsOf = (error: unknown): Reason[] | null =>
  nameOf(error) === 'TransactionCanceledException'
    ? ((error as {CancellationReasons?: Reason[]}).CancellationReasons ?? [])
    : null;

const passing = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
]);

/** A cancelled transaction: to be tried again (null), or why not. The reasons after `count` are the checks'. */
const cancelled = (reasons: Reason[], count: number): Answer | null => {
  const hard = reasons.find(
    ({Code}) => Code && Code !== 'None' && Code !== 'ConditionalCheckFailed' && !passing.has(Code),
  );
  if (hard) {
    const message = `DynamoDB cancelled the transaction (${hard.Code}): ${hard.Message ?? ''}`;
    return {
      kind: 'failed',
      error: new SesstuiError(hard.Code === 'ValidationError' ? 'usage' : 'unsupported', message),
    };
  }
  const failed = reasons.map(({Code}) => Code === 'ConditionalCheckFailed');
  if (failed.includes(true)) return {kind: 'conditions', failed: failed.slice(0, count)};
  return null;
};

const busy = (error: unknown, what: string): Answer => ({
  kind: 'failed',
  error:
    isConflict(error) || reasonsOf(error)
      ? new SesstuiError(
          'throttled',
          `Other transactions kept holding the rows of ${what}.`,
          'Try again later.',
        )
      : mapError(error, what),
});

/** What stands now, compared with before and after: the only way to know what an unanswered write did. */
const settle = async (store: Store, operations: Operation[], error: SesstuiError): Promise<Answer> => {
  try {
    const states = await Promise.all(
      operations.map(async ({info, key, before, after}) => {
        const [item] = await getInOrder(store.client, info, [key]);
        const version = item && versionOf(item);
        if (version === (after ? versionOf(after) : undefined)) return 'applied' as const;
        return version === (before ? versionOf(before) : undefined)
          ? ('failed' as const)
          : ('unknown' as const);
      }),
    );
    // All or nothing: one row as it was says that nothing was written, so what looks applied is someone else's work.
    if (!states.includes('failed')) return {kind: 'settled', error, states};
    return {kind: 'settled', error, states: states.map(state => (state === 'failed' ? 'failed' : 'unknown'))};
  } catch {
    return {kind: 'settled', error, states: operations.map(() => 'unknown')};
  }
};

/** One transaction of these operations and the checks of the rows that stay. */
export const transact = async (
  store: Store,
  operations: Operation[],
  checks: TransactWriteItem[],
): Promise<Answer> => {
  const TransactItems = [...operations.map(transactItemOf), ...checks];
  let token = randomUUID();
  for (let attempt = 0, unanswered = 0; ; attempt++) {
    try {
      await store.client.send('TransactWriteItems', {TransactItems, ClientRequestToken: token});
      return {kind: 'done', items: operations.map(({after}) => after)};
    } catch (error) {
      const reasons = reasonsOf(error);
      const answer = reasons && cancelled(reasons, operations.length);
      // After a request without an answer a failed condition may be this very transaction's own work.
      if (answer)
        return unanswered > 0 ? settle(store, operations, mapError(error, 'a transaction')) : answer;
      const inProgress = nameOf(error) === 'TransactionInProgressException';
      if (reasons || isThrottling(error) || (isConflict(error) && !inProgress)) {
        if (attempt >= mostAttempts) return busy(error, 'the transaction');
        // The server has answered, so that the next attempt is a new request, unless one before had no answer.
        if (unanswered === 0) token = randomUUID();
      } else if (inProgress || isAmbiguous(error)) {
        // The same token: a transaction that was carried out is not carried out again.
        if (++unanswered > mostUnanswered) return settle(store, operations, mapError(error, 'a transaction'));
      } else return {kind: 'failed', error: mapError(error, 'a transaction')};
      await pause(attempt);
    }
  }
};

const sendOne = async (store: Store, {kind, input, after}: Operation): Promise<Item | null> => {
  if (kind === 'Delete') await store.client.send('DeleteItem', input);
  else if (kind === 'Put') await store.client.send('PutItem', input);
  else {
    const {Attributes} = await store.client.send('UpdateItem', {...input, ReturnValues: 'ALL_NEW'});
    return Attributes ? toItem(Attributes as Record<string, AttributeValue>) : after;
  }
  return after;
};

/** A single conditional write. */
export const writeOne = async (store: Store, operation: Operation): Promise<Answer> => {
  for (let attempt = 0; ; attempt++) {
    try {
      return {kind: 'done', items: [await sendOne(store, operation)]};
    } catch (error) {
      if (isConditionFailure(error)) return {kind: 'conditions', failed: [true]};
      const what = `a write to ${operation.info.table}`;
      if (isThrottling(error) || isConflict(error)) {
        if (attempt >= mostAttempts) return busy(error, what);
        await pause(attempt);
      } else if (isAmbiguous(error)) return settle(store, [operation], mapError(error, what));
      else return {kind: 'failed', error: mapError(error, what)};
    }
  }
};
