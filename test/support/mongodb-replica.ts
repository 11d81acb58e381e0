/**
 * A replica set of one, for what needs transactions: the demo's stand-in behind snapshots. A transaction works on
 * a copy of everything as it was when it began; its commit fails as MongoDB's does when someone else has written
 * a document that it wrote (snapshot isolation: what it only read may have changed).
 */
import {type AddressInfo, createServer, type Socket} from 'node:net';
import {runCommand} from '../../source/demo/mongodb-commands.js';
import {Databases} from '../../source/demo/mongodb-databases.js';
import {answer, createParser, type Request} from '../../source/demo/mongodb-wire.js';

type Reply = Record<string, unknown>;
type Contents = Map<string, Uint8Array>;
type Transaction = {copy: Databases; began: number; written: Set<string>};

const separator = '\u0000';

/** Every document of a database's collections by collection and `_id`. */
const contentsOf = (databases: Databases): Contents => {
  const contents: Contents = new Map();
  for (const database of databases.names())
    for (const [name, collection] of databases.collections(database))
      for (const row of collection.rows()) contents.set([database, name, row.id].join(separator), row.bytes);
  return contents;
};

const put = (databases: Databases, place: string, bytes: Uint8Array | undefined): void => {
  const [database, name, id] = place.split(separator) as [string, string, string];
  const collection = databases.ensure(database, name);
  const held = [...collection.rows()].find(row => row.id === id);
  if (held) collection.delete(held);
  if (bytes) collection.insert(bytes, true);
};

const copyOf = (databases: Databases): Databases => {
  const copy = new Databases();
  for (const [place, bytes] of contentsOf(databases)) put(copy, place, bytes);
  return copy;
};

const changed = (before: Contents, after: Contents): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(place => before.get(place) !== after.get(place));

const conflict = (): Reply => ({
  ok: 0,
  code: 112,
  codeName: 'WriteConflict',
  errmsg: 'Write conflict',
  errorLabels: ['TransientTransactionError'],
});

export type Replica = {
  url: string;
  /** How many transactions were committed, aborted and refused for a conflict. */
  counts: {committed: number; aborted: number; conflicts: number};
  /** Called before each command, with its name and itself; may wait. */
  before: (verb: string, command: Reply) => Promise<void>;
  stop(): Promise<void>;
};

/** `standalone`: a server without transactions instead. */
export const startReplica = async ({standalone = false} = {}): Promise<Replica> => {
  const databases = new Databases();
  const transactions = new Map<string, Transaction>();
  const lastWrite = new Map<string, number>();
  let moment = 0;
  let address = '';

  const commit = (name: string): Reply => {
    const {copy, began, written} = transactions.get(name)!;
    transactions.delete(name);
    if ([...written].some(place => (lastWrite.get(place) ?? 0) > began)) {
      replica.counts.conflicts++;
      return conflict();
    }
    moment++;
    const contents = contentsOf(copy);
    for (const place of written) {
      put(databases, place, contents.get(place));
      lastWrite.set(place, moment);
    }
    replica.counts.committed++;
    return {ok: 1};
  };

  const inside = (name: string, request: Request): Reply => {
    const {lsid, txnNumber, autocommit, startTransaction, readConcern, ...command} = request.command;
    if (startTransaction)
      transactions.set(name, {copy: copyOf(databases), began: moment, written: new Set()});
    const transaction = transactions.get(name);
    if (!transaction) return {ok: 0, code: 251, codeName: 'NoSuchTransaction', errmsg: 'no such transaction'};
    const before = contentsOf(transaction.copy);
    const reply = runCommand(transaction.copy, {...request, command}, 1) as Reply;
    for (const place of changed(before, contentsOf(transaction.copy))) transaction.written.add(place);
    // As on MongoDB, an error ends the transaction.
    if (reply.ok !== 1 || reply.writeErrors) transactions.delete(name);
    return reply;
  };

  const outside = (request: Request): Reply => {
    const {lsid, txnNumber, readConcern, ...command} = request.command;
    const before = contentsOf(databases);
    const reply = runCommand(databases, {...request, command}, 1) as Reply;
    const places = changed(before, contentsOf(databases));
    if (places.length > 0) moment++;
    for (const place of places) lastWrite.set(place, moment);
    const isHello = !standalone && (command.hello !== undefined || command.ismaster !== undefined);
    return isHello
      ? {
          ...reply,
          setName: 'rs',
          setVersion: 1,
          hosts: [address],
          me: address,
          primary: address,
          secondary: false,
        }
      : reply;
  };

  const run = (request: Request): Reply => {
    const {command} = request;
    if (command.autocommit !== false) return outside(request);
    const name = JSON.stringify(command.lsid);
    if (command.commitTransaction) return transactions.has(name) ? commit(name) : {ok: 1};
    if (!command.abortTransaction) return inside(name, request);
    replica.counts.aborted++;
    transactions.delete(name);
    return {ok: 1};
  };

  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    const parse = createParser();
    socket.on('error', () => socket.destroy());
    socket.on('data', async chunk => {
      for (const request of parse(chunk)) {
        await replica.before(Object.keys(request.command)[0]!, request.command);
        socket.write(answer(request, run(request)));
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const replica: Replica = {
    url: `mongodb://${address}`,
    counts: {committed: 0, aborted: 0, conflicts: 0},
    before: async () => {},
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return replica;
};
