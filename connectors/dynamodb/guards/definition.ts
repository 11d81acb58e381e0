/** What the index of an `index` rule is, and which of a table's indexes do the same. Pure. */
import {createHash} from 'node:crypto';
import type {
  CreateGlobalSecondaryIndexAction,
  GlobalSecondaryIndexDescription,
  TableDescription,
} from '@aws-sdk/client-dynamodb';
import type {GuardRule} from '../../../source/guards.js';
import {wholesOf} from '../indexed-groups.js';
import {attributesOfSchema, type KeyType} from '../tables.js';

export type IndexRule = Extract<GuardRule, {rule: 'index'}>;
export type WritePathRule = Extract<GuardRule, {rule: 'write-path'}>;

/** Which attribute is of which type. */
export type Types = Record<string, KeyType>;

const longestName = 255;

/** `accountId-index`. A name that DynamoDB does not take, or that is too long, is cut and gets a hash. */
export const indexNameOf = ({columns}: Pick<IndexRule, 'columns'>): string => {
  const plain = `${columns.join('-')}-index`;
  const name = plain.replaceAll(/[^\w.-]/g, '_');
  if (name === plain && name.length <= longestName) return name;
  const hash = createHash('sha256').update(JSON.stringify(columns)).digest('hex').slice(0, 8);
  return `${name.slice(0, longestName - hash.length - '-index'.length - 1)}-${hash}-index`;
};

export const indexesOf = (table: TableDescription): GlobalSecondaryIndexDescription[] =>
  table.GlobalSecondaryIndexes ?? [];

/** The attributes that are copied into it beside the keys. */
const copied = ({columns, project = []}: IndexRule, table: TableDescription): string[] => {
  const keys = [...attributesOfSchema(table.KeySchema), ...columns];
  return [...new Set(project.flatMap(wholesOf))].filter(name => !keys.includes(name));
};

const isSame = (a: string[], b: string[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

export const hasKey = (index: GlobalSecondaryIndexDescription, {columns}: IndexRule): boolean =>
  isSame(attributesOfSchema(index.KeySchema), columns);

/** Those that the rule asks for and the index does not have. */
export const lacks = (
  index: GlobalSecondaryIndexDescription,
  rule: IndexRule,
  table: TableDescription,
): string[] => {
  const {ProjectionType, NonKeyAttributes = []} = index.Projection ?? {};
  return ProjectionType === 'ALL' ? [] : copied(rule, table).filter(name => !NonKeyAttributes.includes(name));
};

/**
 * The index that does what the rule wants, whatever it is called; one that has everything, and ours, before others.
 * One that is on its way out does not count.
 */
export const servingIndex = (
  rule: IndexRule,
  table: TableDescription,
): GlobalSecondaryIndexDescription | undefined => {
  const rank = (index: GlobalSecondaryIndexDescription): number =>
    (lacks(index, rule, table).length > 0 ? 4 : 0) +
    (index.IndexStatus === 'CREATING' ? 2 : 0) +
    (index.IndexName === indexNameOf(rule) ? 0 : 1);
  return indexesOf(table)
    .filter(index => index.IndexStatus !== 'DELETING' && hasKey(index, rule))
    .sort((a, b) => rank(a) - rank(b))[0];
};

/**
 * The index that this guard made: told by name, key and kind of projection. A team's own index of that name has every
 * attribute or the keys alone, and stays.
 */
export const ownIndex = (
  rule: IndexRule,
  table: TableDescription,
): GlobalSecondaryIndexDescription | undefined => {
  const {ProjectionType} = projectionOf(rule, table);
  return indexesOf(table).find(
    index =>
      index.IndexName === indexNameOf(rule) &&
      hasKey(index, rule) &&
      index.Projection?.ProjectionType === ProjectionType,
  );
};

/** The table's own key answers what the index would. */
export const isPrimaryKey = ({columns}: IndexRule, table: TableDescription): boolean =>
  columns.every((name, at) => attributesOfSchema(table.KeySchema)[at] === name);

const projectionOf = (rule: IndexRule, table: TableDescription) => {
  const NonKeyAttributes = copied(rule, table);
  return NonKeyAttributes.length > 0
    ? {ProjectionType: 'INCLUDE' as const, NonKeyAttributes}
    : {ProjectionType: 'KEYS_ONLY' as const};
};

/** An on-demand table's indexes have no units; others get the table's own, so that no write waits for the index. */
export const creationOf = (rule: IndexRule, table: TableDescription): CreateGlobalSecondaryIndexAction => {
  const {ReadCapacityUnits = 0, WriteCapacityUnits = 0} = table.ProvisionedThroughput ?? {};
  const isProvisioned = table.BillingModeSummary?.BillingMode !== 'PAY_PER_REQUEST' && ReadCapacityUnits > 0;
  return {
    IndexName: indexNameOf(rule),
    KeySchema: rule.columns.map((AttributeName, at) => ({
      AttributeName,
      KeyType: at === 0 ? ('HASH' as const) : ('RANGE' as const),
    })),
    Projection: projectionOf(rule, table),
    ...(isProvisioned && {ProvisionedThroughput: {ReadCapacityUnits, WriteCapacityUnits}}),
  };
};

export const definitionsOf = ({columns}: IndexRule, types: Types) =>
  columns.map(AttributeName => ({AttributeName, AttributeType: types[AttributeName]!}));

/** The request that adds the index. */
export const creationRequest = (rule: IndexRule, table: TableDescription, types: Types) => ({
  TableName: table.TableName!,
  AttributeDefinitions: definitionsOf(rule, types),
  GlobalSecondaryIndexUpdates: [{Create: creationOf(rule, table)}],
});

/** The request that takes it away. */
export const removalRequest = (rule: IndexRule, table: string) => ({
  TableName: table,
  GlobalSecondaryIndexUpdates: [{Delete: {IndexName: indexNameOf(rule)}}],
});
