import {setTimeout as pause} from 'node:timers/promises';
import {type Engine, failure, invalid, type Json, type Reply} from './dynamodb-engine.js';
import {fill} from './dynamodb-index-fill.js';
import type {Lock} from './dynamodb-lock.js';

/** `leastMs`: how long an index is CREATING or DELETING at least, so that one can see it. */
export type Building = {lock: Lock; leastMs: number};

/**
 * UpdateTable; dynalite takes and forgets the creation and removal of an index, so these are done here, as AWS does
 * them: the answer comes at once, the index is filled or removed meanwhile, and one index is changed at a time. To be
 * called alone.
 */
export const updateTable = async (engine: Engine, params: Json, building: Building): Promise<Reply> => {
  const updates: Json[] = params.GlobalSecondaryIndexUpdates ?? [];
  const changes = updates.filter(({Create, Delete}) => Create || Delete);
  if (changes.length === 0) return engine.execute('UpdateTable', params);
  if (updates.length > 1) return oneAtATime();
  const described = await engine.execute('DescribeTable', {TableName: params.TableName});
  if (described.status !== 200) return described;
  const table = described.body.Table as Json;
  const {Create, Delete} = changes[0]!;
  const changing = indexesOf(table).find(({IndexStatus}) => IndexStatus !== 'ACTIVE');
  if (changing && Delete?.IndexName === changing.IndexName) return inUse(changing);
  if (changing) return oneAtATime();
  return Create
    ? createIndex(engine, table, Create, params, building)
    : deleteIndex(engine, table, Delete, building);
};

/** A question about an index that can't answer yet, or no more; null where dynalite may be asked. */
export const refuseIndex = async (engine: Engine, {TableName, IndexName}: Json): Promise<Reply | null> => {
  if (IndexName === undefined) return null;
  const {status, body} = await engine.execute('DescribeTable', {TableName});
  const index = status === 200 && indexesOf(body.Table).find(one => one.IndexName === IndexName);
  if (!index || index.IndexStatus === 'ACTIVE') return null;
  return index.IndexStatus === 'CREATING'
    ? invalid(`Cannot read from backfilling global secondary index: ${IndexName}`)
    : invalid(`The table does not have the specified index: ${IndexName}`);
};

const indexesOf = (table: Json): Json[] => table.GlobalSecondaryIndexes ?? [];

const oneAtATime = (): Reply =>
  failure(
    'LimitExceededException',
    'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
  );

const inUse = ({IndexStatus}: Json): Reply =>
  failure(
    'ResourceInUseException',
    `Attempt to change a resource which is still in use: Index is being ${IndexStatus === 'CREATING' ? 'created' : 'deleted'}.`,
  );

const createIndex = async (
  engine: Engine,
  table: Json,
  index: Json,
  params: Json,
  building: Building,
): Promise<Reply> => {
  const existing = indexesOf(table);
  const every = [...existing, ...(table.LocalSecondaryIndexes ?? [])];
  if (every.some(({IndexName}) => IndexName === index.IndexName))
    return invalid('Attempting to create an index which already exists');
  const attributes = merged(table.AttributeDefinitions, params.AttributeDefinitions ?? []);
  const unknown = index.KeySchema.find(
    ({AttributeName}: Json) => !attributes.some(known => known.AttributeName === AttributeName),
  );
  if (unknown)
    return invalid(
      `One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [${unknown.AttributeName}]`,
    );
  const added = {
    ...index,
    IndexArn: `${table.TableArn}/index/${index.IndexName}`,
    IndexStatus: 'CREATING',
    Backfilling: true,
    IndexSizeBytes: 0,
    ItemCount: 0,
    ProvisionedThroughput: {
      ReadCapacityUnits: 0,
      WriteCapacityUnits: 0,
      ...index.ProvisionedThroughput,
      NumberOfDecreasesToday: 0,
    },
  };
  const next = {
    ...table,
    TableStatus: 'UPDATING',
    AttributeDefinitions: attributes,
    GlobalSecondaryIndexes: [...existing, added],
  };
  await store(engine, next);
  const alone = {...next, GlobalSecondaryIndexes: [added], LocalSecondaryIndexes: []};
  inBackground(
    building,
    () => fill(engine, alone, building.lock),
    () =>
      changeIndex(engine, table.TableName, index.IndexName, ({Backfilling: _, ...built}) => [
        {...built, IndexStatus: 'ACTIVE'},
      ]),
  );
  return {status: 200, body: {TableDescription: next}};
};

const deleteIndex = async (
  engine: Engine,
  table: Json,
  {IndexName}: Json,
  building: Building,
): Promise<Reply> => {
  const existing = indexesOf(table);
  const leaving = existing.find(index => index.IndexName === IndexName);
  if (!leaving)
    return failure(
      'ResourceNotFoundException',
      `Requested resource not found: Index: ${IndexName} not found`,
    );
  const next = {
    ...table,
    TableStatus: 'UPDATING',
    GlobalSecondaryIndexes: existing.map(index =>
      index === leaving ? {...index, IndexStatus: 'DELETING'} : index,
    ),
  };
  await store(engine, next);
  inBackground(
    building,
    async () => {},
    async () => {
      await changeIndex(engine, table.TableName, IndexName, () => []);
      await new Promise<void>((resolve, reject) =>
        engine.store.deleteIndexDb('global', table.TableName, IndexName, error =>
          error ? reject(error) : resolve(),
        ),
      );
    },
  );
  return {status: 200, body: {TableDescription: next}};
};

/** Nobody waits for it: an embedded store that is closed meanwhile takes it along. */
const inBackground = (
  {lock, leastMs}: Building,
  work: () => Promise<void>,
  finish: () => Promise<void>,
): void => {
  const run = async () => {
    await Promise.all([work(), pause(leastMs, undefined, {ref: false})]);
    await lock.alone(finish);
  };
  run().catch(() => {});
};

/** Puts what `change` makes of an index in its place, and drops the definitions of attributes that no key has. */
const changeIndex = async (
  engine: Engine,
  TableName: string,
  IndexName: string,
  change: (index: Json) => Json[],
): Promise<void> => {
  const {status, body} = await engine.execute('DescribeTable', {TableName});
  if (status !== 200) return;
  const table = body.Table as Json;
  const indexes = indexesOf(table).flatMap(index =>
    index.IndexName === IndexName ? change(index) : [index],
  );
  const used = [table, ...indexes, ...(table.LocalSecondaryIndexes ?? [])].flatMap(({KeySchema}) =>
    KeySchema.map(({AttributeName}: Json) => AttributeName),
  );
  const next: Json = {
    ...table,
    TableStatus: 'ACTIVE',
    AttributeDefinitions: table.AttributeDefinitions.filter(({AttributeName}: Json) =>
      used.includes(AttributeName),
    ),
    GlobalSecondaryIndexes: indexes,
  };
  if (indexes.length === 0) delete next.GlobalSecondaryIndexes;
  await store(engine, next);
};

const merged = (before: Json[], added: Json[]): Json[] => [
  ...before,
  ...added.filter(({AttributeName}) => !before.some(known => known.AttributeName === AttributeName)),
];

const store = (engine: Engine, table: Json): Promise<void> =>
  new Promise((resolve, reject) =>
    engine.store.tableDb.put(table.TableName, table, error => (error ? reject(error) : resolve())),
  );
