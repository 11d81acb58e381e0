/**
 * Connections and transactions. Every statement runs in an explicit transaction that begins by pinning what its
 * answer depends on: a pooler in between may hand out another session each time, and a server of one backend
 * (PGlite) takes turns between connections at the ends of transactions only.
 */
import pg from 'pg';
import type {ConnectorSettings} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {interrupted, isStatementError, mapError} from './errors.js';
import {fetchSizes} from './fetch-sizes.js';
import {type Access, beginText, patientOptions, sessionOptions} from './pins.js';
import type {Cells} from './rows.js';
import {ident, type Statement, withValues} from './sql.js';

export type Run = (statement: Statement) => Promise<Cells[]>;

/** All output as the server's text: pg's own parsers lose digits, bounds and microseconds. */
const asText = {getTypeParser: () => (value: string) => value};

const connectLimitMs = 10_000;

export class Session {
  readonly #settings: ConnectorSettings;
  readonly #config: pg.ClientConfig;
  readonly #connectionsAtMost: number;
  #pool: pg.Pool | undefined;
  #cursors = 0;
  /** Cancelling asks another backend to interrupt this one, which a server of one backend does not have. */
  canCancel = false;

  constructor(settings: ConnectorSettings & {url: string}, connections = 2) {
    this.#settings = settings;
    this.#connectionsAtMost = connections;
    const {timeoutMs, readOnly} = settings;
    this.#config = {
      connectionString: settings.url,
      application_name: 'sesstui',
      options: sessionOptions(timeoutMs, readOnly),
      connectionTimeoutMillis: Math.min(timeoutMs, connectLimitMs),
      // A server that doesn't answer at all; its own timeout comes first.
      query_timeout: timeoutMs + 2_000,
      keepAlive: true,
    };
  }

  #begin(access: Access): string {
    return beginText(this.#settings.readOnly ? 'read only' : access, this.#settings.timeoutMs);
  }

  get #connections(): pg.Pool {
    if (!this.#pool) {
      const pool = {max: this.#connectionsAtMost, idleTimeoutMillis: 30_000, allowExitOnIdle: true};
      this.#pool = new pg.Pool({...this.#config, ...pool});
      // A connection that breaks while nobody uses it is replaced by the next question.
      this.#pool.on('error', () => undefined);
      this.#pool.on('connect', client => client.on('error', () => undefined));
    }
    return this.#pool;
  }

  async #checkOut(signal?: AbortSignal): Promise<pg.PoolClient> {
    if (signal?.aborted) throw interrupted();
    const pending = this.#connections.connect();
    if (!signal) return pending;
    let abort: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(interrupted());
      signal.addEventListener('abort', abort, {once: true});
    });
    try {
      return await Promise.race([pending, aborted]);
    } catch (error) {
      pending.then(
        client => client.release(),
        () => undefined,
      );
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Interrupts what a backend is doing, by another connection; nobody waits for it. */
  async #cancel(processId: number): Promise<void> {
    const client = new pg.Client({...this.#config, connectionTimeoutMillis: 3_000});
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select pg_cancel_backend($1)', [processId]);
    } catch {
      // The statement's own timeout ends it then.
    } finally {
      client.end().catch(() => undefined);
    }
  }

  /** Until the returned function is called, an abort ends the client's statement and its connection. */
  #abortable(client: pg.ClientBase, signal?: AbortSignal): () => void {
    if (!signal) return () => undefined;
    const onAbort = (): void => {
      const {processID} = client as unknown as {processID: number | null};
      if (this.canCancel && processID) void this.#cancel(processID);
      (client as pg.Client).end().catch(() => undefined);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, {once: true});
    return () => signal.removeEventListener('abort', onAbort);
  }

  /** Runs `work` on a connection. It is thrown away after anything but a statement's own error. */
  async withClient<T>(work: (client: pg.PoolClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let client: pg.PoolClient | undefined;
    let settle: () => void = () => undefined;
    try {
      client = await this.#checkOut(signal);
      settle = this.#abortable(client, signal);
      const result = await work(client);
      settle();
      client.release(signal?.aborted === true);
      return result;
    } catch (error) {
      settle();
      const sound = client && isSound(error) && !signal?.aborted && (await rolledBack(client));
      client?.release(!sound);
      throw mapError(error, this.#settings.store, signal);
    }
  }

  /** One transaction that only reads. */
  read<T>(work: (run: Run) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.withClient(async client => {
      await client.query(this.#begin('read only'));
      const result = await work(runner(client));
      await client.query('commit');
      return result;
    }, signal);
  }

  /** Begins a transaction that writes; `withClient` gives the client, and committing is the caller's. */
  async beginWrite(client: pg.ClientBase): Promise<Run> {
    await client.query(this.#begin('read write'));
    return runner(client);
  }

  /**
   * The answer of a statement some rows at a time (fewer of large ones: fetch-sizes.ts), as of one moment. The cursor outlives its transaction
   * (WITH HOLD), so that none is open while the reader thinks or writes; it has a connection of its own.
   */
  async *stream(
    {statement, setting}: {statement: Statement; setting?: Statement},
    whole: boolean,
    signal?: AbortSignal,
  ): AsyncGenerator<Cells[]> {
    if (signal?.aborted) throw interrupted();
    const client = new pg.Client(this.#config);
    client.on('error', () => undefined);
    const cursor = ident(`sesstui_${process.pid}_${Math.random().toString(36).slice(2)}_${this.#cursors++}`);
    let settle: () => void = () => undefined;
    try {
      await client.connect();
      settle = this.#abortable(client, signal);
      await client.query(this.#begin('read only'));
      if (setting) await client.query(setting);
      await client.query(`declare ${cursor} no scroll cursor with hold for ${withValues(statement)}`);
      const sizes = fetchSizes(whole);
      let size = sizes.first;
      let rows = await runner(client)({text: `fetch ${size} from ${cursor}`, values: []});
      // A small answer never outlives its transaction.
      const small = rows.length < size;
      if (small) await client.query(`close ${cursor}`);
      await client.query('commit');
      if (rows.length > 0) yield rows;
      while (!small && rows.length === size) {
        size = sizes.after(rows);
        rows = await this.#fetchMore(client, `fetch ${size} from ${cursor}`);
        if (rows.length > 0) yield rows;
      }
      if (!small) await client.query(`close ${cursor}`);
    } catch (error) {
      throw mapError(error, this.#settings.store, signal);
    } finally {
      settle();
      // Left early: the cursor of a shared backend would stay.
      await client.query(`close ${cursor}`).catch(() => undefined);
      await client.end().catch(() => undefined);
    }
  }

  /** Output formats are the session's at the time of the FETCH, so they are pinned for it too. */
  async #fetchMore(client: pg.Client, fetch: string): Promise<Cells[]> {
    const text = `${this.#begin('read only')}; ${fetch}; commit`;
    const results = (await client.query({
      text,
      rowMode: 'array',
      types: asText,
    })) as unknown as pg.QueryArrayResult[];
    return results.find(result => result.command === 'FETCH')!.rows as Cells[];
  }

  /**
   * Runs `work` on a connection of its own, outside a transaction, without a limit on statements: for what builds an
   * index beside live writers, and for locks that the session holds. An abort cancels the statement that runs and
   * refuses the next one; `evenThen` is for tidying up. Errors come to `work` as the driver throws them.
   */
  async alone<T>(
    work: (run: Run, evenThen: Run) => Promise<T>,
    {lockMs, signal}: {lockMs: number; signal?: AbortSignal},
  ): Promise<T> {
    if (signal?.aborted) throw interrupted();
    const options = patientOptions(lockMs);
    const client = new pg.Client({...this.#config, options, query_timeout: undefined});
    client.on('error', () => undefined);
    let cancelling = Promise.resolve();
    let isRunning = false;
    const onAbort = (): void => {
      const {processID} = client as unknown as {processID: number | null};
      if (isRunning && this.canCancel && processID) cancelling = this.#cancel(processID);
    };
    const evenThen = runner(client);
    const run: Run = async statement => {
      if (signal?.aborted) throw interrupted();
      isRunning = true;
      try {
        return await evenThen(statement);
      } finally {
        isRunning = false;
        // It must not reach the next statement.
        await cancelling;
      }
    };
    try {
      await client.connect();
      signal?.addEventListener('abort', onAbort, {once: true});
      return await work(run, evenThen);
    } catch (error) {
      throw mapError(error, this.#settings.store, signal);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await client.end().catch(() => undefined);
    }
  }

  /** How a transaction that writes begins. */
  get writeText(): string {
    return this.#begin('read write');
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }
}

const runner =
  (client: pg.ClientBase): Run =>
  async statement =>
    (await client.query({...statement, rowMode: 'array', types: asText})).rows as Cells[];

/** The connection is as good as before: the server refused a statement, or this program gave up by itself. */
const isSound = (error: unknown): boolean => isStatementError(error) || error instanceof SesstuiError;

const rolledBack = (client: pg.ClientBase): Promise<boolean> =>
  client.query('rollback').then(
    () => true,
    () => false,
  );
