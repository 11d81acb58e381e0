/**
 * A proxy in front of FerretDB that lets one write in at a time. FerretDB 1.24 finds a document and writes it in two
 * steps (internal/handler/msg_findandmodify.go), so that two deletes can both be told to have made one and an
 * update can bring old values back; MongoDB holds the document in between. Reads go through as they come.
 */
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

const writes = ['findAndModify', 'update', 'delete', 'insert'].map(name =>
  Buffer.concat([Buffer.from(name), Buffer.from([0])]),
);

/** OP_MSG: a header of 16 bytes, 4 of flags, the kind of a section, the document's length, its first element's type. */
const commandAt = 26;
const isWrite = (message: Buffer): boolean =>
  writes.some(name => message.subarray(commandAt, commandAt + name.length).equals(name));

/** Calls back with each whole message of a stream of bytes. */
const framed = (handle: (message: Buffer) => void): ((chunk: Buffer) => void) => {
  let held = Buffer.alloc(0);
  return chunk => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= held.readInt32LE(0)) {
      const length = held.readInt32LE(0);
      handle(held.subarray(0, length));
      held = held.subarray(length);
    }
  };
};

export const oneWriteAtATime = async (target: string): Promise<{url: string; stop(): Promise<void>}> => {
  const {hostname, port} = new URL(target);
  const sockets = new Set<Socket>();
  let turn: Promise<void> = Promise.resolve();
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname);
    let leave: () => void = () => undefined;
    const end = () => {
      leave();
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
    }
    client.on(
      'data',
      framed(message => {
        if (!isWrite(message)) {
          upstream.write(message);
          return;
        }
        const before = turn;
        turn = new Promise(resolve => {
          leave = resolve;
        });
        const mine = leave;
        void before.then(() => {
          if (upstream.destroyed) mine();
          else upstream.write(message);
        });
      }),
    );
    upstream.on(
      'data',
      framed(message => {
        client.write(message);
        leave();
      }),
    );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
