/** The five systems whole: on the embedded stores, or on two sets of real servers that share none but FerretDB. */
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import {startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';
import {onRealServers} from '../support/asked.js';
import {dynamodbServers} from '../support/dynamodb.js';
import {mongodbServers} from '../support/mongodb.js';
import {postgresServers} from '../support/postgres.js';
import {type Stores, systemsSuite} from './systems.js';

const openEmbedded = async (): Promise<Stores> => {
  const [dynamodb, mongodb, postgres] = await Promise.all([
    startDynamodbFront({}),
    startMongodbStandIn({}),
    startPostgresEmbedded({}),
  ]);
  return {
    dynamodb: dynamodb.endpoint,
    mongodb: mongodb.url,
    postgres: postgres.url,
    close: async () => void (await Promise.all([dynamodb.close(), mongodb.close(), postgres.close()])),
  };
};

if (onRealServers) {
  // Each server is in a set, however many there are of its kind; with none of a kind there is nothing to test on.
  const kinds = [postgresServers, dynamodbServers(), mongodbServers()] as const;
  const sets = kinds.some(kind => kind.length === 0) ? 0 : Math.max(...kinds.map(({length}) => length));
  for (let set = 0; set < sets; set++) {
    const [postgresKind, dynamodbKind, mongodbKind] = [
      kinds[0][set % kinds[0].length]!,
      kinds[1][set % kinds[1].length]!,
      kinds[2][set % kinds[2].length]!,
    ];
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
  }
} else systemsSuite('the embedded stores', openEmbedded);
