import {killedSuite} from './killed.js';
import {openDynamodbScenarios} from './scenarios-dynamodb.js';
import {openMongodbScenarios} from './scenarios-mongodb.js';

killedSuite('DynamoDB Local', ['kite rekey', 'kite keep-latest'], openDynamodbScenarios);
killedSuite('FerretDB', ['chat assign-ids', 'chat delete'], openMongodbScenarios);
