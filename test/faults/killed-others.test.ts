import {documentServers} from './document-servers.js';
import {killedSuite} from './killed.js';
import {openDynamodbScenarios} from './scenarios-dynamodb.js';
import {openMongodbScenarios} from './scenarios-mongodb.js';

killedSuite('DynamoDB Local', ['kite rekey', 'kite keep-latest'], ['kite rekey'], openDynamodbScenarios);
for (const {name} of documentServers)
  killedSuite(name, ['chat assign-ids', 'chat delete'], ['chat assign-ids'], () =>
    openMongodbScenarios(name),
  );
