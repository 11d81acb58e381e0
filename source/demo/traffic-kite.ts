/** The login service as it used to write: each login inserts another session, under an id of its own. */
import {
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type {Random} from './random.js';
import {canonicalKiteId, kiteSession} from './seed-kite.js';
import {attributeOf, attributesOf, demoDynamodbClient} from './seed-load-dynamodb.js';
import {spellMoment} from './seed-moments.js';
import {type Person, person} from './seed-people.js';
import type {Faulty, Traffic} from './traffic-loop.js';

type Step = {client: DynamoDBClient; random: Random; someone: Person; count: () => void; faulty: Faulty};

/** `accounts`: log in as one of the first so many people. */
export const kiteTraffic = (endpoint: string, seed: number, accounts: number): Traffic<DynamoDBClient> => ({
  connect: async () => demoDynamodbClient(endpoint),
  disconnect: client => client.destroy(),
  isRefusal: () => false,
  neverRefused: 'DynamoDB has no constraint that would refuse them: writers have to take the write path',
  step: (client, random, count, faulty) => {
    const step = {client, random, count, faulty, someone: person(seed, random.int(0, accounts - 1))};
    return random.chance(0.6) ? logIn(step) : refresh(step);
  },
});

/** Updates an item that is there; false when it isn't. */
const updateExisting = async (client: DynamoDBClient, input: UpdateItemCommandInput): Promise<boolean> => {
  try {
    await client.send(new UpdateItemCommand(input));
    return true;
  } catch (error) {
    if ((error as Error).name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
};

const logIn = async ({client, random, someone, count, faulty}: Step): Promise<void> => {
  const sessionId = random.uuid();
  const item = kiteSession(random, sessionId, someone, Date.now());
  const put = new PutItemCommand({TableName: 'kite-sessions', Item: attributesOf(item)});
  await faulty(() => client.send(put));
  // The reference is a second write, and gets lost when the service stops between the two.
  if (random.chance(0.15)) return;
  const referred = await updateExisting(client, {
    TableName: 'kite-accounts',
    Key: {accountId: {S: someone.accountId}},
    UpdateExpression: 'SET #session = :id',
    ConditionExpression: 'attribute_exists(accountId)',
    ExpressionAttributeNames: {'#session': 'session'},
    ExpressionAttributeValues: {':id': attributeOf(sessionId)},
  });
  if (referred) count();
};

/** What goes on besides: a session is used again; who has none to use logs in. */
const refresh = async (step: Step): Promise<void> => {
  const {client, random, someone, count} = step;
  const used = await updateExisting(client, {
    TableName: 'kite-sessions',
    Key: {sessionId: {S: canonicalKiteId(someone.accountId)}},
    UpdateExpression: 'SET updatedAt = :now, accessToken = :token',
    ConditionExpression: 'attribute_exists(sessionId)',
    ExpressionAttributeValues: {
      ':now': attributeOf(spellMoment(random, Date.now())),
      ':token': {S: `kat_${random.token(40)}`},
    },
  });
  if (used) count();
  else await logIn(step);
};
