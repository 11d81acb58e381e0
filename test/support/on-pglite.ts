/** An embedded PostgreSQL for the tests of a file. */
import type pg from 'pg';
import {afterAll, beforeAll} from 'vitest';
import {openClient, type PostgresServer, startPglite} from './postgres.js';

/** Started, with a client, before the file's first test, and stopped after its last. */
export const onPglite = (started: (server: PostgresServer, client: pg.Client) => void): void => {
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const server = await startPglite();
    stop = () => server.stop();
    const client = await openClient(server);
    stop = async () => {
      await client.end();
      await server.stop();
    };
    started(server, client);
  });
  afterAll(() => stop());
};
