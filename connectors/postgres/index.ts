/** The PostgreSQL connector: forms, changes and errors on one side, SQL on the other. Connects when first asked. */
import type {
  ApplyOptions,
  Connector,
  ConnectorSettings,
  Found,
  Identity,
  Image,
  Kept,
  Outcome,
  Put,
  ReadOptions,
  Row,
  Settlement,
  Survey,
  TableShape,
  Unit,
} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {type Form, isNothing, type Tally} from '../../source/forms.js';
import type {GuardKeeper} from '../../source/guards.js';
import type {Json, Value, ValueMap} from '../../source/values.js';
import {applyUnits, settled} from './apply.js';
import {describeTable} from './describe.js';
import {fetchQuery} from './fetch.js';
import {guardKeeper} from './guards/index.js';
import {Known, tableNames} from './known.js';
import {type PutJob, putOnce} from './put.js';
import {PutQueue, putsAtOnce} from './put-queue.js';
import {valuesOfImage} from './rows.js';
import {formQuery, tallyQuery} from './select.js';
import {readNow} from './server.js';
import {type Run, Session} from './session.js';
import {questionLimitMs, Strain} from './strain.js';
import {tablesOfForm, tablesOfPut, tablesOfTally, tablesOfUnits} from './touched-tables.js';

export type PostgresSettings = ConnectorSettings & {
  url: string;
  /** What a naive timestamp that is set to now is told in; UTC unless given. */
  timeZone?: string;
};

const capabilities = {
  transactions: true,
  unitsPerApply: 500,
  changesPerTransaction: 100_000,
  groupsOnServer: true,
};

class PostgresConnector implements Connector {
  readonly kind = 'postgres';
  readonly store: string;
  readonly capabilities = capabilities;
  readonly guards: GuardKeeper;
  readonly #settings: PostgresSettings;
  readonly #session: Session;
  /** Connections for puts alone: many at once don't keep reads waiting. */
  #puts: Session | undefined;
  readonly #putQueue = new PutQueue();
  readonly #known: Known;
  readonly #strain = new Strain();

  constructor(settings: PostgresSettings) {
    this.store = settings.store;
    this.#settings = settings;
    this.#session = new Session(settings);
    this.#known = new Known(settings.store, ({standIn}) => {
      this.#session.canCancel = standIn === null;
    });
    const {store, readOnly} = settings;
    this.guards = guardKeeper({session: this.#session, known: this.#known, store, readOnly});
  }

  #refuseWrites(): void {
    if (!this.#settings.readOnly) return;
    throw new SesstuiError(
      'read-only',
      `${this.store} is read-only.`,
      'Nothing is written while readOnly or --read-only is set.',
    );
  }

  async server(signal?: AbortSignal) {
    // Asked anew: it is how a store that was down is found to be up again, and the same.
    const {id, version, standIn} = await this.#session.read(run => this.#known.freshServer(run), signal);
    return {id, version, standIn};
  }

  now(signal?: AbortSignal): Promise<number> {
    return this.#session.read(readNow, signal);
  }

  tables(signal?: AbortSignal): Promise<string[]> {
    return this.#session.read(tableNames, signal);
  }

  describe(name: string, signal?: AbortSignal): Promise<TableShape | null> {
    return this.#session.read(async run => {
      const table = await this.#known.table(name, run);
      return table && describeTable(table, run);
    }, signal);
  }

  survey(form: Form, options: ReadOptions & {offset: number; limit: number}): Promise<Survey> {
    return this.#session.read(async run => {
      const context = await this.#known.context(tablesOfForm(form), options.now, run);
      const query = formQuery(form, options, options, context);
      if (query.setting) await run(query.setting);
      const answer = await run(query.statement);
      const reader = query.reader();
      const found = [...answer.map(cells => reader.push(cells)), reader.end()].filter(
        item => item !== undefined,
      );
      return {...query.totals(answer[0]!), found};
    }, options.signal);
  }

  async *read(form: Form, options: ReadOptions): AsyncIterable<Found> {
    const {signal} = options;
    const context = await this.#session.read(
      run => this.#known.context(tablesOfForm(form), options.now, run),
      signal,
    );
    const query = formQuery(form, options, null, context);
    const reader = query.reader();
    for await (const page of this.#session.stream(query, options.full ?? false, signal)) {
      for (const cells of page) {
        const found = reader.push(cells);
        if (found) yield found;
      }
    }
    const last = reader.end();
    if (last) yield last;
  }

  tally(form: Tally, {now, signal}: ReadOptions): Promise<{value: Value; count: number}[]> {
    return this.#session.read(async run => {
      const query = tallyQuery(form, await this.#known.context(tablesOfTally(form), now, run));
      return (await run(query.statement)).map(query.read);
    }, signal);
  }

  fetch(name: string, identities: Identity[], signal?: AbortSignal): Promise<(Row | undefined)[]> {
    return this.#session.read(async run => {
      const context = await this.#known.context([name], 0, run);
      const query = fetchQuery(context.tables(name), identities, context);
      return query ? query.read(await run(query.statement)) : identities.map(() => undefined);
    }, signal);
  }

  /** What a transaction that writes needs to know, on the server's clock. */
  #prepare(tables: string[]) {
    return async (run: Run) => ({
      ...(await this.#known.context(tables, await readNow(run), run)),
      zone: this.#settings.timeZone ?? 'UTC',
    });
  }

  async apply(units: Unit[], options: ApplyOptions): Promise<Outcome[][]> {
    this.#refuseWrites();
    if (units.length === 0) return [];
    const prepare = this.#prepare(tablesOfUnits(units));
    return applyUnits(units, {session: this.#session, store: this.store, options, prepare});
  }

  async put(request: Put, options: PutJob['options']): Promise<Kept> {
    this.#refuseWrites();
    this.#puts ??= new Session(this.#settings, putsAtOnce);
    const session = this.#puts;
    session.canCancel = this.#session.canCancel;
    const prepare = this.#prepare(tablesOfPut(request));
    const name = isNothing(request.where) ? null : JSON.stringify([request.table, request.lock]);
    const work = () => putOnce(request, {session, store: this.store, options, prepare});
    return this.#putQueue.run(name, work, options.signal);
  }

  settled(token: Json): Promise<Settlement | null> {
    return settled((token as {transaction: string}).transaction, this.#session);
  }

  async strain(signal?: AbortSignal): Promise<string | null> {
    const limit = AbortSignal.timeout(2 * questionLimitMs);
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    const tables = [...this.#known.seen.values()].map(({oid}) => oid);
    const ask = async (run: Run) =>
      // A server of one backend has nobody else to take care of.
      (await this.#known.server(run)).standIn === null ? this.#strain.ask(run, tables) : null;
    return this.#session.read(ask, either).catch(() => null);
  }

  valuesOf(table: string, image: Image): ValueMap {
    return valuesOfImage(image, this.#known.seen.get(table));
  }

  async close(): Promise<void> {
    await Promise.all([this.#session.close(), this.#puts?.close()]);
  }
}

/** A connector for a PostgreSQL (13 or later). Nothing is connected until it is asked something. */
export const openPostgres = (settings: PostgresSettings): Connector => new PostgresConnector(settings);
