/** Planned changes as DynamoDB writes, each conditional on the item being what was just read. Pure. */
import type {Delete, Put, TransactWriteItem, Update} from '@aws-sdk/client-dynamodb';
import type {Change} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {attributesOfPred, type Pred} from '../../source/forms.js';
import {fromItem, type Item, itemOf} from './attributes.js';
import {bindings} from './bindings.js';
import {keyOf, type TableInfo} from './tables.js';
import {unchanged} from './unchanged.js';
import {differing, updateExpression, withChanges} from './update.js';

/** One write, with the item as it is before (null: not there) and as it will be. */
export type Operation = {
  /** Its change's place in the unit. */
  index: number;
  info: TableInfo;
  key: Item;
  before: Item | null;
  after: Item | null;
} & ({kind: 'Put'; input: Put} | {kind: 'Update'; input: Update} | {kind: 'Delete'; input: Delete});

/** Names with those of the maps that they lie in. */
export const topLevel = (names: string[]): string[] => names.flatMap(name => [name, name.split('.')[0]!]);

type Insert = Extract<Change, {op: 'insert'}>;

/** The row that an insert puts in. Throws `unsupported` for what DynamoDB can't hold. */
export const insertedItem = (change: Insert, now: number): Item =>
  'row' in change ? itemOf(change.row) : withChanges(itemOf(change.from), change.set, now);

const insertion = (change: Insert, info: TableInfo, now: number, index: number): Operation => {
  const item = insertedItem(change, now);
  const missing = info.key.find(name => !Object.hasOwn(item, name));
  if (missing !== undefined)
    throw new SesstuiError('unsupported', `The new row has no ${missing}, which is its table's key.`);
  const bound = bindings();
  const ConditionExpression = `attribute_not_exists(${bound.name(info.key[0]!)})`;
  const input = {TableName: info.table, Item: fromItem(item), ConditionExpression, ...bound.request()};
  return {index, info, key: keyOf(item, info.key), before: null, after: item, kind: 'Put', input};
};

/** The item after an update; undefined after a delete. */
const goal = (change: Exclude<Change, {op: 'insert'}>, before: Item, now: number): Item | undefined => {
  if (change.op === 'delete') return undefined;
  const from = 'to' in change ? itemOf(change.to) : before;
  return withChanges(from, change.set ?? {}, now);
};

const rewriting = (
  change: Exclude<Change, {op: 'insert'}>,
  info: TableInfo,
  before: Item,
  now: number,
  index: number,
): Operation => {
  const bound = bindings();
  const key = keyOf(before, info.key);
  const after = goal(change, before, now);
  const changed = after ? differing(before, after) : [];
  if (changed.some(name => info.key.includes(name)))
    throw new SesstuiError('unsupported', `A row of ${info.table} can't be given another key in place.`);
  const judged = topLevel(change.still ? attributesOfPred(change.still) : []);
  const absent = changed.filter(name => !Object.hasOwn(before, name));
  const update = after && !('to' in change) ? updateExpression(before, after, bound) : undefined;
  const common = {
    TableName: info.table,
    ConditionExpression: unchanged(before, info.key, bound, [...changed, ...judged], absent),
    ...bound.request(),
  };
  const base = {index, info, key, before};
  if (!after) return {...base, after: null, kind: 'Delete', input: {...common, Key: fromItem(key)}};
  if ('to' in change) return {...base, after, kind: 'Put', input: {...common, Item: fromItem(after)}};
  // Without an expression UpdateItem changes nothing and still checks the condition.
  const input = {...common, Key: fromItem(key), ...(update && {UpdateExpression: update})} as Update;
  return {...base, after, kind: 'Update', input};
};

/**
 * The write of a change whose row was just read as `before` (undefined: not there). `now` in microseconds.
 * Throws `unsupported` for what DynamoDB can't hold.
 */
export const operationOf = (
  change: Change,
  index: number,
  info: TableInfo,
  before: Item | undefined,
  now: number,
): Operation =>
  change.op === 'insert' ? insertion(change, info, now, index) : rewriting(change, info, before!, now, index);

/** The check that the row that stays is still there, and still in its group (safety: S1). */
export const keeperCheck = (info: TableInfo, keeper: Item, where: Pred): TransactWriteItem => {
  const bound = bindings();
  const names = [...new Set(topLevel(attributesOfPred(where)))].filter(
    name => Object.hasOwn(keeper, name) && !info.key.includes(name),
  );
  const grouped = Object.fromEntries(names.map(name => [name, keeper[name]!]));
  return {
    ConditionCheck: {
      TableName: info.table,
      Key: fromItem(keyOf(keeper, info.key)),
      ConditionExpression: unchanged(grouped, info.key, bound, names, []),
      ...bound.request(),
    },
  };
};

export const transactItemOf = (operation: Operation): TransactWriteItem => ({
  [operation.kind]: operation.input,
});

/** Roughly what an operation carries; a transaction holds 4 MB of items. */
export const bytesOf = ({before, after}: Operation): number => JSON.stringify([before, after]).length;
