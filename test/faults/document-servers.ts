/** The servers that speak MongoDB's language: MongoDB itself; FerretDB beside it where rounds are asked for. */
import type {MongoClient} from 'mongodb';
import {startFerretdb} from '../support/ferretdb/ferretdb.js';
import {startMongod} from '../support/mongod.js';
import type {MongodbServerKind} from '../support/mongodb.js';

export type DocumentServer = MongodbServerKind & {
  name: 'MongoDB 6' | 'FerretDB 1.24';
  /** Writes of several documents are all made or none; and one that finds a document holds it until it is written. */
  hasTransactions: boolean;
};

export const mongodb6: DocumentServer = {name: 'MongoDB 6', start: startMongod, hasTransactions: true};
export const ferretdb: DocumentServer = {
  name: 'FerretDB 1.24',
  start: startFerretdb,
  hasTransactions: false,
};

/** Both take their time; what is different on FerretDB is that it has no transactions. */
export const documentServers: DocumentServer[] =
  process.env.SESSTUI_ROUNDS === undefined ? [mongodb6] : [mongodb6, ferretdb];

/**
 * Ends what clients that are gone have left. A transaction whose client died holds its documents for a minute
 * (transactionLifetimeLimitSeconds), and whoever writes to them waits.
 */
export const endTransactions = async (client: MongoClient): Promise<void> => {
  await client.db('admin').command({killAllSessions: []});
};
