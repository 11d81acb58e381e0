import {type Engine, invalid, type Json, type Reply} from './dynamodb-engine.js';

const MAX_ITEMS = 100;
const KINDS = ['ConditionCheck', 'Delete', 'Put', 'Update'] as const;

type Kind = (typeof KINDS)[number];
/** One operation of a transaction, with the item's key and the item as it was before. */
export type Step = {kind: Kind; params: Json; key: Json; before: Json | undefined};

/** Whatever ends a transaction before it starts: a validation error or a table that isn't there. */
export class Refusal extends Error {
  constructor(readonly reply: Reply) {
    super('refused');
  }
}

/** The body of an answer that has to be good. */
export const demand = ({status, body}: Reply): Json => {
  if (status !== 200) throw new Refusal({status, body});
  return body;
};

/** The operations of a request, from one to a hundred. */
export const checkedItems = (params: Json): Json[] => {
  const items = params.TransactItems;
  const problem = !Array.isArray(items)
    ? "Value null at 'transactItems' failed to satisfy constraint: Member must not be null"
    : items.length === 0
      ? "Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
      : items.length > MAX_ITEMS
        ? `Value '[${items.length} items]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to ${MAX_ITEMS}`
        : undefined;
  if (problem) throw new Refusal(invalid(`1 validation error detected: ${problem}`));
  return items as Json[];
};

/** What is to be done, each step with its key and the item as it is now. */
export const steps = async (engine: Engine, request: Json): Promise<Step[]> => {
  const schemas = new Map<string, string[]>();
  const seen = new Set<string>();
  const result: Step[] = [];
  for (const item of checkedItems(request)) {
    const kinds = KINDS.filter(kind => item[kind]);
    if (kinds.length !== 1)
      throw new Refusal(invalid('TransactItems can only contain one of Check, Put, Update or Delete'));
    const kind = kinds[0]!;
    const {ReturnValuesOnConditionCheckFailure: _, ...params} = item[kind] as Json;
    if (!schemas.has(params.TableName))
      schemas.set(params.TableName, await keyNames(engine, params.TableName));
    const key: Json = kind === 'Put' ? keyOf(params.Item ?? {}, schemas.get(params.TableName)!) : params.Key;
    const {Item: before} = demand(
      await engine.execute('GetItem', {TableName: params.TableName, Key: key, ConsistentRead: true}),
    );
    const identity = JSON.stringify([params.TableName, Object.entries(key).sort()]);
    if (seen.has(identity))
      throw new Refusal(invalid('Transaction request cannot include multiple operations on one item'));
    seen.add(identity);
    result.push({kind, params, key, before});
  }
  return result;
};

/** The names of a table's key attributes. */
export const keyNames = async (engine: Engine, table: string): Promise<string[]> => {
  const {Table} = demand(await engine.execute('DescribeTable', {TableName: table}));
  return Table.KeySchema.map(({AttributeName}: Json) => AttributeName);
};

export const keyOf = (item: Json, names: string[]): Json => {
  const missing = names.find(name => !item[name]);
  if (missing)
    throw new Refusal(
      invalid(`One or more parameter values were invalid: Missing the key ${missing} in the item`),
    );
  return Object.fromEntries(names.map(name => [name, item[name]]));
};
