/**
 * The configured stores: a connector each, opened when it is first needed, its state for the screen, and the
 * rule that a store that is down is asked again after growing pauses. Reading is done through connections that
 * can not write; a writer is opened for a run and closed after it (safety S12).
 */

import {parseDuration} from '../config/duration.js';
import {nearest} from '../config/nearest.js';
import type {Config, StoreConfig} from '../config/schema.js';
import type {Connector, TableShape} from '../connector.js';
import {asSesstuiError, SesstuiError} from '../errors.js';
import type {StoreStatus} from '../types.js';

export type OpenConnector = (
  name: string,
  store: StoreConfig,
  settings: {environment: string | null; timeoutMs: number; readOnly: boolean},
) => Promise<Connector>;

const pauses = {first: 1000, most: 60_000};
const shapeLifetimeMs = 60_000;

export class Store {
  readonly name: string;
  readonly config: StoreConfig;
  status: StoreStatus;
  #open: (readOnly: boolean) => Promise<Connector>;
  #reader: Promise<Connector> | undefined;
  #shapes = new Map<string, {at: number; shape: TableShape}>();
  #changed: () => void;
  #downUntil = 0;
  #pause = pauses.first;
  #lastError: SesstuiError | undefined;

  constructor(
    name: string,
    config: StoreConfig,
    open: (readOnly: boolean) => Promise<Connector>,
    changed: () => void,
  ) {
    this.name = name;
    this.config = config;
    this.#open = open;
    this.#changed = changed;
    this.status = {store: name, kind: config.kind, state: 'connecting', text: 'connecting', standIn: null};
  }

  #reading(): Promise<Connector> {
    this.#reader ??= this.#open(true);
    return this.#reader;
  }

  /** The connector without asking the store anything: for what it knows by itself. */
  unasked(): Promise<Connector> {
    return this.#reading();
  }

  /** A connection that may write; the caller closes it. */
  openWriter(): Promise<Connector> {
    return this.#open(false);
  }

  /**
   * Calls the store and keeps its state. Within the pause after a failure it fails at once with the same error,
   * unless `insist`: a person who asks is not made to wait.
   */
  async ask<T>(
    question: (connector: Connector) => Promise<T>,
    options: {insist?: boolean; signal?: AbortSignal} = {},
  ): Promise<T> {
    if (!options.insist && this.#lastError && performance.now() < this.#downUntil) throw this.#lastError;
    try {
      const connector = await this.#reading();
      if (this.status.state !== 'up') {
        const {version, standIn} = await connector.server(options.signal);
        this.#setStatus({...this.status, state: 'up', text: version, standIn});
      }
      const answer = await question(connector);
      this.#lastError = undefined;
      this.#pause = pauses.first;
      return answer;
    } catch (error) {
      const fault = asSesstuiError(error);
      if (fault.code === 'unreachable' || fault.code === 'refused') this.#down(fault);
      throw fault;
    }
  }

  #down(fault: SesstuiError): void {
    this.#lastError = fault;
    this.#downUntil = performance.now() + this.#pause;
    this.#pause = Math.min(this.#pause * 2, pauses.most);
    this.#setStatus({...this.status, state: 'down', text: fault.message});
  }

  #setStatus(status: StoreStatus): void {
    this.status = status;
    this.#changed();
  }

  /** The shape of a table that has to be there, with the columns that have to be; `not-found` names the nearest. */
  async shape(
    connector: Connector,
    table: string,
    columns: string[],
    signal?: AbortSignal,
  ): Promise<TableShape> {
    const known = this.#shapes.get(table);
    let shape = known && performance.now() - known.at < shapeLifetimeMs ? known.shape : undefined;
    if (!shape) {
      shape = (await connector.describe(table, signal)) ?? undefined;
      if (!shape) throw await this.#noTable(connector, table, signal);
      this.#shapes.set(table, {at: performance.now(), shape});
    }
    const names = shape.columns?.map(({name}) => name);
    const missing = names ? columns.find(column => !names.includes(column.split('.')[0]!)) : undefined;
    if (missing !== undefined) {
      this.#shapes.delete(table);
      const near = nearest(missing, names!);
      throw new SesstuiError(
        'not-found',
        `store ${this.name}: table ${table} has no column "${missing}"${near ? `; the nearest is "${near}"` : ''}`,
        `Name the column in the configuration. ${table} has: ${names!.join(', ')}.`,
      );
    }
    return shape;
  }

  async #noTable(connector: Connector, table: string, signal?: AbortSignal): Promise<SesstuiError> {
    const tables = await connector.tables(signal);
    const near = nearest(table, tables);
    return new SesstuiError(
      'not-found',
      `store ${this.name} has no table "${table}"${near ? `; the nearest is "${near}"` : ''}`,
      tables.length > 0
        ? `Name the table in the configuration. There are: ${tables.slice(0, 20).join(', ')}.`
        : 'The store has no tables: is it the right database?',
    );
  }

  async close(): Promise<void> {
    const reader = await this.#reader?.catch(() => undefined);
    await reader?.close().catch(() => undefined);
  }
}

export const openStores = (
  config: Config,
  open: OpenConnector,
  timeoutMs: number | undefined,
  changed: () => void,
): Map<string, Store> =>
  new Map(
    Object.entries(config.stores).map(([name, store]) => {
      const opener = (readOnly: boolean): Promise<Connector> =>
        open(name, store, {
          environment: config.environment ?? null,
          timeoutMs: timeoutMs ?? parseDuration(store.timeout),
          readOnly,
        });
      return [name, new Store(name, store, opener, changed)];
    }),
  );
