import type {Engine, Json} from './dynamodb-engine.js';
import type {Lock} from './dynamodb-lock.js';

/** How many rows go into a new index between two turns of everybody else. */
const ROWS_AT_ONCE = 200;

/** Where the items of a table lie. */
export const itemRange = (table: string) => ({gte: `item-${table}~`, lt: `item-${table}~\uffff`});

/**
 * Writes the entries of the table's only index for every item, some at a time, with everybody else's turns in between:
 * they write its entries of their own rows. An item whose key has another type stays out.
 */
export const fill = async (engine: Engine, table: Json, lock: Lock): Promise<void> => {
  const types = new Map<string, string>(
    table.AttributeDefinitions.map(({AttributeName, AttributeType}: Json) => [AttributeName, AttributeType]),
  );
  const keys: string[] = table.GlobalSecondaryIndexes[0].KeySchema.map(
    ({AttributeName}: Json) => AttributeName,
  );
  const belongs = (item: Json): boolean => keys.every(key => item[key]?.[types.get(key)!] !== undefined);
  const {gte, lt} = itemRange(table.TableName);
  const some = async (after: string): Promise<string | null> => {
    let last: string | null = null;
    for await (const [key, item] of engine.store.db.iterator({gt: after, lt, limit: ROWS_AT_ONCE})) {
      last = key;
      if (belongs(item)) await addEntries(engine, table, item);
    }
    return last;
  };
  for (let after: string | null = gte; after !== null; ) {
    const from: string = after;
    after = await lock.alone(() => some(from));
  }
};

const addEntries = (engine: Engine, table: Json, item: Json): Promise<void> =>
  new Promise((resolve, reject) =>
    engine.db.updateIndexes(engine.store, table, undefined, item, error =>
      error ? reject(error) : resolve(),
    ),
  );
