/** Keeps tables for one install or uninstall as a whole, so that nobody else comes in between its steps. */
import {SesstuiError} from '../../../source/errors.js';
import type {Table} from '../catalogue.js';
import type {Run, Session} from '../session.js';
import {leaveInstallLock, takeInstallLock} from './install-lock.js';
import type {Limits} from './limits.js';

export type Hold = {
  /** Throws `unreachable` when the connection that holds the tables is gone, and the tables with it. */
  check(): Promise<void>;
  release(): Promise<void>;
};

/** It has nothing to do for as long as an index is built. */
const stayIdle = async (run: Run): Promise<void> => {
  // From version 14.
  await run({text: "select pg_catalog.set_config('idle_session_timeout', '0', false)", values: []}).catch(
    () => undefined,
  );
};

const checked = async (run: Run, store: string): Promise<void> => {
  try {
    await run({text: 'select', values: []});
  } catch (error) {
    throw new SesstuiError(
      'unreachable',
      `${store}: the connection that kept the table for this install was lost.`,
      'Install or uninstall again: it goes on from what is there.',
      error,
    );
  }
};

/**
 * Throws `usage` when another install has one of the tables, or a server still carries out a step of one that was
 * killed: so the lock of the steps is another one, and is only looked at here.
 */
export const holdTables = (
  tables: Table[],
  {session, store, limits}: {session: Session; store: string; limits: Limits},
  signal?: AbortSignal,
): Promise<Hold> => {
  let release = (): void => undefined;
  const released = new Promise<void>(done => {
    release = done;
  });
  return new Promise((resolve, reject) => {
    const ended = session.alone(
      async (run, evenThen) => {
        await stayIdle(run);
        for (const table of tables) {
          await takeInstallLock(table, run, limits, {locked: 'whole', signal});
          await takeInstallLock(table, run, limits, {locked: 'step', signal});
          await leaveInstallLock(table, evenThen, 'step');
        }
        resolve({
          check: () => checked(evenThen, store),
          async release() {
            release();
            await ended.catch(() => undefined);
          },
        });
        await released;
        for (const table of tables) await leaveInstallLock(table, evenThen, 'whole');
      },
      {lockMs: limits.concurrentMs, signal},
    );
    ended.catch(reject);
  });
};
