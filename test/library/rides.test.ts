import {startPglite} from '../support/postgres.js';
import {postgresStage} from './rides-stage.js';
import {ridesSuite} from './rides-suite.js';

ridesSuite('PGlite', () => postgresStage({name: 'PGlite', start: startPglite}), 10);
