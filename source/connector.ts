/**
 * The one narrow interface between the engine and the stores. A connector compiles query forms and changes to
 * its store's language (a pure half, tested without a server) and does the I/O. It maps its driver's errors to
 * `SesstuiError`; nothing else of a driver comes through here.
 */
import type {Form, Pred, Tally} from './forms.js';
import type {GuardKeeper} from './guards.js';
import type {Json, Value, ValueMap} from './values.js';

export type StoreKind = 'postgres' | 'mongodb' | 'dynamodb';

/**
 * Which row: by its key, or by the place it lies in when its table has no key (PostgreSQL's ctid, with a hash
 * of the whole row beside it). `at` is the store's own lossless JSON: PostgreSQL text, canonical Extended JSON,
 * AttributeValues. `canonicalJson` of an identity is the id of a mark.
 */
export type Identity = {by: 'key' | 'place'; at: Record<string, Json>};

/** A whole row in its store's lossless form, for backups. Only its connector reads it. */
export type Image = Json;

export type Row = {
  table: string;
  identity: Identity;
  /** Neutral values: what the form shows, or every attribute when read in full. */
  values: ValueMap;
  /** The form's tags that hold for this row. */
  tags: string[];
  /** Only when read in full: the lossless row, and a hash of it that changes when anything in the row does. */
  image?: Image;
  version?: string;
};

/** What a read yields: a row alone (rows form), or a group with all its rows and the names of what it has. */
export type Found = {key: Value[] | null; having: string[]; rows: Row[]};

/** A page of what a form finds, with how many there are in all and by tag (rows) or having name (groups). */
export type Survey = {total: number; counts: Record<string, number>; found: Found[]};

export type ReadOptions = {
  /** The store's now, in microseconds since 1970 (from `now()`); ages are counted from it. */
  now: number;
  signal?: AbortSignal;
  /** Read every attribute, and give each row its image and version. */
  full?: boolean;
  /** Only these rows (rows form), or only the groups that one of these rows is in (groups form; whole groups). */
  only?: Identity[];
};

export type Column = {name: string; type: string; nullable: boolean};

/** What a table is. `columns` is null where the store has no schema. */
export type TableShape = {
  table: string;
  columns: Column[] | null;
  /** The columns that identify a row; empty when only its place does. */
  key: string[];
  /** The key of some row, where keys may be of any type; undefined elsewhere, and where there is no row. */
  someKey?: Value;
  /** The store's own estimate of how many rows; null when it has none. */
  estimatedRows: number | null;
  /** Leading attributes of each index, so that a check can say whether it would scan. */
  indexes: {name: string; attributes: string[]; unique: boolean}[];
  /** Tables whose rows vanish when a row of this one does (ON DELETE CASCADE, SET NULL, SET DEFAULT). */
  cascades: string[];
  /** Why rows may be hidden from this user, or null. */
  hidden: string | null;
};

/** What an update sets an attribute to. A dotted name (`session.sessionId`) sets inside a map, document or jsonb. */
export type NewValue =
  | {value: Value}
  /** The store's now, in the attribute's own format (the format of the value that it replaces, where it is text or a number). `zone`: what a column without a time zone is told in. */
  | {now: true; zone?: string}
  /** NULL in PostgreSQL; the attribute is removed elsewhere. */
  | {remove: true};

/**
 * Which row of a group stays, decided again by the connector's caller under the lock.
 * `identity`: the one that the user chose. `none`: none needs to (purge).
 */
export type KeepRule =
  | {by: 'latest'; latestBy: string[]; canonicalId: string | null; idAttribute: string | null; zone: string}
  | {by: 'first'}
  | {by: 'identity'; identity: Identity}
  | {by: 'none'};

/**
 * One change to one row. `version` is what the plan saw: if the row is no longer that, the change is skipped.
 * `still` must hold as well when the change is made (a partner may have come since). A change that is
 * `required` takes its whole unit with it when it can't be made.
 */
export type Change = {
  table: string;
  identity: Identity;
  still?: Pred;
  required?: boolean;
  /** Of an undo: the unit and change of the run that it takes back. For the journal only. */
  source?: [unit: number, change: number];
  /** Set when the plan already knows that it will not be made, and why. */
  skip?: string;
} & (
  | {op: 'delete'; version: string; image: Image}
  | {op: 'update'; version: string; image: Image; set: Record<string, NewValue>}
  /** The whole row becomes `to` (undo), with some attributes set on top (rekey onto a row that is there). */
  | {op: 'update'; version: string; image: Image; to: Image; set?: Record<string, NewValue>}
  /** The row must not be there. */
  | {op: 'insert'; version: null; row: Image}
  /** A new row: `from` with some attributes set (rekey). The row must not be there. */
  | {op: 'insert'; version: null; from: Image; set: Record<string, NewValue>}
);

/**
 * Changes that belong together: one transaction where the store has them. With `group`, the group's rows are
 * locked first, the keeper is decided again, and at least one row stays (unless `keep` is none).
 */
export type Unit = {
  group: {table: string; where: Pred; keep: KeepRule; keeper: Identity | null} | null;
  changes: Change[];
};

/** The row as a change left it; null after a delete. `identity` differs from the planned one where the place did. */
export type After = {identity: Identity; version: string; image: Image; values: ValueMap} | null;

