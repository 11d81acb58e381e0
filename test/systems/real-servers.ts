/** The five systems whole on real servers: two sets, so that each server that there are two of is in one. */
import {dynamodbServers} from '../support/dynamodb.js';
import {mongodbServers} from '../support/mongodb.js';
import {postgresServers} from '../support/postgres.js';
import {systemsSuite} from './systems.js';

const memberOf = <T>(kinds: T[], set: number): T => kinds[set % kinds.length]!;

/** Declares the suite for the set of that number, from 0; a kind of which there is one server is in every set. */
export const systemsOnSet = (set: number): void => {
  const postgresKind = memberOf(postgresServers, set);
  const dynamodbKind = memberOf(dynamodbServers(), set);
  // Never somebody's own MongoDB: these systems have fixed database names, which may be in use there.
  const mongodbKind = memberOf(
    mongodbServers().filter(({name}) => name !== 'MongoDB'),
    set,
  );
  systemsSuite(`${postgresKind.name}, ${dynamodbKind.name} and ${mongodbKind.name}`, async () => {
    const [postgres, dynamodb, mongodb] = await Promise.all([
      postgresKind.start(),
      dynamodbKind.start(),
      mongodbKind.start(),
    ]);
    return {
      dynamodb: dynamodb.endpoint,
      mongodb: mongodb.url,
      postgres: postgres.url,
      close: async () => void (await Promise.all([dynamodb.stop(), mongodb.stop(), postgres.stop()])),
    };
  });
};
