/** A run on a store's real server with little data, and how an independent client sees that data. */

/** Each table's rows, whole, by the identity that a backup gives them (`keyOf`). */
export type Rows = Record<string, Map<string, string>>;

export type Scenario = {
  /** `rides cancel` */
  name: string;
  /** With its version. */
  server: string;
  check: string;
  action: string;
  flags?: string[];
  /** The configuration's `stores`. */
  stores: Record<string, unknown>;
  /** Makes the tables anew. */
  reset(): Promise<void>;
  rows(): Promise<Rows>;
  /** Resolves when the store has ended whatever a dead client had asked for. */
  settled?(): Promise<void>;
  /** The key in `rows` of a backup's identity. */
  keyOf(at: Record<string, unknown>): string;
  /** A run may touch this row; what it may not is protected, active, healthy or a background session. */
  mayChange(table: string, key: string, text: string): boolean;
  /** Which group a row is of: a group never loses its last row. null: the row may go. */
  groupOf(table: string, key: string, text: string): string | null;
};

/** Rows that are not as they were, by table and key. */
export const changedRows = (before: Rows, after: Rows): {table: string; key: string}[] =>
  Object.keys(before).flatMap(table => {
    const [was, is] = [before[table]!, after[table]!];
    return [...new Set([...was.keys(), ...is.keys()])]
      .filter(key => was.get(key) !== is.get(key))
      .map(key => ({table, key}));
  });

/** The same rows, wherever they lie: texts alone, sorted. */
export const textsOf = (rows: Rows): Record<string, string[]> =>
  Object.fromEntries(Object.entries(rows).map(([table, byKey]) => [table, [...byKey.values()].sort()]));
