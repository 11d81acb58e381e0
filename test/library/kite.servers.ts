/** A hundred logins at once on real servers. */
import {dynamodbServers} from '../support/dynamodb.js';
import {kiteSuite} from './kite-suite.js';

for (const kind of dynamodbServers()) kiteSuite(kind, 100);
