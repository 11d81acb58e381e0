/** kite's tables on DynamoDB for the rounds: sessions with accounts that refer to them. */
import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import {makeTable, type RawItem, rawClient, scanTable} from '../support/dynamodb.js';
import {type Pair, type Stored, type System, seedRows} from './operators-system.js';

const sessions = 'kite-sessions';
const accounts = 'kite-accounts';
const moment = (seconds: number): RawItem[string] => ({
  S: new Date(Date.UTC(2026, 10, 20) + seconds * 1000).toISOString(),
});

const pairs: Pair[] = [
  {
    name: 'keep-first against keep-latest',
    tasks: [
      {check: 'kite/first', action: 'keep-first'},
      {check: 'kite/latest', action: 'keep-latest'},
    ],
  },
  {
    name: 'keep-latest against keep-canonical',
    tasks: [
      {check: 'kite/latest', action: 'keep-latest'},
      {check: 'kite/latest', action: 'keep-canonical'},
    ],
  },
  {
    name: 'keepers chosen by hand against keep-first',
    tasks: [
      {check: 'kite/latest', action: 'keep-latest', byHand: true},
      {check: 'kite/first', action: 'keep-first'},
    ],
  },
  {
    name: 'rekey against keep-first',
    tasks: [
      {check: 'kite/latest', action: 'rekey', selection: {reasons: ['duplicate']}},
      {check: 'kite/first', action: 'keep-first'},
    ],
  },
  {
    name: 'the same plan',
    tasks: [
      {check: 'kite/latest', action: 'keep-latest'},
      {check: 'kite/latest', action: 'keep-latest'},
    ],
    calm: true,
  },
];

const write = async (client: DynamoDBClient, table: string, requests: WriteRequest[]): Promise<void> => {
  for (let start = 0; start < requests.length; start += 25)
    await client.send(
      new BatchWriteItemCommand({RequestItems: {[table]: requests.slice(start, start + 25)}}),
    );
};

/** True when the server has made it; false when a condition, or another transaction, was in the way. */
const acknowledged = (sent: Promise<unknown>): Promise<boolean> =>
  sent.then(
    () => true,
    (error: Error) => {
      if (/Condition|Transaction|Conflict/.test(error.name)) return false;
      throw error;
    },
  );

const itemOf = (group: string, name: string, stamp: string, order: number): RawItem => ({
  sessionId: {S: name},
  accountId: {S: group},
  stamp: {S: stamp},
  updatedAt: moment(order),
  createdAt: moment(-order),
});

export const openKite = async (endpoint: string, server: string): Promise<System> => {
  const client = rawClient(endpoint);
  await makeTable(client, sessions, {sessionId: 'S'}, [], {accountId: 'S'});
  await makeTable(client, accounts, {accountId: 'S'}, []);
  const rows = async (): Promise<Map<string, Stored>> =>
    new Map(
      (await scanTable(client, sessions)).map(item => [
        item.sessionId!.S!,
        {group: item.accountId!.S!, stamp: item.stamp!.S!},
      ]),
    );
  const exists = 'attribute_exists(sessionId)';
  const check = {
    check: 'duplicates',
    table: sessions,
    groupBy: ['accountId'],
    latestBy: ['updatedAt'],
    canonicalId: '{accountId}-1',
    referencedBy: {table: accounts, key: 'accountId', attribute: 'session'},
  };
  return {
    name: 'sessions with accounts',
    server,
    config: {
      environment: 'test',
      stores: {
        kite: {
          kind: 'dynamodb',
          region: 'eu-west-1',
          endpoint,
          checks: [
            {...check, name: 'first', keep: 'first'},
            {...check, name: 'latest', keep: 'latest'},
          ],
        },
      },
    },
    pairs,
    guarded: true,
    async reset(groups) {
      const old = [...(await rows()).keys()].map(name => ({DeleteRequest: {Key: {sessionId: {S: name}}}}));
      await write(client, sessions, old);
      const seed = seedRows(groups);
      await write(
        client,
        sessions,
        seed.map(({group, name, order}) => ({PutRequest: {Item: itemOf(group, name, 'seed', order)}})),
      );
      const named = [...new Set(seed.map(({group}) => group))];
      await write(
        client,
        accounts,
        named.map(group => {
          const own = seed.filter(row => row.group === group);
          const {name} = own[Math.floor(Math.random() * own.length)]!;
          return {PutRequest: {Item: {accountId: {S: group}, session: {S: name}}}};
        }),
      );
      return rows();
    },
    rows,
    references: async () =>
      new Map(
        (await scanTable(client, accounts)).map(({accountId, session}) => [
          accountId!.S!,
          session?.S ?? null,
        ]),
      ),
    touch: (name, stamp) =>
      acknowledged(
        client.send(
          new UpdateItemCommand({
            TableName: sessions,
            Key: {sessionId: {S: name}},
            UpdateExpression: 'SET stamp = :stamp',
            ConditionExpression: exists,
            ExpressionAttributeValues: {':stamp': {S: stamp}},
          }),
        ),
      ),
    insert: (group, name, stamp) =>
      acknowledged(
        client.send(new PutItemCommand({TableName: sessions, Item: itemOf(group, name, stamp, 60)})),
      ),
    async remove(name, group) {
      const account = await client.send(
        new GetItemCommand({TableName: accounts, Key: {accountId: {S: group}}, ConsistentRead: true}),
      );
      const stays = account.Item?.session?.S;
      if (stays === undefined || stays === name) return false;
      // Goes only while the account's session is another one, and that is there.
      return acknowledged(
        client.send(
          new TransactWriteItemsCommand({
            TransactItems: [
              {Delete: {TableName: sessions, Key: {sessionId: {S: name}}, ConditionExpression: exists}},
              {
                ConditionCheck: {
                  TableName: sessions,
                  Key: {sessionId: {S: stays}},
                  ConditionExpression: exists,
                },
              },
              {
                ConditionCheck: {
                  TableName: accounts,
                  Key: {accountId: {S: group}},
                  ConditionExpression: '#session = :stays',
                  ExpressionAttributeNames: {'#session': 'session'},
                  ExpressionAttributeValues: {':stays': {S: stays}},
                },
              },
            ],
          }),
        ),
      );
    },
    nameOf: ({table, key}) => (table === accounts ? `accounts/${key.accountId}` : String(key.sessionId)),
    holds: (image, name) => JSON.stringify(image).includes(name.replace('accounts/', '')),
    async close() {
      client.destroy();
    },
  };
};
