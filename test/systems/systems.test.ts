import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import {startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';
import {systemsSuite} from './systems.js';

systemsSuite('the embedded stores', async () => {
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
});
