/** The servers that two operators meet on, with the systems on each and its share of the rounds. */
import {dynamodbServers} from '../support/dynamodb.js';
import {startServer} from '../support/postgres.js';
import {type DocumentServer, documentServers} from './document-servers.js';
import {oneWriteAtATime} from './one-write-at-a-time.js';
import {openKite} from './operators-dynamodb.js';
import {openChat} from './operators-mongodb.js';
import {openKeyed, openKeyless} from './operators-postgres.js';
import type {System} from './operators-system.js';

export type OperatorsServer = {
  name: string;
  start(): Promise<{systems: System[]; stop(): Promise<void>}>;
  /** How many rounds are played here when `asked` were asked for; null: nobody asked. */
  share(asked: number | null): number;
};

const chatOn = (kind: DocumentServer): OperatorsServer => ({
  name: kind.name,
  async start() {
    const server = await kind.start();
    if (kind.hasTransactions) return {systems: [await openChat(server.url, kind)], stop: server.stop};
    const proxy = await oneWriteAtATime(server.url);
    return {
      systems: [await openChat(proxy.url, kind)],
      stop: async () => {
        await proxy.stop();
        await server.stop();
      },
    };
  },
  share: asked => (asked === null ? 30 : Math.ceil(asked / 2)),
});

export const servers: OperatorsServer[] = [
  {
    name: 'PostgreSQL 15',
    async start() {
      const server = await startServer();
      const systems = [
        await openKeyed(server.url, 'PostgreSQL 15'),
        await openKeyless(server.url, 'PostgreSQL 15'),
      ];
      return {systems, stop: server.stop};
    },
    share: asked => asked ?? 100,
  },
  {
    name: 'DynamoDB Local',
    async start() {
      const kind = dynamodbServers().find(({name}) => name === 'DynamoDB Local')!;
      const server = await kind.start();
      return {systems: [await openKite(server.endpoint, kind.name)], stop: server.stop};
    },
    share: asked => (asked === null ? 30 : Math.ceil(asked / 2)),
  },
  ...documentServers.map(chatOn),
];
