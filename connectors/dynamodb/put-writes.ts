/** A row that is to be there once, as conditional writes of items that are named by key. Pure. */
import type {TransactWriteItem, Update} from '@aws-sdk/client-dynamodb';
import type {Change, NewValue, Put} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {attributesOfPred, type Pred} from '../../source/forms.js';
import {isAbsent, type Value} from '../../source/values.js';
import {type Attribute, attributeOf, fromItem, type Item, imageOf} from './attributes.js';
import {type Bindings, bindings} from './bindings.js';
import {type Operation, operationOf, topLevel} from './operations.js';
import type {TableInfo} from './tables.js';
import {unchanged} from './unchanged.js';
import {attributeIn, withChanges} from './update.js';

type Set = Record<string, NewValue>;

const keyAttribute = (info: TableInfo, name: string, value: Value): Attribute => {
  const attribute = attributeOf(value);
  const type = info.types[name];
  const text = Object.values(attribute)[0];
  if ((type === undefined || type in attribute) && text !== '') return attribute;
  throw new SesstuiError(
    'usage',
    `${name} is the key of ${info.table}, and what was given for it can't be one.`,
    `It has to be of type ${type}, and not empty.`,
  );
};

/** The key of a row by its values; throws `unsupported` where a part of it is missing, `usage` for a wrong type. */
export const keyOfValues = (info: TableInfo, given: (name: string) => Value): Item =>
  Object.fromEntries(
    info.key.map(name => {
      const value = given(name);
      if (!isAbsent(value)) return [name, keyAttribute(info, name, value)];
      throw new SesstuiError(
        'unsupported',
        `A row of ${info.table} is found by its whole key, and ${name} is not given.`,
        `Give ${name} a value: DynamoDB keeps nothing unique but the primary key.`,
      );
    }),
  );

/** The key that a new row has. */
export const keyOfCreate = (info: TableInfo, create: Set): Item =>
  keyOfValues(info, name => {
    const given = Object.hasOwn(create, name) ? create[name] : undefined;
    return given && 'value' in given ? given.value : undefined;
  });

/** Throws `usage` when a column of the key is among the updates. */
export const refuseKeyUpdates = (info: TableInfo, update: Set | null): void => {
  const name = topLevel(Object.keys(update ?? {})).find(some => info.key.includes(some));
  if (name === undefined) return;
  throw new SesstuiError(
    'usage',
    `${name} is the key of ${info.table} and can't be among the updates.`,
    'Leave it to `create`.',
  );
};

type Setting = {after: Item; expression: string | undefined; conditions: string[]};

/**
 * Sets every attribute that is named, whether it looks the same or not: another writer may have changed it since it
 * was read. A map that is set inside is written whole, on the condition that it is still as it was read.
 */
const settingOf = (before: Item, set: Set, now: number, bound: Bindings): Setting => {
  const after = withChanges(before, set, now);
  const inside = Object.keys(set).filter(name => name.includes('.') && !Object.hasOwn(before, name));
  const maps = new Set(inside.map(name => name.split('.')[0]!));
  const names = new Set([...Object.keys(set).filter(name => !inside.includes(name)), ...maps]);
  const conditions = [...maps].map(name => {
    const held = attributeIn(before, name);
    return held ? `${bound.name(name)} = ${bound.value(held)}` : `attribute_not_exists(${bound.name(name)})`;
  });
  const kept = [...names].filter(name => Object.hasOwn(after, name));
  const gone = [...names].filter(name => !Object.hasOwn(after, name));
  const sets = kept.map(name => `${bound.name(name)} = ${bound.value(after[name]!)}`);
  const parts = [
    ...(sets.length > 0 ? [`SET ${sets.join(', ')}`] : []),
    ...(gone.length > 0 ? [`REMOVE ${gone.map(bound.name).join(', ')}`] : []),
  ];
  return {after, conditions, expression: parts.join(' ') || undefined};
};

/** The condition that a row is there, and what `where` judges it by is as it was read. */
const thereAs = (info: TableInfo, before: Item, where: Pred, bound: Bindings): string => {
  const names = [...new Set(topLevel(attributesOfPred(where)))].filter(name => !info.key.includes(name));
  const held = Object.fromEntries(
    names.filter(name => Object.hasOwn(before, name)).map(name => [name, before[name]!]),
  );
  const absent = names.filter(name => !Object.hasOwn(before, name));
  return unchanged(held, info.key, bound, names, absent);
};

const insertOf = (info: TableInfo, item: Item): Change => ({
  op: 'insert',
  table: info.table,
  identity: {by: 'key', at: {}},
  version: null,
  row: imageOf(item),
});

/** The write of a new row: only where its key is not there. */
export const creation = (info: TableInfo, create: Set, now: number): Operation =>
  operationOf(insertOf(info, withChanges({}, create, now)), 0, info, undefined, now);

/** The update of a row that was just read as `before`: only while it is there. */
export const updating = (
  info: TableInfo,
  key: Item,
  before: Item,
  {where, update}: {where: Pred; update: Set},
  now: number,
): Operation & {kind: 'Update'} => {
  const bound = bindings();
  const {after, expression, conditions} = settingOf(before, update, now, bound);
  const input = {
    TableName: info.table,
    Key: fromItem(key),
    ...(expression && {UpdateExpression: expression}),
    ConditionExpression: [thereAs(info, before, where, bound), ...conditions].join(' AND '),
    ...bound.request(),
  } as Update;
  return {index: 0, info, key, before, after, kind: 'Update', input};
};

/** The check that a row is there and as `where` says, for a transaction that leaves it as it is. */
export const presence = (info: TableInfo, key: Item, before: Item, where: Pred): TransactWriteItem => {
  const bound = bindings();
  const ConditionExpression = thereAs(info, before, where, bound);
  return {
    ConditionCheck: {TableName: info.table, Key: fromItem(key), ConditionExpression, ...bound.request()},
  };
};

type Also = NonNullable<Put['also']>[number];

/** The write of a row of another table, which is made where it is not there; null where nothing is to be set. */
export const besides = (
  info: TableInfo,
  key: Item,
  before: Item | undefined,
  {set}: Also,
  now: number,
): Operation | null => {
  refuseKeyUpdates(info, set);
  const bound = bindings();
  const {after, expression, conditions} = settingOf(before ?? key, set, now, bound);
  if (!expression) return before ? null : operationOf(insertOf(info, after), 0, info, undefined, now);
  const input = {
    TableName: info.table,
    Key: fromItem(key),
    UpdateExpression: expression,
    ...(conditions.length > 0 && {ConditionExpression: conditions.join(' AND ')}),
    ...bound.request(),
  };
  return {index: 0, info, key, before: before ?? null, after, kind: 'Update', input};
};
