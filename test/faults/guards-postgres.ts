/** Guards under faults on PostgreSQL: the registry's, the gym's and the rides'. */
import type pg from 'pg';
import {catalogueDump} from '../support/catalogue-dump.js';
import {openClient, type PostgresServer, startServer} from '../support/postgres.js';
import {type GuardStage, guardedOf} from './guards-stage.js';
import {openPostgresScenarios} from './scenarios-postgres.js';

export type PostgresStage = GuardStage & {url: string; client: pg.Client};

export const openPostgresStage = async (
  start: () => Promise<PostgresServer> = startServer,
): Promise<PostgresStage> => {
  const server = await start();
  const {scenarios, stop} = await openPostgresScenarios(async () => server);
  const client = await openClient(server);
  return {
    server: scenarios[0]!.server,
    url: server.url,
    client,
    checks: scenarios.map(({check}) => check),
    async fresh(check) {
      const scenario = scenarios.find(found => found.check === check)!;
      await client.query('drop schema public cascade; create schema public');
      await scenario.reset();
      return guardedOf(scenario, () => catalogueDump(client));
    },
    // An old snapshot holds up nothing but the end of a build: no lock on the table is taken.
    async hold() {
      const holder = await openClient(server);
      await holder.query('begin isolation level repeatable read; select from pg_class limit 1');
      return () => holder.end();
    },
    async stop() {
      await client.end();
      await stop();
    },
  };
};
