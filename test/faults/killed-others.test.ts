import {documentServers} from './document-servers.js';
import {killedSuite} from './killed.js';
import {openDynamodbScenarios} from './scenarios-dynamodb.js';
import {openMongodbScenarios} from './scenarios-mongodb.js';

const kite = ['kite rekey', 'kite keep-latest'];
killedSuite('DynamoDB Local', kite, ['kite rekey'], openDynamodbScenarios, ['kite rekey']);

const chat = ['chat assign-ids', 'chat delete'];
for (const {name} of documentServers)
  killedSuite(name, chat, ['chat assign-ids'], () => openMongodbScenarios(name), ['chat assign-ids']);
