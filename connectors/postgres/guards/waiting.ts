/** Waiting for others' locks: who is in the way, and trying again with pauses. */
import pRetry from 'p-retry';
import {SesstuiError} from '../../../source/errors.js';
import type {Table} from '../catalogue.js';
import {isRetriable} from '../errors.js';
import type {Run, Session} from '../session.js';
import {type Limits, spoken} from './limits.js';

type Patience = {limits: Limits; signal?: AbortSignal; onProgress?: (text: string) => void};

const holders = `select a.pid::text, a.state, floor(extract(epoch from clock_timestamp() - a.xact_start))::text
  from pg_catalog.pg_stat_activity a
  where a.pid in (select l.pid from pg_catalog.pg_locks l
      where l.locktype = 'relation' and l.granted and l.relation = $1::oid
        and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
    and a.pid <> pg_catalog.pg_backend_pid()
  order by a.xact_start nulls last limit 1`;

const blockers = `select a.pid::text, a.state, floor(extract(epoch from clock_timestamp() - a.xact_start))::text
  from unnest(pg_catalog.pg_blocking_pids($1::int4)) b(pid) join pg_catalog.pg_stat_activity a using (pid)
  order by a.xact_start nulls last limit 1`;

/** `process 4711 (idle in transaction, for 42 s)`; null for nobody. Never the statement, which may hold secrets. */
const told = ([row]: (string | null)[][]): string | null => {
  if (!row) return null;
  const [pid, state, seconds] = row;
  const facts = [state, seconds !== null && `for ${seconds} s`].filter(Boolean).join(', ');
  return facts === '' ? `process ${pid}` : `process ${pid} (${facts})`;
};

/** Who has had a lock on the table for longest. */
const holderOf = async ({oid}: Table, run: Run): Promise<string | null> =>
  told(await run({text: holders, values: [oid]}));

/** Whom a backend waits for. */
export const blockerOf = async (processId: string, run: Run): Promise<string | null> =>
  told(await run({text: blockers, values: [processId]}));

/** Jittered pauses between tries: 50 ms at first, 2 s at most. */
const pauses = {minTimeout: 50, maxTimeout: 2_000, factor: 1.5, randomize: true};

/**
 * Repeats `work` while all that is wrong is a lock that was not granted, a deadlock or a serialization failure, for
 * `retryMs`; then throws `timeout` with who is in the way.
 */
export const withRetries = async <T>(
  work: () => Promise<T>,
  table: Table,
  session: Session,
  {limits, signal, onProgress}: Patience,
): Promise<T> => {
  let tries = 0;
  const began = performance.now();
  const attempt = (): Promise<T> => {
    tries++;
    if (tries > 1) onProgress?.(`waiting for a lock on ${table.name} (try ${tries})`);
    return work();
  };
  try {
    return await pRetry(attempt, {
      ...pauses,
      retries: Number.POSITIVE_INFINITY,
      signal,
      shouldRetry: ({error}) => isRetriable(error) && performance.now() - began < limits.retryMs,
    });
  } catch (error) {
    if (!isRetriable(error)) throw error;
    const holder = await session.read(run => holderOf(table, run), signal).catch(() => null);
    throw new SesstuiError(
      'timeout',
      `A lock on ${table.name} was not to be had in ${spoken(performance.now() - began)} (${tries === 1 ? '1 try' : `${tries} tries`}).`,
      holder ? `${holder} has one: wait until it is done, and try again.` : 'Try again later.',
      error,
    );
  }
};
