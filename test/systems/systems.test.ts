import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import {startPostgresEmbedded} from '../../source/demo/postgres-embedded.js';
import {dynamodbServers} from '../support/dynamodb.js';
import {mongodbServers} from '../support/mongodb.js';
import {startServer} from '../support/postgres.js';
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

if (process.env.SESSTUI_TEST_SERVERS === '1') {
  systemsSuite('PostgreSQL, DynamoDB Local and FerretDB', async () => {
    const [dynamodb, mongodb, postgres] = await Promise.all([
      dynamodbServers()
        .find(({name}) => name === 'DynamoDB Local')!
        .start(),
      mongodbServers()
        .find(({name}) => name === 'FerretDB')!
        .start(),
      startServer(),
    ]);
    return {
      dynamodb: dynamodb.endpoint,
      mongodb: mongodb.url,
      postgres: postgres.url,
      close: async () => void (await Promise.all([dynamodb.stop(), mongodb.stop(), postgres.stop()])),
    };
  });
}
