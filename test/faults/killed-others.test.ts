import {killedSuite} from './killed.js';
import {openDynamodbScenarios} from './scenarios-dynamodb.js';
import {openMongodbScenarios} from './scenarios-mongodb.js';

killedSuite('DynamoDB Local', ['kite rekey', 'kite keep-latest'], ['kite rekey'], openDynamodbScenarios);
killedSuite('FerretDB', ['chat assign-ids', 'chat delete'], ['chat assign-ids'], () =>
  openMongodbScenarios('FerretDB 1.24'),
);
