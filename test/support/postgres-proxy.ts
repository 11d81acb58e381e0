/** A proxy before a PostgreSQL that loses what a test wants lost. */
import {type AddressInfo, connect, createServer, type Server, type Socket} from 'node:net';

/** Passes bytes on until `cut` says what to do with what a client sends. */
export const openProxy = async (
  url: string,
  cut: (sent: Buffer, client: Socket, server: Socket) => boolean,
) => {
  const {port} = new URL(url);
  const proxy: Server = createServer(client => {
    const server = connect(Number(port), '127.0.0.1');
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('data', sent => {
      if (cut(sent, client, server)) server.write(sent);
    });
    server.on('data', answer => client.write(answer));
    client.on('close', () => server.end());
    server.on('close', () => client.end());
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.port = String((proxy.address() as AddressInfo).port);
  return {url: through.href, close: () => new Promise(resolve => proxy.close(resolve))};
};

export const isCommit = (sent: Buffer): boolean => sent.includes('commit\0');
