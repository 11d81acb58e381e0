import {
  collMod,
  create,
  createIndexes,
  drop,
  dropDatabase,
  dropIndexes,
  listCollections,
  listDatabases,
  listIndexes,
} from './mongodb-collections.js';
import type {Databases} from './mongodb-databases.js';
import {failed, MongodbFailure} from './mongodb-errors.js';
import {aggregate, count, distinct, find, getMore, killCursors} from './mongodb-read.js';
import {type Doc, isDocument} from './mongodb-values.js';
import type {Request} from './mongodb-wire.js';
import {findAndModify, insert, remove, update} from './mongodb-write.js';

/** One command on its way: where it goes, its fields, and the documents that came beside it. */
export type Call = {
  databases: Databases;
  connectionId: number;
  database: string;
  /** The collection, for commands that name one. */
  name: string;
  command: Doc;
  sequences: Map<string, Uint8Array[]>;
};

const VERSION = '7.0.0';

const hello = ({connectionId, command}: Call): Doc => ({
  helloOk: true,
  [command.hello === undefined ? 'ismaster' : 'isWritablePrimary']: true,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  localTime: new Date(),
  logicalSessionTimeoutMinutes: 30,
  connectionId,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
  ok: 1,
});

const fine = (): Doc => ({ok: 1});

const notInTransaction = (): Doc => {
  throw failed('IllegalOperation', 'Transaction numbers are only allowed on a replica set member or mongos');
};

const COMMANDS: Record<string, (call: Call) => Doc> = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping: fine,
  endSessions: fine,
  refreshSessions: fine,
  logout: fine,
  abortTransaction: notInTransaction,
  commitTransaction: notInTransaction,
  buildInfo: () => ({
    version: VERSION,
    versionArray: [7, 0, 0, 0],
    gitVersion: 'none',
    modules: ['stand-in: sesstui demo, not MongoDB'],
    bits: 64,
    debug: false,
    maxBsonObjectSize: 16 * 1024 * 1024,
    ok: 1,
  }),
  serverStatus: ({connectionId}) => ({
    host: 'stand-in',
    version: VERSION,
    process: 'sesstui demo',
    uptime: process.uptime(),
    localTime: new Date(),
    connections: {current: connectionId},
    ok: 1,
  }),
  getParameter: ({command}) => {
    if (command.featureCompatibilityVersion === undefined && command.getParameter !== '*')
      throw failed('InvalidOptions', 'no option found to get');
    return {featureCompatibilityVersion: {version: '7.0'}, ok: 1};
  },
  connectionStatus: () => ({authInfo: {authenticatedUsers: [], authenticatedUserRoles: []}, ok: 1}),
  listCommands: () => ({
    commands: Object.fromEntries(Object.keys(COMMANDS).map(name => [name, {}])),
    ok: 1,
  }),
  listDatabases,
  listCollections,
  listIndexes,
  create,
  collMod,
  drop,
  dropDatabase,
  createIndexes,
  dropIndexes,
  deleteIndexes: dropIndexes,
  insert,
  update,
  delete: remove,
  findAndModify,
  findandmodify: findAndModify,
  find,
  getMore,
  killCursors,
  aggregate,
  count,
  distinct,
};

/** Answers one command. Nothing in here waits, so that each command is atomic to every client. */
export const runCommand = (databases: Databases, request: Request, connectionId: number): Doc => {
  const {command, sequences} = request;
  const verb = Object.keys(command)[0] ?? '';
  try {
    const run = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
    if (!run) throw failed('CommandNotFound', `no such command: '${verb}'`);
    // A transaction's commands carry a number and say that they don't commit by themselves.
    if (command.startTransaction === true || command.autocommit === false || command.txnNumber !== undefined)
      notInTransaction();
    if (isDocument(command.collation) && command.collation.locale !== 'simple')
      throw failed('BadValue', 'collations are not supported');
    const target = verb === 'getMore' ? command.collection : command[verb];
    const name = typeof target === 'string' ? target : '';
    return run({databases, connectionId, database: String(command.$db ?? 'test'), name, command, sequences});
  } catch (error) {
    if (error instanceof MongodbFailure) return error.reply();
    return failed('InternalError', String((error as Error).stack ?? error)).reply();
  }
};
