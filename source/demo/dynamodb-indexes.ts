import {type Engine, failure, invalid, type Json, type Reply} from './dynamodb-engine.js';

const COUNT_LIFETIME_MS = 5000;

/** UpdateTable; dynalite takes and forgets the creation and removal of an index, so these are done here. */
export const updateTable = async (engine: Engine, params: Json): Promise<Reply> => {
  const updates: Json[] = params.GlobalSecondaryIndexUpdates ?? [];
  const changes = updates.filter(({Create, Delete}) => Create || Delete);
  if (changes.length === 0) return engine.execute('UpdateTable', params);
  if (updates.length > 1)
    return failure(
      'LimitExceededException',
      'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
    );
  const described = await engine.execute('DescribeTable', {TableName: params.TableName});
  if (described.status !== 200) return described;
  const table = described.body.Table as Json;
  const {Create, Delete} = changes[0]!;
  return Create ? createIndex(engine, table, Create, params) : deleteIndex(engine, table, Delete);
};

const createIndex = async (engine: Engine, table: Json, index: Json, params: Json): Promise<Reply> => {
  const existing: Json[] = table.GlobalSecondaryIndexes ?? [];
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
    IndexStatus: 'ACTIVE',
    IndexSizeBytes: 0,
    ItemCount: 0,
    ProvisionedThroughput: {
      ReadCapacityUnits: 0,
      WriteCapacityUnits: 0,
      ...index.ProvisionedThroughput,
      NumberOfDecreasesToday: 0,
    },
  };
  const next = {...table, AttributeDefinitions: attributes, GlobalSecondaryIndexes: [...existing, added]};
  await fill(engine, {...next, GlobalSecondaryIndexes: [added], LocalSecondaryIndexes: []});
  await store(engine, next);
  return {status: 200, body: {TableDescription: next}};
};

const deleteIndex = async (engine: Engine, table: Json, {IndexName}: Json): Promise<Reply> => {
  const existing: Json[] = table.GlobalSecondaryIndexes ?? [];
  const kept = existing.filter(index => index.IndexName !== IndexName);
  if (kept.length === existing.length)
    return failure(
      'ResourceNotFoundException',
      `Requested resource not found: Index: ${IndexName} not found`,
    );
  await new Promise<void>((resolve, reject) =>
    engine.store.deleteIndexDb('global', table.TableName, IndexName, error =>
      error ? reject(error) : resolve(),
    ),
  );
  const used = [table, ...kept, ...(table.LocalSecondaryIndexes ?? [])].flatMap(({KeySchema}) =>
    KeySchema.map(({AttributeName}: Json) => AttributeName),
  );
  const next: Json = {
    ...table,
    AttributeDefinitions: table.AttributeDefinitions.filter(({AttributeName}: Json) =>
      used.includes(AttributeName),
    ),
    GlobalSecondaryIndexes: kept,
  };
  if (kept.length === 0) delete next.GlobalSecondaryIndexes;
  await store(engine, next);
  return {status: 200, body: {TableDescription: next}};
};

const merged = (before: Json[], added: Json[]): Json[] => [
  ...before,
  ...added.filter(({AttributeName}) => !before.some(known => known.AttributeName === AttributeName)),
];

/** Writes the entries of the table's only index for every item; an item whose key has another type stays out. */
const fill = async (engine: Engine, table: Json): Promise<void> => {
  const types = new Map<string, string>(
    table.AttributeDefinitions.map(({AttributeName, AttributeType}: Json) => [AttributeName, AttributeType]),
  );
  const keys: string[] = table.GlobalSecondaryIndexes[0].KeySchema.map(
    ({AttributeName}: Json) => AttributeName,
  );
  for await (const item of engine.store.db.values(itemRange(table.TableName))) {
    if (!keys.every(key => item[key]?.[types.get(key)!] !== undefined)) continue;
    await new Promise<void>((resolve, reject) =>
      engine.db.updateIndexes(engine.store, table, undefined, item, error =>
        error ? reject(error) : resolve(),
      ),
    );
  }
};

const store = (engine: Engine, table: Json): Promise<void> =>
  new Promise((resolve, reject) =>
    engine.store.tableDb.put(table.TableName, table, error => (error ? reject(error) : resolve())),
  );

const itemRange = (table: string) => ({gte: `item-${table}~`, lt: `item-${table}~\uffff`});

const counts = new WeakMap<Engine, Map<string, {count: number; at: number}>>();

/** DescribeTable with a number of items that is at most some seconds old (AWS's is some hours; dynalite's is 0). */
export const describeTable = async (engine: Engine, params: Json): Promise<Reply> => {
  const reply = await engine.execute('DescribeTable', params);
  if (reply.status !== 200) return reply;
  const table = reply.body.Table as Json;
  return {status: 200, body: {Table: {...table, ItemCount: await countItems(engine, table.TableName)}}};
};

const countItems = async (engine: Engine, table: string): Promise<number> => {
  const known = counts.get(engine) ?? new Map<string, {count: number; at: number}>();
  counts.set(engine, known);
  const last = known.get(table);
  if (last && last.count > 1000 && Date.now() - last.at < COUNT_LIFETIME_MS) return last.count;
  let count = 0;
  for await (const _ of engine.store.db.keys(itemRange(table))) count++;
  known.set(table, {count, at: Date.now()});
  return count;
};
