/** The one place that knows which connector a store's kind has; a driver is loaded when its store is first opened. */
import type {StoreConfig} from '../source/config/schema.js';
import type {Connector} from '../source/connector.js';

type Settings = {environment: string | null; timeoutMs: number; readOnly: boolean};

/** A connector for a configured store. It connects when it is first asked something. */
export const openConnector = async (
  name: string,
  store: StoreConfig,
  settings: Settings,
): Promise<Connector> => {
  const common = {store: name, ...settings};
  switch (store.kind) {
    case 'postgres': {
      const {openPostgres} = await import('./postgres/index.js');
      // A column without a time zone is written in the zone that the store's checks read it in.
      const timeZone = store.checks.find(check => check.timeZone !== 'UTC')?.timeZone;
      return openPostgres({...common, url: store.url, timeZone});
    }
    case 'mongodb': {
      const {openMongodb} = await import('./mongodb/index.js');
      return openMongodb({...common, url: store.url, database: store.database});
    }
    case 'dynamodb': {
      const {openDynamodb} = await import('./dynamodb/index.js');
      return openDynamodb({...common, region: store.region, endpoint: store.endpoint});
    }
  }
};
