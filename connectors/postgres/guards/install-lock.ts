/** One install or uninstall at a time on a table, whoever runs it. */
import {createHash} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';
import {SesstuiError} from '../../../source/errors.js';
import type {Table} from '../catalogue.js';
import type {Run} from '../session.js';
import type {Limits} from './limits.js';

/** A step's lock is held by the session that carries it out; the whole install's by one that does nothing else. */
type Locked = 'step' | 'whole';

const names: Record<Locked, string> = {step: 'sesstui guards', whole: 'sesstui guards, whole'};

const numberOf = (table: Table, locked: Locked): string =>
  createHash('sha256').update(`${names[locked]}\0${table.sql}`).digest().readBigInt64BE().toString();

const betweenMs = 100;

/**
 * Takes the table's lock for the session of `run`, which holds it until it ends: a server that goes on building after
 * its client was killed holds it too. Throws `usage` when another install has it for longer than `otherMs`.
 */
export const takeInstallLock = async (
  table: Table,
  run: Run,
  {otherMs}: Limits,
  {locked, signal}: {locked: Locked; signal?: AbortSignal},
): Promise<void> => {
  const until = performance.now() + otherMs;
  for (;;) {
    const [row] = await run({
      text: 'select pg_try_advisory_lock($1::int8)',
      values: [numberOf(table, locked)],
    });
    if (row![0] === 't') return;
    if (performance.now() >= until)
      throw new SesstuiError(
        'usage',
        `Another install is under way on ${table.name}.`,
        'Wait until it is done; a server that still builds an index for one that was killed goes on for a while.',
      );
    await pause(betweenMs, undefined, {signal});
  }
};

export const leaveInstallLock = async (table: Table, run: Run, locked: Locked): Promise<void> => {
  // The end of the connection gives it back too, a moment later.
  await run({text: 'select pg_advisory_unlock($1::int8)', values: [numberOf(table, locked)]}).catch(
    () => undefined,
  );
};

/** A server that is asked to (14 and later) stops what it does for a client that is gone. Elsewhere it goes on to the end. */
export const stopWithClient = async (run: Run): Promise<void> => {
  await run({
    text: "select pg_catalog.set_config('client_connection_check_interval', '1000', false)",
    values: [],
  }).catch(() => undefined);
};
