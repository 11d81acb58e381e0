import {killedSuite} from './killed.js';
import {openPostgresScenarios} from './scenarios-postgres.js';

killedSuite(
  'PostgreSQL',
  ['rides cancel', 'registry keep-first', 'gym keep-latest-background'],
  ['rides cancel', 'registry keep-first'],
  openPostgresScenarios,
  ['rides cancel', 'registry keep-first'],
);
