/** What a connector knows of its server and tables: looked up where it must be fresh, else as last seen. */
import {noSuchTable, readTable, type Table, tableStatement, tablesStatement} from './catalogue.js';
import type {Context} from './query.js';
import {readServer, type Server} from './server.js';
import type {Run} from './session.js';

/** The names of all tables. */
export const tableNames = async (run: Run): Promise<string[]> =>
  (await run(tablesStatement)).map(([name]) => name!);

/** One for each connector; a server is asked once, tables anew for each question. */
export class Known {
  readonly #store: string;
  readonly #onServer: (server: Server) => void;
  #server: Server | undefined;
  readonly #tables = new Map<string, Table>();

  /** `onServer` is told of the server each time that it was asked. */
  constructor(store: string, onServer: (server: Server) => void) {
    this.#store = store;
    this.#onServer = onServer;
  }

  /** Asked once. */
  async server(run: Run): Promise<Server> {
    if (!this.#server) {
      this.#server = await readServer(run);
      this.#onServer(this.#server);
    }
    return this.#server;
  }

  /** The server asked anew: it may be up again, or be another one. */
  freshServer(run: Run): Promise<Server> {
    this.#server = undefined;
    return this.server(run);
  }

  /** Looked up each time, as a backup must hold the columns that there are now; null where there is none. */
  async table(name: string, run: Run): Promise<Table | null> {
    const [row] = await run(tableStatement(name));
    if (!row) return null;
    const table = readTable(name, row[0]!);
    this.#tables.set(name, table);
    return table;
  }

  /** What statements on these tables need to know; throws as `noSuchTable` says where there is none. */
  async context(names: string[], now: number, run: Run): Promise<Context> {
    const {lower} = await this.server(run);
    const found = new Map<string, Table>();
    for (const name of new Set(names)) {
      const table = await this.table(name, run);
      if (!table) throw noSuchTable(name, this.#store, await tableNames(run));
      found.set(name, table);
    }
    return {tables: name => found.get(name)!, lower, now};
  }

  /** The tables as last seen, for what is shown or measured without asking for them. */
  get seen(): ReadonlyMap<string, Table> {
    return this.#tables;
  }
}
