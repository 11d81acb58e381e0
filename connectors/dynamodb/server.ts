/** Which server it is, without credentials. */
import type {Store} from './store.js';

/** `arn:aws:dynamodb:eu-west-1:123456789012:table/kite-sessions` → the account. */
const accountOfArn = (arn: string | null): string | null => arn?.split(':')[4] || null;

/**
 * The account of the credentials where they say it, else of the first table: a plan made for one account must not
 * run on another.
 */
const accountOf = async (store: Store, signal?: AbortSignal): Promise<string> => {
  const known = await store.client.accountId();
  if (known) return known;
  const {TableNames = []} = await store.client.read('ListTables', {Limit: 1}, signal);
  const info = TableNames[0] === undefined ? null : await store.tables.look(TableNames[0], signal);
  return accountOfArn(info?.arn ?? null) ?? 'unknown-account';
};

/** `id` is region/account, or region/host:port for a server that is not AWS's. */
export const describeServer = async (
  store: Store,
  signal?: AbortSignal,
): Promise<{id: string; version: string; standIn: string | null}> => {
  const {region, endpoint} = store.settings;
  await store.client.read('ListTables', {Limit: 1}, signal);
  const place = endpoint ? new URL(endpoint).host : await accountOf(store, signal);
  const {standIn, software} = store.client.seen;
  return {
    id: `${region}/${place}`,
    version: endpoint ? `DynamoDB API 2012-08-10${software ? ` (${software})` : ''}` : 'Amazon DynamoDB',
    standIn,
  };
};
