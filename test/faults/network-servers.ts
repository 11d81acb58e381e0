/** The stores behind a proxy: what is run on each, and which of its client's messages count. */
import {dynamodbServers} from '../support/dynamodb.js';
import {startServer} from '../support/postgres.js';
import {documentServers} from './document-servers.js';
import {type NetworkProxy, startNetworkProxy} from './network-proxy.js';
import type {Task} from './operator-process.js';
import {openKite} from './operators-dynamodb.js';
import {openChat} from './operators-mongodb.js';
import {openKeyed} from './operators-postgres.js';
import type {System} from './operators-system.js';

export type Behind = {
  system: System;
  proxy: NetworkProxy;
  /** The configuration for a client that goes through the proxy. */
  config: object;
  stop(): Promise<void>;
};

export type NetworkServer = {
  name: string;
  runs: Task[];
  start(): Promise<Behind>;
};

const behind = async (
  open: (url: string, server: string) => Promise<System>,
  server: {name: string; url: string; stop(): Promise<void>},
  counts: (chunk: Buffer) => boolean,
): Promise<Behind> => {
  const system = await open(server.url, server.name);
  const {hostname, port} = new URL(server.url);
  const proxy = await startNetworkProxy({hostname, port: Number(port)}, counts);
  const config = JSON.parse(
    JSON.stringify(system.config).replaceAll(`${hostname}:${port}`, `127.0.0.1:${proxy.port}`),
  );
  const stop = async (): Promise<void> => {
    await proxy.stop();
    await system.close();
    await server.stop();
  };
  return {system, proxy, config, stop};
};

export const networkServers: NetworkServer[] = [
  {
    name: 'PostgreSQL 15',
    runs: [{check: 'store/latest', action: 'keep-latest'}],
    start: async () => behind(openKeyed, {...(await startServer()), name: 'PostgreSQL 15'}, () => true),
  },
  {
    name: 'DynamoDB Local',
    runs: [{check: 'kite/latest', action: 'keep-latest'}],
    async start() {
      const kind = dynamodbServers().find(({name}) => name === 'DynamoDB Local')!;
      const {endpoint, stop} = await kind.start();
      return behind(openKite, {name: kind.name, url: endpoint, stop}, chunk =>
        chunk.subarray(0, 5).equals(Buffer.from('POST ')),
      );
    },
  },
  ...documentServers.map(
    (kind): NetworkServer => ({
      name: kind.name,
      runs: [
        {check: 'chat/latest', action: 'keep-latest'},
        {check: 'chat/null-ids', action: 'assign-ids', selection: {reasons: ['duplicate-id']}},
      ],
      // The driver asks on its own, and when it likes, whether the server is still there.
      start: async () =>
        behind(
          url => openChat(url, kind),
          {...(await kind.start()), name: kind.name},
          chunk =>
            !chunk.includes('hello\0') && !chunk.includes('ismaster\0') && !chunk.includes('endSessions'),
        ),
    }),
  ),
];
