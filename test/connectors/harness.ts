/** What the connector contract suite needs of a store: a connector, and a client that is independent of it. */
import type {Connector} from '../../source/connector.js';
import type {Json, Value, ValueMap} from '../../source/values.js';

/** The types of attribute that the suite uses. `texts` is an array of text. */
export type ColumnType = 'text' | 'int' | 'bool' | 'time' | 'texts';

export type Harness = {
  name: string;
  connector: Connector;
  /**
   * Makes a table and fills it. An attribute that a row lacks is missing where the store knows missing, NULL in
   * PostgreSQL; `null` is null. `time` values are `Time`. Whatever was there under that name is replaced.
   */
  load(table: string, columns: Record<string, ColumnType>, key: string[], rows: ValueMap[]): Promise<void>;
  /** Raw values and their types as an independent client sees them, sorted. */
  dump(table: string): Promise<Json[]>;
  /** An independent writer: sets attributes of the row with this key, now. */
  poke(table: string, key: Record<string, Value>, values: ValueMap): Promise<void>;
  drop(table: string): Promise<void>;
  close(): Promise<void>;
  /** A connector of the same kind to a place where nothing listens; without it, unreachability is not tested. */
  elsewhere?: () => Connector;
  /** Names of the suite's tests that this store can't pass, each with a reason in a comment of its harness. */
  limits?: {skip?: string[]};
};
