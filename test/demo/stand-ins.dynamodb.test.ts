import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  type GlobalSecondaryIndexUpdate,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  type TableDescription,
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type DynamodbFront, startDynamodbFront} from '../../source/demo/dynamodb-front.js';

const TableName = 'kite-sessions';
let front: DynamodbFront;
let client: DynamoDBClient;

beforeAll(async () => {
  front = await startDynamodbFront({indexMs: 50});
  client = new DynamoDBClient({
    endpoint: front.endpoint,
    region: 'eu-west-1',
    credentials: {accessKeyId: 'demo', secretAccessKey: 'demo'},
    maxAttempts: 1,
  });
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{AttributeName: 'sessionId', AttributeType: 'S'}],
      KeySchema: [{AttributeName: 'sessionId', KeyType: 'HASH'}],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
});

afterAll(async () => {
  client.destroy();
  await front.close();
});

const put = (sessionId: string, rest: Record<string, AttributeValue> = {}) =>
  client.send(new PutItemCommand({TableName, Item: {sessionId: {S: sessionId}, ...rest}}));

const get = async (sessionId: string) =>
  (await client.send(new GetItemCommand({TableName, Key: {sessionId: {S: sessionId}}, ConsistentRead: true})))
    .Item;

const transact = (TransactItems: TransactWriteItem[], ClientRequestToken?: string) =>
  client.send(new TransactWriteItemsCommand({TransactItems, ClientRequestToken}));

const setCount = (sessionId: string, count: number, condition?: string): TransactWriteItem => ({
  Update: {
    TableName,
    Key: {sessionId: {S: sessionId}},
    UpdateExpression: 'SET visits = :n',
    ExpressionAttributeValues: {':n': {N: String(count)}},
    ...(condition && {ConditionExpression: condition}),
  },
});

