import {randomInt} from 'node:crypto';
import {type AddressInfo, createServer, type Socket} from 'node:net';
import {type Backend, startBackend} from './postgres-backend.js';
import {Connection} from './postgres-connection.js';
import {
  errorIn,
  errorResponse,
  PARAMETERS_QUERY,
  query,
  rowsIn,
  startupParameters,
  welcome,
} from './postgres-messages.js';
import {requestedSettings, Sessions} from './postgres-sessions.js';
import {Turns} from './postgres-turns.js';

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const PROTOCOL_3 = 3;
const MAX_STARTUP_BYTES = 10_000;

export type PostgresEmbedded = {
  url: string;
  port: number;
  /** Fulfilled when PostgreSQL has started; clients may connect before and wait for it. */
  ready: Promise<void>;
  /** Runs statements as the superuser; throws with PostgreSQL's message where one fails. */
  exec(sql: string): Promise<void>;
  close(): Promise<void>;
};

type Clients = Map<number, {secret: number; connection: Connection}>;
type Server = {
  backend: Backend;
  sessions: Sessions;
  turns: Turns;
  parameters: Map<string, string>;
  clients: Clients;
};

/**
 * Starts a real PostgreSQL (PGlite: compiled to WebAssembly, in memory, in its own thread) that any client can
 * connect to. It has one backend: while one client is in a transaction the others wait, `lock_timeout` and
 * `statement_timeout` end the waiting but not a statement that runs, and every client has its own settings and
 * prepared statements. The database is `postgres`; any user is let in and is the superuser. Returns as soon as it
 * listens.
 */
export const startPostgresEmbedded = async ({
  port = 0,
  host = '127.0.0.1',
}: {
  port?: number;
  host?: string;
} = {}): Promise<PostgresEmbedded> => {
  const sockets = new Set<Socket>();
  const backend = startBackend();
  const starting = startServer(backend);
  const ready = starting.then(() => undefined);
  // Whoever waits for it, or runs something, learns of a failure; nobody having to is no reason to crash.
  ready.catch(() => undefined);
  // Clients that come while the backend starts wait for it; where it doesn't start they are hung up on.
  const listener = createServer(socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    starting.then(
      server => greet(socket, server),
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, resolve);
  }).catch(async error => {
    await backend.close();
    throw error;
  });
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => listener.close(resolve));
    await backend.close();
  };
  const {port: bound} = listener.address() as AddressInfo;
  return {
    url: `postgresql://postgres@${host.includes(':') ? `[${host}]` : host}:${bound}/postgres?sslmode=disable`,
    port: bound,
    ready,
    exec: async sql => execute(await starting, sql),
    close,
  };
};

const startServer = async (backend: Backend): Promise<Server> => {
  await backend.started;
  const sessions = await Sessions.start(backend);
  const [flat = []] = rowsIn(await backend.execute([query(PARAMETERS_QUERY)]));
  const parameters = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) parameters.set(flat[i]!, flat[i + 1] ?? '');
  return {backend, sessions, turns: new Turns(), parameters, clients: new Map()};
};

const execute = async ({backend, sessions, turns}: Server, sql: string): Promise<void> => {
  await turns.take({}, 0);
  try {
    await sessions.enter({settings: sessions.defaults});
    const error = errorIn(await backend.execute([query(sql)]));
    sessions.forget();
    if (error) throw new Error(`${error.get('M')} (${error.get('C')})`);
  } finally {
    turns.pass();
  }
};

/** Reads what a client says first, answers it, and hands the socket to its connection. */
const greet = (socket: Socket, server: Server): void => {
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 8) {
      const length = received.readInt32BE(0);
      const code = received.readInt32BE(4);
      if (length < 8 || length > MAX_STARTUP_BYTES) {
        socket.destroy();
        return;
      }
      if (received.length < length) return;
      const first = received.subarray(0, length);
      received = received.subarray(length);
      if (code === SSL_REQUEST || code === GSSENC_REQUEST) socket.write('N');
      else {
        socket.off('data', onData);
        if (code === CANCEL_REQUEST) cancel(first, server.clients);
        else if (code >> 16 === PROTOCOL_3) {
          admit(socket, server, startupParameters(first), received);
          return;
        }
        socket.end();
        return;
      }
    }
  };
  socket.on('data', onData);
};

const cancel = (request: Buffer, clients: Clients): void => {
  const client = clients.get(request.readInt32BE(8));
  if (client?.secret === request.readInt32BE(12)) client.connection.cancel();
};

let lastId = 0;

const admit = (socket: Socket, server: Server, asked: Map<string, string>, early: Buffer): void => {
  const {backend, sessions, turns, clients} = server;
  const database = asked.get('database') ?? asked.get('user');
  if (database !== 'postgres') {
    socket.end(errorResponse('FATAL', '3D000', `database "${database}" does not exist`).bytes);
    return;
  }
  const id = ++lastId;
  const secret = randomInt(2 ** 31 - 1);
  const session = {settings: new Map([...sessions.defaults, ...requestedSettings(asked)])};
  const connection = new Connection(id, session, socket, backend, sessions, turns);
  clients.set(id, {secret, connection});
  socket.once('close', () => {
    clients.delete(id);
    connection.leave();
  });
  const receive = (chunk: Buffer) => {
    try {
      connection.receive(chunk);
    } catch {
      socket.destroy();
    }
  };
  socket.on('data', receive);
  socket.write(welcome(server.parameters, id, secret));
  if (early.length > 0) receive(early);
};
