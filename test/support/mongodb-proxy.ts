/** A TCP proxy that loses what it is told to lose: requests on their way, or the answers to them. */
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

export type Proxy = {
  url: string;
  /** What happens to the next message that names this command: it is lost on the way there, or its answer is. */
  lose(command: string, what: 'request' | 'answer'): void;
  /** Does this before the next message that names the command is passed on. */
  before(command: string, work: () => Promise<unknown>): void;
  /** It has lost what it was told to. */
  hasLost(): boolean;
  /** Some request has named this command. */
  heard(command: string): boolean;
  /** How many bytes of answers it has passed on. */
  answered(): number;
  /** Ends every connection; new ones are accepted. */
  cut(): void;
  stop(): Promise<void>;
};

/** Its url is the target's with these options more, and leads through the proxy whatever set the server is in. */
const urlOf = (target: string, port: number, options: Record<string, string>): string => {
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  url.pathname ||= '/';
  for (const [name, value] of Object.entries({directConnection: 'true', ...options}))
    url.searchParams.set(name, value);
  return String(url);
};

export const startProxy = async (target: string, options: Record<string, string> = {}): Promise<Proxy> => {
  const {hostname, port} = new URL(target);
  const sockets = new Set<Socket>();
  let answered = 0;
  const requests: Buffer[] = [];
  let wanted: {command: string; what: 'request' | 'answer'} | null = null;
  let first: {command: string; work: () => Promise<unknown>} | null = null;
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname);
    let losesAnswer = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', chunk => {
      requests.push(chunk);
      if (wanted && chunk.includes(wanted.command)) {
        losesAnswer = wanted.what === 'answer';
        wanted = null;
        if (!losesAnswer) return end();
      }
      if (!first || !chunk.includes(first.command)) return void upstream.write(chunk);
      const {work} = first;
      first = null;
      client.pause();
      work()
        .then(() => upstream.write(chunk))
        .catch(end)
        .finally(() => client.resume());
    });
    upstream.on('data', chunk => {
      if (losesAnswer) return end();
      answered += chunk.length;
      client.write(chunk);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: urlOf(target, (server.address() as AddressInfo).port, options),
    lose(command, what) {
      wanted = {command, what};
    },
    before(command, work) {
      first = {command, work};
    },
    hasLost: () => wanted === null,
    heard: command => requests.some(request => request.includes(command)),
    answered: () => answered,
    cut,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        cut();
      }),
  };
};
