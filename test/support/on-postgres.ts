/** A PostgreSQL for the tests of a file. */
import type pg from 'pg';
import {afterAll, beforeAll} from 'vitest';
import {openClient, type PostgresServer, startPglite} from './postgres.js';

type Started = (server: PostgresServer, client: pg.Client) => void;

/** Started, with a client, before the first test of the file (or of the `describe` around it), and stopped after the last. */
export const onPostgres = (start: () => Promise<PostgresServer>, started: Started): void => {
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const server = await start();
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

/** The same on the embedded one. */
export const onPglite = (started: Started): void => onPostgres(startPglite, started);
