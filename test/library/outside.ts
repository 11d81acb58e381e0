/** Clients beside the library that write as an application does that knows nothing of it. */
import pg from 'pg';
import {openClient, type PostgresServer} from '../support/postgres.js';

/**
 * Repeats a step on a few connections of their own until the work is done. What a guard refuses them, or a deadlock
 * ends, is the lot of such a client; anything else fails the test.
 */
export const besideUntil = async (
  server: PostgresServer,
  step: (client: pg.Client, count: number) => Promise<unknown>,
  work: () => Promise<unknown>,
): Promise<{tried: number; refused: number}> => {
  const told = {tried: 0, refused: 0};
  let done = false;
  const write = async (client: pg.Client): Promise<void> => {
    while (!done) {
      told.tried++;
      await step(client, told.tried).catch(error => {
        if (!(error instanceof pg.DatabaseError && ['23505', '40P01'].includes(error.code!))) throw error;
        told.refused++;
      });
    }
  };
  const clients = await Promise.all([1, 2, 3].map(() => openClient(server)));
  const writing = Promise.all(clients.map(write));
  try {
    await work();
  } finally {
    done = true;
    await writing.finally(() => Promise.all(clients.map(client => client.end())));
  }
  return told;
};
