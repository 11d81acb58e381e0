/** What the three PostgreSQL applications' clients have in common. */
import type pg from 'pg';
import {demoPostgresClient} from './seed-load-postgres.js';

/**
 * A connection that a step may use. Every statement stands alone: the embedded server has one backend, which an
 * open transaction would keep from everybody else.
 */
export const connectPostgres = (url: string) => async (): Promise<pg.Client> => {
  const client = demoPostgresClient(url);
  // Without a listener a connection that the server closes would end the process.
  client.on('error', () => {});
  await client.connect();
  return client;
};

/** Ends a connection without waiting for what it is doing. */
export const disconnectPostgres = async (client: pg.Client): Promise<void> => {
  const ended = client.end();
  const {stream} = (client as unknown as {connection: {stream: {destroy(): void}}}).connection;
  stream.destroy();
  await ended;
};

/** A constraint, a trigger or a policy refused the row (SQLSTATE classes 23, P0, 42501). */
export const isPostgresRefusal = (error: unknown): boolean => {
  const code = (error as {code?: unknown}).code;
  return typeof code === 'string' && (/^(?:23|P0)...$/.test(code) || code === '42501');
};
