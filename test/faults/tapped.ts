/** TCP proxies that keep what a client asked a server for: the names of commands, as the protocols carry them. */
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {BSON} from 'mongodb';

export type Tap = {port: number; commands: string[]; stop: () => Promise<void>};

/** `readerOf` makes, for each connection, what finds the names in the bytes that a client sends. */
const openTap = async (
  target: number,
  readerOf: (found: (name: string) => void) => (bytes: Buffer) => void,
): Promise<Tap> => {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(client => {
    const upstream = connect(target, '127.0.0.1');
    const read = readerOf(name => commands.push(name));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy();
          upstream.destroy();
        });
    }
    client.on('data', bytes => {
      read(bytes);
      upstream.write(bytes);
    });
    upstream.on('data', bytes => client.write(bytes));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};

const opMsg = 2013;

/** MongoDB's wire protocol: the first key of an OP_MSG's document is the command; stages that write are told too. */
export const tapMongodb = (target: number): Promise<Tap> =>
  openTap(target, found => {
    let held: Buffer = Buffer.alloc(0);
    return bytes => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 16 && held.length >= held.readInt32LE(0)) {
        const message = held.subarray(0, held.readInt32LE(0));
        held = held.subarray(message.length);
        if (message.readInt32LE(12) !== opMsg) {
          found('OP_QUERY');
          continue;
        }
        const document = BSON.deserialize(message.subarray(21, 21 + message.readInt32LE(21)));
        found(Object.keys(document)[0]!);
        for (const stage of (document.pipeline as object[] | undefined) ?? [])
          for (const name of Object.keys(stage)) if (name === '$out' || name === '$merge') found(name);
      }
    };
  });

/** PostgreSQL's: the text of each simple query and of each statement that is prepared. */
export const tapPostgres = (target: number): Promise<Tap> =>
  openTap(target, found => {
    let held: Buffer = Buffer.alloc(0);
    let started = false;
    return bytes => {
      held = Buffer.concat([held, bytes]);
      for (;;) {
        // Only the first message has no letter before its length.
        const at = started ? 1 : 0;
        if (held.length < at + 4 || held.length < at + held.readInt32BE(at)) return;
        const message = held.subarray(0, at + held.readInt32BE(at));
        held = held.subarray(message.length);
        const [, ...texts] = message.toString('utf8', 4 + at).split('\0');
        if (started && message[0] === 0x51) found(message.toString('utf8', 5).replace(/\0$/, ''));
        else if (started && message[0] === 0x50) found(texts[0] ?? '');
        started = true;
      }
    };
  });

/** DynamoDB's: the operation is a header of the request. */
export const tapDynamodb = (target: number): Promise<Tap> =>
  openTap(target, found => {
    let rest = '';
    return bytes => {
      const text = rest + bytes.toString('latin1');
      let end = 0;
      for (const match of text.matchAll(/x-amz-target: *DynamoDB_\w+\.(\w+)\r\n/gi)) {
        found(match[1]!);
        end = match.index + match[0].length;
      }
      // A header may be cut in two.
      rest = text.slice(Math.max(end, text.length - 100));
    };
  });

/** Commands that only read. */
export const readingMongodb = new Set(
  'OP_QUERY hello ismaster isMaster ping buildInfo serverStatus listCollections listIndexes collStats count find aggregate getMore killCursors endSessions distinct'.split(
    ' ',
  ),
);
export const readingDynamodb = new Set('ListTables DescribeTable Scan Query GetItem BatchGetItem'.split(' '));
