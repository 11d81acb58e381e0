/** The login's function on the demo's own server; many at once on real ones are in kite.servers.ts. */
import {dynamodbServers} from '../support/dynamodb.js';
import {kiteSuite} from './kite-suite.js';

for (const kind of dynamodbServers()) kiteSuite(kind, 10);
