/** A TCP proxy that counts what a client asks, and does to one of its messages what networks do. */
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

/**
 * `cut`: the message does not arrive, and the connection ends. `drop`: it arrives, and its answer is lost with the
 * connection. `down`: as `drop`, and nothing gets through any more. `slow`: it arrives late.
 */
export type Fault = 'cut' | 'drop' | 'down' | 'slow';

export type NetworkProxy = {
  port: number;
  /** From here on messages are counted; `fault` happens to number `at` (from 1) of them. */
  arm(fault: Fault | null, at?: number): void;
  /** Messages since it was armed. */
  readonly count: number;
  readonly fired: boolean;
  stop(): Promise<void>;
};

/** Long enough to be out of order with what other connections send. */
const slowMs = 150;

/** `counts`: is this chunk the beginning of a message that the test is about? */
export const startNetworkProxy = async (
  target: {hostname: string; port: number},
  counts: (chunk: Buffer) => boolean,
): Promise<NetworkProxy> => {
  const sockets = new Set<Socket>();
  let wanted: {fault: Fault | null; at: number} = {fault: null, at: 0};
  let count = 0;
  let fired = false;
  let down = false;

  /** What is to happen to this chunk. */
  const judge = (chunk: Buffer): Fault | null => {
    if (!counts(chunk)) return null;
    count++;
    if (fired || wanted.fault === null || count !== wanted.at) return null;
    fired = true;
    return wanted.fault;
  };

  const server = createServer(client => {
    if (down) {
      client.destroy();
      return;
    }
    const upstream = connect(target.port, target.hostname);
    let losesAnswer: Fault | null = null;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', chunk => {
      const fault = judge(chunk);
      if (fault === 'cut') end();
      else if (fault === 'slow') {
        client.pause();
        setTimeout(() => {
          upstream.write(chunk);
          client.resume();
        }, slowMs);
      } else {
        losesAnswer ??= fault;
        upstream.write(chunk);
      }
    });
    upstream.on('data', chunk => {
      if (losesAnswer === null) {
        client.write(chunk);
        return;
      }
      if (losesAnswer === 'down') {
        down = true;
        for (const socket of sockets) socket.destroy();
      }
      end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    arm(fault, at = 0) {
      wanted = {fault, at};
      count = 0;
      fired = false;
      down = false;
    },
    get count() {
      return count;
    },
    get fired() {
      return fired;
    },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
