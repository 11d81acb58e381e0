/** The writers of the kite: correct ones and faulty ones. */
import {PutItemCommand, UpdateItemCommand} from '@aws-sdk/client-dynamodb';
import {rawClient} from '../support/dynamodb.js';
import type {Writer} from './guards-writers.js';

const token = (at: number, count: number): string => `w${at}-${String(count).padStart(6, '0')}`;

/** DynamoDB Local answers some writes with an internal failure while an index is added; every client tries those again. */
const insisting = async (work: () => Promise<void>): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if ((error as Error).name !== 'InternalFailure' || attempt === 5) throw error;
    }
  }
};

/** Five that write under the canonical id, three that make another session of an account that has one. */
export const dynamodbWriters = (endpoint: string): Writer[] => {
  const client = rawClient(endpoint);
  const put = (sessionId: string, accountId: string) =>
    client.send(
      new PutItemCommand({
        TableName: 'kite-sessions',
        Item: {
          sessionId: {S: sessionId},
          accountId: {S: accountId},
          createdAt: {S: new Date().toISOString()},
          updatedAt: {S: new Date().toISOString()},
        },
      }),
    );
  return Array.from(
    {length: 8},
    (_, at): Writer => ({
      refusals: [],
      step: (count, {stored}) =>
        insisting(async () => {
          const account = at > 4 ? `faulty-${count % 20}` : token(at, count);
          const row = at > 4 ? token(at, count) : `sess_${account}`;
          await put(row, account);
          stored.add(row);
          if (at > 4) return;
          await client.send(
            new UpdateItemCommand({
              TableName: 'kite-sessions',
              Key: {sessionId: {S: row}},
              UpdateExpression: 'SET device = :d',
              ConditionExpression: 'attribute_exists(sessionId)',
              ExpressionAttributeValues: {':d': {S: 'phone'}},
            }),
          );
        }),
    }),
  );
};
