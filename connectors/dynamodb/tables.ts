/** What a table is: its key, its indexes and how large it is said to be. */
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import type {Identity, TableShape} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Item} from './attributes.js';
import type {Client} from './client.js';

export type KeyType = 'S' | 'N' | 'B';
export type TableIndex = {
  name: string;
  attributes: string[];
  hash: string;
  global: boolean;
  usable: boolean;
  /** The attributes that it has of a row; null for all. */
  projected: string[] | null;
};
export type TableInfo = {
  table: string;
  /** Another one for a table that was made anew under the same name; null where the server tells none. */
  id: string | null;
  /** The hash key, then the range key where there is one. */
  key: string[];
  types: Record<string, KeyType>;
  indexes: TableIndex[];
  /** Both are the service's estimates, some hours old. */
  itemCount: number | null;
  sizeBytes: number | null;
  /** Read units a second where they are provisioned; null on demand. */
  readUnits: number | null;
  arn: string | null;
};

export const attributesOfSchema = (schema: {AttributeName?: string; KeyType?: string}[] = []): string[] =>
  [...schema]
    .sort((a, b) => Number(b.KeyType === 'HASH') - Number(a.KeyType === 'HASH'))
    .map(part => part.AttributeName!);

const infoOf = (table: TableDescription): TableInfo => ({
  table: table.TableName!,
  id: table.TableId ?? table.CreationDateTime?.toISOString() ?? null,
  key: attributesOfSchema(table.KeySchema),
  types: Object.fromEntries(
    (table.AttributeDefinitions ?? []).map(a => [a.AttributeName!, a.AttributeType as KeyType]),
  ),
  indexes: [
    ...(table.GlobalSecondaryIndexes ?? []).map(index => ({index, global: true})),
    ...(table.LocalSecondaryIndexes ?? []).map(index => ({index, global: false})),
  ].map(({index, global}) => {
    const attributes = attributesOfSchema(index.KeySchema);
    // An index that is still being filled would hide rows.
    const status = 'IndexStatus' in index ? index.IndexStatus : undefined;
    const usable =
      status === undefined || (status === 'ACTIVE' && !('Backfilling' in index && index.Backfilling));
    const {ProjectionType, NonKeyAttributes = []} = index.Projection ?? {};
    const projected =
      ProjectionType === 'ALL'
        ? null
        : [...attributesOfSchema(table.KeySchema), ...attributes, ...NonKeyAttributes];
    return {name: index.IndexName!, attributes, hash: attributes[0]!, global, usable, projected};
  }),
  itemCount: table.ItemCount ?? null,
  sizeBytes: table.TableSizeBytes ?? null,
  readUnits: table.ProvisionedThroughput?.ReadCapacityUnits || null,
  arn: table.TableArn ?? null,
});

export type Tables = {
  /** Asks the server; null when there is no such table. */
  look(table: string, signal?: AbortSignal): Promise<TableInfo | null>;
  /** The same, at most some seconds old. Throws `not-found` when there is no such table. */
  known(table: string, signal?: AbortSignal): Promise<TableInfo>;
  /** Every table's name. */
  names(signal?: AbortSignal): Promise<string[]>;
};

const freshMs = 5000;
/** No table has any other name, and asking for one is an error. */
const tableNamePattern = /^[\w.-]{3,255}$/;

export const openTables = (client: Client): Tables => {
  const cache = new Map<string, {at: number; info: TableInfo}>();
  const look: Tables['look'] = async (table, signal) => {
    cache.delete(table);
    if (!tableNamePattern.test(table)) return null;
    try {
      const {Table} = await client.read('DescribeTable', {TableName: table}, signal);
      const info = infoOf(Table!);
      cache.set(table, {at: Date.now(), info});
      return info;
    } catch (error) {
      if (error instanceof SesstuiError && error.code === 'not-found') return null;
      throw error;
    }
  };
  const names = async (signal?: AbortSignal): Promise<string[]> => {
    const found: string[] = [];
    for (let start: string | undefined; ; ) {
      const page = await client.read('ListTables', {...(start && {ExclusiveStartTableName: start})}, signal);
      found.push(...(page.TableNames ?? []));
      start = page.LastEvaluatedTableName;
      if (!start) return found;
    }
  };
  const known: Tables['known'] = async (table, signal) => {
    const cached = cache.get(table);
    const info = cached && Date.now() - cached.at < freshMs ? cached.info : await look(table, signal);
    if (info) return info;
    throw new SesstuiError(
      'not-found',
      `There is no table ${table}.`,
      'Check its name, the region and the endpoint.',
    );
  };
  return {look, known, names};
};

/** The primary key counts as an index: a question about it needs no scan. */
export const shapeOf = (info: TableInfo): TableShape => ({
  table: info.table,
  columns: null,
  key: info.key,
  estimatedRows: info.itemCount,
  indexes: [
    {name: 'primary key', attributes: info.key, unique: true},
    ...info.indexes
      .filter(index => index.usable)
      .map(({name, attributes}) => ({name, attributes, unique: false})),
  ],
  cascades: [],
  hidden: null,
});

/** The key's part of an item. */
export const keyOf = (item: Item, key: string[]): Item =>
  Object.fromEntries(key.map(name => [name, item[name]!]));

export const identityOf = (item: Item, key: string[]): Identity => ({
  by: 'key',
  at: keyOf(item, key) as Identity['at'],
});

/** The key that an identity stands for. */
export const keyOfIdentity = (identity: Identity): Item => identity.at as unknown as Item;
