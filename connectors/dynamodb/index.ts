/** The DynamoDB connector. */
import type {Connector} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {applyUnits} from './apply.js';
import {itemOf, neutralItem} from './attributes.js';
import {openClient} from './client.js';
import {guardKeeper} from './guards/index.js';
import {putRow} from './put.js';
import {fetchRows, read, survey, tally} from './read.js';
import {describeServer} from './server.js';
import {type DynamodbSettings, type Store, serverNow} from './store.js';
import {openStrain} from './strain.js';
import {openTables, shapeOf} from './tables.js';

export type {DynamodbSettings} from './store.js';

const requireWritable = (settings: DynamodbSettings): void => {
  if (!settings.readOnly) return;
  throw new SesstuiError('read-only', `The store ${settings.store} is read-only.`, 'Nothing was written.');
};

/**
 * A connector to the DynamoDB of a region, or to the server at `endpoint`. Credentials come from the SDK's default
 * chain (environment, profile, role); a server on this machine gets made-up ones where there are none. Nothing is
 * connected to until the first question. Every method throws `SesstuiError` only.
 */
export const openDynamodb = (settings: DynamodbSettings): Connector => {
  const client = openClient(settings);
  const store: Store = {settings, client, tables: openTables(client)};
  return {
    store: settings.store,
    kind: 'dynamodb',
    capabilities: {transactions: true, unitsPerApply: 25, changesPerTransaction: 100, groupsOnServer: false},
    guards: guardKeeper(store),
    server: signal => describeServer(store, signal),
    now: signal => serverNow(store, signal),
    tables: signal => store.tables.names(signal),
    describe: async (table, signal) => {
      const info = await store.tables.look(table, signal);
      return info && shapeOf(info);
    },
    survey: (form, options) => survey(store, form, options),
    read: (form, options) => read(store, form, options),
    tally: (form, options) => tally(store, form, options),
    fetch: (table, identities, signal) => fetchRows(store, table, identities, signal),
    apply: async (units, options) => {
      requireWritable(settings);
      return applyUnits(store, units, options);
    },
    put: async (request, options) => {
      requireWritable(settings);
      return putRow(store, request, options);
    },
    strain: openStrain(client),
    valuesOf: (_table, image) => neutralItem(itemOf(image)),
    close: async () => client.close(),
  };
};