describe('DynamoDB front', () => {
  test('carries out a transaction of all four kinds', async () => {
    await put('t1-old', {accountId: {S: 'a1'}});
    await put('t1-kept');
    await put('t1-changed', {visits: {N: '1'}});
    await transact([
      {
        Put: {
          TableName,
          Item: {sessionId: {S: 'sess_a1'}, accountId: {S: 'a1'}},
          ConditionExpression: 'attribute_not_exists(sessionId)',
        },
      },
      {
        Delete: {
          TableName,
          Key: {sessionId: {S: 't1-old'}},
          ConditionExpression: 'accountId = :a',
          ExpressionAttributeValues: {':a': {S: 'a1'}},
        },
      },
      setCount('t1-changed', 2, 'attribute_exists(sessionId)'),
      {
        ConditionCheck: {
          TableName,
          Key: {sessionId: {S: 't1-kept'}},
          ConditionExpression: 'attribute_exists(sessionId)',
        },
      },
    ]);
    expect(await get('sess_a1')).toEqual({sessionId: {S: 'sess_a1'}, accountId: {S: 'a1'}});
    expect(await get('t1-old')).toBeUndefined();
    expect(await get('t1-changed')).toEqual({sessionId: {S: 't1-changed'}, visits: {N: '2'}});
    expect(await get('t1-kept')).toEqual({sessionId: {S: 't1-kept'}});
  });

  test('puts everything back and gives a reason for each item when one condition fails', async () => {
    const whole = {
      sessionId: {S: 't2-whole'},
      raw: {B: new Uint8Array([0, 255, 7])},
      big: {N: '12345678901234567890123456789012345678'},
      tags: {SS: ['b', 'a']},
      device: {M: {os: {S: 'iOS'}, sizes: {L: [{N: '1'}, {NULL: true}]}}},
    };
    await client.send(new PutItemCommand({TableName, Item: whole}));
    const before = await get('t2-whole');
    const error = await transact([
      setCount('t2-whole', 5),
      setCount('t2-new', 1),
      {
        ConditionCheck: {
          TableName,
          Key: {sessionId: {S: 't2-absent'}},
          ConditionExpression: 'attribute_not_exists(sessionId)',
        },
      },
      {
        Delete: {
          TableName,
          Key: {sessionId: {S: 'sess_a1'}},
          ConditionExpression: 'accountId = :a',
          ExpressionAttributeValues: {':a': {S: 'other'}},
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
    ]).catch(error => error);
    expect(error.name).toBe('TransactionCanceledException');
    expect(error.message).toBe(
      'Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, None, ConditionalCheckFailed]',
    );
    expect(error.CancellationReasons).toEqual([
      {Code: 'None'},
      {Code: 'None'},
      {Code: 'None'},
      {
        Code: 'ConditionalCheckFailed',
        Message: 'The conditional request failed',
        Item: {sessionId: {S: 'sess_a1'}, accountId: {S: 'a1'}},
      },
    ]);
    expect(await get('t2-whole')).toEqual(before);
    expect(await get('t2-new')).toBeUndefined();
    expect(await get('t2-absent')).toBeUndefined();
  });

  test('shows nobody a transaction that is half done', async () => {
    await put('t3-a', {visits: {N: '0'}});
    await put('t3-b', {visits: {N: '0'}});
    const both = async () => {
      const {Items} = await client.send(
        new ScanCommand({
          TableName,
          FilterExpression: 'begins_with(sessionId, :p)',
          ExpressionAttributeValues: {':p': {S: 't3-'}},
          ConsistentRead: true,
        }),
      );
      return new Set(Items!.map(item => item.visits!.N));
    };
    const seen: Promise<Set<string | undefined>>[] = [];
    const writes = Array.from({length: 20}, (_, i) => {
      seen.push(both());
      const refused = i % 2 ? [setCount('t3-c', 1, 'attribute_exists(sessionId)')] : [];
      return transact([setCount('t3-a', i + 1), setCount('t3-b', i + 1), ...refused]).catch(error => error);
    });
    await Promise.all(writes);
    for (const values of await Promise.all(seen)) expect(values.size).toBe(1);
  });

  test('refuses two operations on one item, more than a hundred, and a table that is not there', async () => {
    await expect(transact([setCount('t4', 1), setCount('t4', 2)])).rejects.toThrow(
      'Transaction request cannot include multiple operations on one item',
    );
    const many = Array.from({length: 101}, (_, i) => setCount(`t4-${i}`, i));
    await expect(transact(many)).rejects.toMatchObject({name: 'ValidationException'});
    await transact(many.slice(0, 100));
    expect(await get('t4-99')).toMatchObject({visits: {N: '99'}});
    const elsewhere = {Put: {TableName: 'nowhere', Item: {sessionId: {S: 'x'}}}};
    await expect(transact([elsewhere])).rejects.toMatchObject({name: 'ResourceNotFoundException'});
    await expect(transact([setCount('t4', 1, 'visits ==== 1')])).rejects.toMatchObject({
      name: 'ValidationException',
    });
    expect(await get('t4')).toBeUndefined();
  });

  test('carries a request token out once and refuses it for another request', async () => {
    await put('t5', {visits: {N: '1'}});
    const add: TransactWriteItem = {
      Update: {
        TableName,
        Key: {sessionId: {S: 't5'}},
        UpdateExpression: 'ADD visits :one',
        ExpressionAttributeValues: {':one': {N: '1'}},
      },
    };
    await transact([add], 'token-5');
    await transact([add], 'token-5');
    expect(await get('t5')).toMatchObject({visits: {N: '2'}});
    await expect(transact([setCount('t5', 9)], 'token-5')).rejects.toMatchObject({
      name: 'IdempotentParameterMismatchException',
    });
  });

  test('shows the item that a single write was refused for', async () => {
    await put('t9', {visits: {N: '1'}});
    const {Update} = setCount('t9', 2, 'attribute_not_exists(sessionId)');
    await expect(
      client.send(new UpdateItemCommand({...Update!, ReturnValuesOnConditionCheckFailure: 'ALL_OLD'})),
    ).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: {sessionId: {S: 't9'}, visits: {N: '1'}},
    });
  });

  test('reads several items in one transaction', async () => {
    await put('t6', {visits: {N: '1'}});
    const {Responses} = await client.send(
      new TransactGetItemsCommand({
        TransactItems: ['t6', 't6-absent'].map(id => ({Get: {TableName, Key: {sessionId: {S: id}}}})),
      }),
    );
    expect(Responses).toEqual([{Item: {sessionId: {S: 't6'}, visits: {N: '1'}}}, {}]);
  });

  test('compares maps, lists and sets by content, in conditions and in filters', async () => {
    const device = {M: {os: {S: 'iOS'}, sizes: {L: [{N: '1'}, {BOOL: false}]}}};
    await put('t7', {device, scopes: {SS: ['b', 'a']}, active: {BOOL: false}});
    const touch = (values: Record<string, AttributeValue>) =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: {sessionId: {S: 't7'}},
          UpdateExpression: 'SET visits = :one',
          ConditionExpression: 'device = :device AND scopes = :scopes AND active IN (:no)',
          ExpressionAttributeValues: {':one': {N: '1'}, ':no': {BOOL: false}, ...values},
        }),
      );
    await touch({':device': device, ':scopes': {SS: ['a', 'b']}});
    const other = {M: {os: {S: 'iOS'}, sizes: {L: [{N: '1'}, {BOOL: true}]}}};
    await expect(touch({':device': other, ':scopes': {SS: ['a', 'b']}})).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
    const {Items, Count} = await client.send(
      new ScanCommand({
        TableName,
        FilterExpression: 'device = :device',
        ExpressionAttributeValues: {':device': device},
        ProjectionExpression: 'sessionId',
      }),
    );
    expect({Items, Count}).toEqual({Items: [{sessionId: {S: 't7'}}], Count: 1});
  });

  test('adds an index to a table that has rows, keeps it, and removes it, as slowly as AWS does', async () => {
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: {
          [TableName]: [1, 2].map(i => ({
            PutRequest: {Item: {sessionId: {S: `t8-${i}`}, accountId: {S: 'a8'}}},
          })),
        },
      }),
    );
    const {Table: before} = await client.send(new DescribeTableCommand({TableName}));
    const update = (change: GlobalSecondaryIndexUpdate) =>
      client.send(
        new UpdateTableCommand({
          TableName,
          AttributeDefinitions: [{AttributeName: 'accountId', AttributeType: 'S'}],
          GlobalSecondaryIndexUpdates: [change],
        }),
      );
    const create = (IndexName: string): GlobalSecondaryIndexUpdate => ({
      Create: {
        IndexName,
        KeySchema: [{AttributeName: 'accountId', KeyType: 'HASH'}],
        Projection: {ProjectionType: 'ALL'},
      },
    });
    const IndexName = 'accountId-index';
    const sessions = async () => {
      const {Items} = await client.send(
        new QueryCommand({
          TableName,
          IndexName,
          KeyConditionExpression: 'accountId = :a',
          ExpressionAttributeValues: {':a': {S: 'a8'}},
        }),
      );
      return Items!.map(item => item.sessionId!.S).sort();
    };
    await update(create(IndexName));
    await expect(sessions()).rejects.toThrow('Cannot read from backfilling global secondary index');
    await expect(update({Delete: {IndexName}})).rejects.toMatchObject({name: 'ResourceInUseException'});
    await expect(update(create('another'))).rejects.toMatchObject({name: 'LimitExceededException'});
    await put('t8-3', {accountId: {S: 'a8'}});
    const {Table: meanwhile} = await client.send(new DescribeTableCommand({TableName}));
    expect(meanwhile).toMatchObject({
      TableStatus: 'UPDATING',
      GlobalSecondaryIndexes: [{IndexStatus: 'CREATING', Backfilling: true}],
    });
    const settled = async (): Promise<TableDescription> => {
      const {Table} = await client.send(new DescribeTableCommand({TableName}));
      return Table?.TableStatus === 'ACTIVE' ? Table : settled();
    };
    const {ItemCount, GlobalSecondaryIndexes} = await settled();
    expect(GlobalSecondaryIndexes).toMatchObject([{IndexName, IndexStatus: 'ACTIVE'}]);
    expect(ItemCount).toBeGreaterThan(3);
    expect(await sessions()).toEqual(['t8-1', 't8-2', 't8-3']);
    await update({Delete: {IndexName}});
    await expect(sessions()).rejects.toMatchObject({name: 'ValidationException'});
    expect({...(await settled()), ItemCount: 0}).toEqual({...before, ItemCount: 0});
    await expect(sessions()).rejects.toMatchObject({name: 'ValidationException'});
  });

  test('says what it is, with a date and a checksum', async () => {
    const response = await fetch(front.endpoint, {
      method: 'POST',
      headers: {'x-amz-target': 'DynamoDB_20120810.ListTables'},
      body: '{}',
    });
    expect(response.headers.get('x-sesstui-stand-in')).toContain('dynalite');
    expect(Math.abs(Date.parse(response.headers.get('date')!) - Date.now())).toBeLessThan(5000);
    expect(Number(response.headers.get('x-amz-crc32'))).toBeGreaterThan(0);
    expect(await response.json()).toEqual({TableNames: [TableName]});
  });
});
