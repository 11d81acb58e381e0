/** The chat's functions on the demo's own server; many at once on real ones are in chat.servers.ts. */
import {mongodbServers} from '../support/mongodb.js';
import {chatSuite} from './chat-suite.js';

for (const kind of mongodbServers()) chatSuite(kind, 10);
