import {systemsOnSet} from './real-servers.js';

systemsOnSet(0);
