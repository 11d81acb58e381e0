/** The rides functions under a hundred callers, on every real server that there is. */
import {describe} from 'vitest';
import {dynamodbServers} from '../support/dynamodb.js';
import {mongodbServers} from '../support/mongodb.js';
import {postgresServers} from '../support/postgres.js';
import {dynamodbStage, mongodbStage, postgresStage} from './rides-stage.js';
import {ridesSuite} from './rides-suite.js';

describe('a hundred callers', () => {
  for (const kind of postgresServers) ridesSuite(kind.name, () => postgresStage(kind), 100);
  for (const kind of mongodbServers()) ridesSuite(kind.name, () => mongodbStage(kind), 100);
  for (const kind of dynamodbServers()) ridesSuite(kind.name, () => dynamodbStage(kind), 100);
});
