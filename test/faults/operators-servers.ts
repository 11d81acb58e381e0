/** The servers that two operators meet on, with the systems on each and its share of the rounds. */
import {startServer} from '../support/postgres.js';
import {openKeyed, openKeyless} from './operators-postgres.js';
import type {System} from './operators-system.js';

export type OperatorsServer = {
  name: string;
  start(): Promise<{systems: System[]; stop(): Promise<void>}>;
  /** How many rounds are played here when `asked` were asked for; null: nobody asked. */
  share(asked: number | null): number;
};

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
];
