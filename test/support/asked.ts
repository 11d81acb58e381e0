/** On which servers this run tests, and what they say they are. */
import {appendFileSync} from 'node:fs';

/**
 * Real servers instead of the embedded stores, which `npm test` has: `1` for all, or the names of those that this
 * machine has, with commas between them.
 */
const asked = process.env.SESSTUI_TEST_SERVERS ?? '';

export const onRealServers = asked !== '';

export const isAsked = (name: string): boolean => asked === '1' || asked.split(',').includes(name);

/** Tells `npm run test:servers` that a server was started, and what it calls itself. */
export const noteServer = (name: string, version: string): void => {
  const file = process.env.SESSTUI_SERVERS_SEEN;
  if (file) appendFileSync(file, `${JSON.stringify({name, version})}\n`);
};
