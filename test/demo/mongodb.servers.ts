/** What the demo's stand-in is held to, on MongoDB itself; FerretDB leaves much of it out. */
import {mongodbServers} from '../support/mongodb.js';
import {mongodbSuite} from './mongodb-suite.js';

for (const kind of mongodbServers()) if (kind.name !== 'FerretDB') mongodbSuite(kind);