export type Outcome =
  | {result: 'applied'; after: After}
  /** `why`: `changed`, `gone`, `exists`, `last-of-group`, `keeper`, `protected`, `no-longer` (the condition), … */
  | {result: 'skipped'; why: string}
  | {result: 'failed'; error: string}
  /** The store was asked and did not answer: found out by reading again. */
  | {result: 'unknown'; error: string};

/** `in-progress`: it is being committed, and may be for long (a synchronous standby that is gone). */
export type Settlement = 'committed' | 'aborted' | 'in-progress';

export type ApplyOptions = {
  signal?: AbortSignal;
  /** The index of the row that stays; -1 for none. */
  decideKeeper: (rule: KeepRule, rows: Row[]) => number;
  /**
   * Called before a transaction that wrote is committed, with what `settled` tells it by and the outcomes that its
   * units will have. When it rejects, the transaction is rolled back.
   */
  prepared?: (transaction: Prepared) => Promise<void>;
};

/** `from`: the first unit of the call that is in the transaction; the outcomes are those of the units from there. */
export type Prepared = {token: Json; from: number; outcomes: Outcome[][]};

export type Capabilities = {
  /** Several rows change together or not at all. */
  transactions: boolean;
  /** How many units one call of `apply` may be given. */
  unitsPerApply: number;
  /** How many changes of a unit fit in one transaction (DynamoDB: 100). */
  changesPerTransaction: number;
  /** True where an aggregate question is answered by the server, false where rows are read and judged here. */
  groupsOnServer: boolean;
};

/**
 * A row that is to be there once, as an application writes it (the library). Where the store has locks, callers with
 * the same `lock` wait for each other, and `where` finds the row; elsewhere `create` holds the whole primary key and
 * the row is found by that (`unsupported` otherwise), so that two callers can't make two of it.
 */
export type Put = {
  table: string;
  /** What only this row fulfils; `{any: []}` for a row that is always new. */
  where: Pred;
  lock: string;
  /** Of several rows that fulfil it, the one that is updated; the others are left alone. */
  keep: KeepRule;
  create: Record<string, NewValue>;
  /** null leaves a row that is there as it is. Never holds a column of the key. */
  update: Record<string, NewValue> | null;
  /** Rows of other tables that are set in the same transaction, made where they are not there. */
  also?: {table: string; key: ValueMap; set: Record<string, NewValue>}[];
};

/** `row` is read in full, as it is after the put. */
export type Kept = {result: 'created' | 'updated' | 'kept'; row: Row};

export interface Connector {
  readonly store: string;
  readonly kind: StoreKind;
  readonly capabilities: Capabilities;
  /** Rules inside the database. What writes throws `read-only` on a connector that only reads. */
  readonly guards: GuardKeeper;
  /** Which server and database this is: the same for every client of it, different for another one. No credentials. */
  server(signal?: AbortSignal): Promise<{id: string; version: string; standIn: string | null}>;
  /** Microseconds since 1970 on the store's clock. */
  now(signal?: AbortSignal): Promise<number>;
  tables(signal?: AbortSignal): Promise<string[]>;
  /** null when there is no such table. */
  describe(table: string, signal?: AbortSignal): Promise<TableShape | null>;
  survey(form: Form, options: ReadOptions & {offset: number; limit: number}): Promise<Survey>;
  /** Everything a form finds, a page of the store at a time. */
  read(form: Form, options: ReadOptions): AsyncIterable<Found>;
  tally(form: Tally, options: ReadOptions): Promise<{value: Value; count: number}[]>;
  /**
   * Would the store read the whole table for this? null when nobody knows: then the table's indexes have to tell.
   * Absent where they always do. A cheap question, asked only of a table that is too large to be read.
   */
  scans?(form: Form | Tally, options: {now: number; signal?: AbortSignal}): Promise<boolean | null>;
  /** Rows by identity, in full and in the order asked for; undefined for one that is gone. */
  fetch(table: string, identities: Identity[], signal?: AbortSignal): Promise<(Row | undefined)[]>;
  /** One outcome for each change of each unit, in order. Never throws after it may have written. */
  apply(units: Unit[], options: ApplyOptions): Promise<Outcome[][]>;
  /** Throws `protected`/`refused`/… as the store does; nothing was written then. Repeating it is harmless. */
  put(
    request: Put,
    options: {decideKeeper: ApplyOptions['decideKeeper']; signal?: AbortSignal},
  ): Promise<Kept>;
  /**
   * In words why the server should be given a rest before the next write (lag, waiting for locks, throttling);
   * null when it shouldn't, or when nobody knows. One cheap question with a time limit of its own; never rejects.
   */
  strain?(signal?: AbortSignal): Promise<string | null>;
  /**
   * What became of a transaction that was prepared; null when the server does not know (any more). A connector that
   * has this calls `prepared` before every commit, so that a unit without it was not written.
   */
  settled?(token: Json, signal?: AbortSignal): Promise<Settlement | null>;
  /** The neutral values of an image of this store. */
  valuesOf(table: string, image: Image): ValueMap;
  close(): Promise<void>;
}

export type ConnectorSettings = {
  store: string;
  environment: string | null;
  /** A statement's time limit, milliseconds. */
  timeoutMs: number;
  readOnly: boolean;
};

/** JSON with sorted keys: equal identities give equal text. */
export const canonicalJson = (json: Json): string => {
  if (json === null || typeof json !== 'object') return JSON.stringify(json);
  if (Array.isArray(json)) return `[${json.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${canonicalJson(value)}`).join(',')}}`;
};

export const markOf = (table: string, identity: Identity): string => `${table} ${canonicalJson(identity.at)}`;
