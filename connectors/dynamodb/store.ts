/** What the parts of the connector share. */
import type {ConnectorSettings} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Client} from './client.js';
import type {Tables} from './tables.js';

export type DynamodbSettings = ConnectorSettings & {region: string; endpoint?: string};

export type Store = {settings: DynamodbSettings; client: Client; tables: Tables};

/**
 * The service's clock in microseconds, to the second: the Date header of an answer. Asks for one table's name,
 * and takes a refusal's header as well: the clock is not a permission.
 */
export const serverNow = async (store: Store, signal?: AbortSignal): Promise<number> => {
  const {seen} = store.client;
  const before = seen.answers;
  try {
    await store.client.read('ListTables', {Limit: 1}, signal);
  } catch (error) {
    if (seen.answers === before) throw error;
  }
  if (seen.micros === null)
    throw new SesstuiError('unsupported', "The server's answers have no Date header, so ages can't be told.");
  return seen.micros;
};
