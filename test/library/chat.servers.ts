/** A hundred conversations at once on real servers. */
import {mongodbServers} from '../support/mongodb.js';
import {chatSuite} from './chat-suite.js';

for (const kind of mongodbServers()) chatSuite(kind, 100);
