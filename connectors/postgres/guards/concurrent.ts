/** Building an index beside live writers, and dropping what an interrupted build left. */
import pg from 'pg';
import {SesstuiError} from '../../../source/errors.js';
import {isRetriable} from '../errors.js';
import type {Run, Session} from '../session.js';
import {ident} from '../sql.js';
import {type Limits, spoken} from './limits.js';
import {type Progress, watch} from './progress.js';
import type {Place, Task} from './rule.js';

const statement = (text: string, values: unknown[] = []) => ({text, values});

/** Rows are in the way: of a unique index, or of a constraint. */
export const isViolation = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code ?? '').startsWith('23');

/** A value does not fit into a page of an index. */
const isTooLong = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '54000';

const isThere = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '42P07';

const isLockTimeout = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === '55P03';

/** Whether an index can be used and is kept up; null where there is none of the name. */
const indexState = async (schema: string, name: string, run: Run): Promise<'valid' | 'broken' | null> => {
  const [row] = await run(
    statement(
      `select i.indisvalid and i.indisready and i.indislive from pg_catalog.pg_index i
       join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1::text and c.relname = $2::text`,
      [schema, name],
    ),
  );
  if (!row) return null;
  return row[0] === 't' ? 'valid' : 'broken';
};

export type Builder = {
  session: Session;
  run: Run;
  /** Works after an abort too. */
  evenThen: Run;
  /** Of the connection that builds; null where nobody else can look at it. */
  processId: string | null;
  limits: Limits;
};

/** Drops a broken index of the name, if there is one. A valid one is left alone. */
const dropBroken = async (schema: string, name: string, run: Run): Promise<void> => {
  if ((await indexState(schema, name, run)) === 'broken')
    await run(statement(`drop index concurrently if exists ${ident(schema)}.${ident(name)}`));
};

/** How long an install that is interrupted still waits for others. */
const partingMs = 5_000;

/** After a failed build. What can't be removed now is removed by the next install or uninstall. */
const removeRest = async (
  schema: string,
  name: string,
  {run, evenThen}: Builder,
  {signal, onProgress}: Progress,
): Promise<void> => {
  onProgress?.('removing what there is of the index');
  await dropBroken(schema, name, run).catch(async () => {
    if (!signal?.aborted) return;
    await evenThen(statement(`set lock_timeout = ${partingMs}`)).catch(() => undefined);
    await dropBroken(schema, name, evenThen).catch(() => undefined);
  });
};

const attempts = 3;

/**
 * Builds the index of a task. `again` when rows are in its way: then nothing of it is left. Throws `timeout` when
 * another transaction is in the way for too long.
 */
export const buildIndex = async (
  task: Task,
  {table}: Place,
  builder: Builder,
  options: Progress,
): Promise<'done' | 'again'> => {
  const {session, run, processId, limits} = builder;
  const name = task.index!;
  const schema = task.schema ?? table.schema;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const stop = watch(processId, session, limits, options);
    try {
      await dropBroken(schema, name, run);
      if ((await indexState(schema, name, run)) === 'valid') return 'done';
      options.onProgress?.('building the index');
      for (const text of task.statements) await run(statement(text));
      if ((await indexState(schema, name, run)) === 'valid') return 'done';
    } catch (error) {
      const blocker = stop();
      // Somebody else has built it meanwhile.
      if (isThere(error) && (await indexState(schema, name, run)) === 'valid') return 'done';
      await removeRest(schema, name, builder, options);
      if (isViolation(error)) return 'again';
      if (isTooLong(error))
        throw new SesstuiError(
          'unsupported',
          `A row of ${table.name} has values too long for an index (about 2,700 bytes).`,
          'Look for the longest values of the columns that the guard is on.',
          error,
        );
      if (!isRetriable(error) || options.signal?.aborted) throw error;
      // Of what may pass, a deadlock is tried again; the time for locks has been waited for.
      if (attempt === attempts || isLockTimeout(error))
        throw new SesstuiError(
          'timeout',
          `The index ${name} could not be built in ${spoken(limits.concurrentMs)}: other transactions were in its way.`,
          blocker ? `${blocker} is: end it, or wait until it is done, and try again.` : 'Try again later.',
          error,
        );
    } finally {
      stop();
    }
  }
  throw new SesstuiError(
    'timeout',
    `The index ${name} was not valid after ${attempts} builds.`,
    'Somebody else may be building or dropping it; try again later.',
  );
};
