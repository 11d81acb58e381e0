/** The connection to one database: made when it is first needed, and again after it could not be made. */
import {type ClientSession, type Db, type Document, MongoClient} from 'mongodb';
import type {ConnectorSettings} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {mapError, urlError} from './errors.js';

export type MongoSettings = ConnectorSettings & {url: string; database: string};

/** What the server said of itself when it was first reached. */
export type ServerInfo = {
  id: string;
  version: string;
  standIn: string | null;
  /** Several documents change together or not at all: replica sets and sharded clusters. */
  transactions: boolean;
  /** Holds every BSON type; FerretDB drops the connection on Decimal128 and NaN. */
  allTypes: boolean;
  /** Groups in one pass; FerretDB compares each document with every group that it has, and never ends. */
  groups: boolean;
  /** Updates of one document are atomic. FerretDB 1.24 reads and writes in two steps: of two at once one is lost. */
  atomic: boolean;
};

/** What one operation works with. `options` go with every command: time limit and, for reads, the signal. */
export type Access = {
  db: Db;
  info: ServerInfo;
  limit: {maxTimeMS: number};
  signal?: AbortSignal;
  session?: ClientSession;
  /** Told of each write that the server did not take. */
  onFault?: (fault: SesstuiError) => void;
};

export type MongoConnection = {
  /** Runs with a connection; whatever the driver throws comes out as a `SesstuiError`. */
  use<T>(what: string, work: (access: Access) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** What is known of the server; null before it was first reached. */
  known(): ServerInfo | null;
  close(): Promise<void>;
};

const clientOptions = (settings: MongoSettings) => ({
  appName: 'sesstui',
  maxPoolSize: 4,
  maxIdleTimeMS: 60_000,
  serverSelectionTimeoutMS: Math.min(5000, settings.timeoutMs),
  connectTimeoutMS: 5000,
  // The server ends a statement at maxTimeMS; this is for a server that does not answer at all.
  socketTimeoutMS: settings.timeoutMs + 5000,
  writeConcern: {w: 'majority' as const, wtimeoutMS: settings.timeoutMs},
  readPreference: 'primary' as const,
  ignoreUndefined: false,
});

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Hosts as the url has them, for a server that doesn't say its own address. */
const hostsOf = (client: MongoClient): string =>
  client.options.srvHost ??
  client.options.hosts
    .map(host => host.toString().toLowerCase())
    .sort()
    .join(',');

const portOf = (client: MongoClient): string => String(client.options.hosts[0]?.port ?? 27017);

/** What stays the same for every client of a server: the replica set with its members, the cluster's id, or the host. */
const addressOf = async (
  client: MongoClient,
  db: Db,
  hello: Document,
  limit: {maxTimeMS: number},
): Promise<string> => {
  if (hello.setName) return `${hello.setName}/${[...(hello.hosts ?? [])].sort().join(',')}`;
  if (hello.msg === 'isdbgrid') {
    const version = await client
      .db('config')
      .collection('version')
      .findOne({}, limit)
      .catch(() => null);
    return `mongos/${version?.clusterId ?? hostsOf(client)}`;
  }
  // Needs the clusterMonitor role; the url's hosts stand in for it.
  const host = textOf((await db.command({serverStatus: 1, ...limit}).catch(() => null))?.host);
  if (host === '') return hostsOf(client);
  return host.includes(':') ? host : `${host}:${portOf(client)}`;
};

const infoOf = async (client: MongoClient, db: Db, limit: {maxTimeMS: number}): Promise<ServerInfo> => {
  const [hello, build] = await Promise.all([
    db.command({hello: 1, ...limit}),
    db.command({buildInfo: 1, ...limit}),
  ]);
  const modules: unknown[] = Array.isArray(build.modules) ? build.modules : [];
  const standIn = modules.map(textOf).find(name => name.startsWith('stand-in')) ?? null;
  const clustered = Boolean(hello.setName) || hello.msg === 'isdbgrid';
  return {
    id: `mongodb://${await addressOf(client, db, hello, limit)}/${db.databaseName}`,
    version: textOf(build.version),
    standIn,
    transactions: clustered && hello.logicalSessionTimeoutMinutes !== undefined,
    allTypes: build.ferretdbVersion === undefined,
    groups: build.ferretdbVersion === undefined,
    atomic: build.ferretdbVersion === undefined,
  };
};

const orAborted = <T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> => {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, {once: true});
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
};

/** The driver reads the url here, so whatever it throws is about the url. */
const newClient = (settings: MongoSettings): MongoClient => {
  try {
    return new MongoClient(settings.url, clientOptions(settings));
  } catch (error) {
    throw urlError(error);
  }
};

export const openConnection = (settings: MongoSettings): MongoConnection => {
  const limit = {maxTimeMS: settings.timeoutMs};
  let opening: Promise<{client: MongoClient; db: Db; info: ServerInfo}> | null = null;
  let client: MongoClient | null = null;
  let info: ServerInfo | null = null;
  let closed = false;

  const open = async () => {
    const fresh = newClient(settings);
    // Without a listener, an error of a connection that nobody is using would end the program.
    fresh.on('error', () => {});
    client = fresh;
    try {
      await fresh.connect();
      const db = fresh.db(settings.database);
      info = await infoOf(fresh, db, limit);
      return {client: fresh, db, info};
    } catch (error) {
      await fresh.close().catch(() => {});
      throw error;
    }
  };

  const ready = () => {
    if (closed)
      return Promise.reject(new SesstuiError('unreachable', `The store ${settings.store} is closed.`));
    opening ??= open().catch(error => {
      opening = null;
      throw error;
    });
    return opening;
  };

  return {
    async use(what, work, signal) {
      try {
        const {db, info: known} = await orAborted(ready(), signal);
        return await work({db, info: known, limit, ...(signal ? {signal} : {})});
      } catch (error) {
        throw mapError(error, what, signal);
      }
    },
    known: () => info,
    async close() {
      closed = true;
      await client?.close().catch(() => {});
      await opening?.catch(() => {});
    },
  };
};
