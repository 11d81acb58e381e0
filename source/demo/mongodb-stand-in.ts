import {type AddressInfo, createServer, type Socket} from 'node:net';
import {runCommand} from './mongodb-commands.js';
import {Databases} from './mongodb-databases.js';
import {answer, createParser} from './mongodb-wire.js';

export type MongodbStandIn = {url: string; port: number; close(): Promise<void>};

/**
 * Starts a server that speaks MongoDB's protocol well enough for its official drivers and holds everything in
 * memory: a standalone one, without transactions, change streams or authentication. It is not MongoDB, and says
 * so in `buildInfo.modules`. Port 0 or none takes a free one.
 */
export const startMongodbStandIn = async ({
  port = 0,
  host = '127.0.0.1',
}: {
  port?: number;
  host?: string;
} = {}): Promise<MongodbStandIn> => {
  const databases = new Databases();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer(socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, databases, ++connections);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `mongodb://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};

const serve = (socket: Socket, databases: Databases, connectionId: number): void => {
  const parse = createParser();
  socket.setNoDelay(true);
  // A client that goes away is no concern of the others.
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => {
    try {
      for (const request of parse(chunk)) {
        const reply = runCommand(databases, request, connectionId);
        if (request.wantsReply) socket.write(answer(request, reply));
      }
    } catch {
      // What can't be parsed has no request to answer: MongoDB hangs up, too.
      socket.destroy();
    }
  });
};
