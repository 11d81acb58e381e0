import {postgresServers} from '../support/postgres.js';
import {connectorSuite} from './contract.js';
import {openHarness} from './postgres-harness.js';

for (const {name, start} of postgresServers)
  connectorSuite(`postgres on ${name}`, async () => openHarness(await start()));
