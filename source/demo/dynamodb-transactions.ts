import {type Engine, failure, invalid, type Json, type Reply} from './dynamodb-engine.js';

const MAX_ITEMS = 100;
const TOKEN_LIFETIME_MS = 10 * 60_000;
const KINDS = ['ConditionCheck', 'Delete', 'Put', 'Update'] as const;

type Kind = (typeof KINDS)[number];
type Step = {kind: Kind; params: Json; key: Json; before: Json | undefined};
type Reason = {Code: string; Message?: string; Item?: Json};

/** Whatever ends a transaction before it starts: a validation error or a table that isn't there. */
class Refusal extends Error {
  constructor(readonly reply: Reply) {
    super('refused');
  }
}

export type Transactions = {write(params: Json): Promise<Reply>; read(params: Json): Promise<Reply>};

/**
 * TransactWriteItems and TransactGetItems on an engine that has neither. The caller must see to it that nothing
 * else runs meanwhile: a write is tried for real, item by item, and what was done is put back when one is refused,
 * so that every condition and update expression is judged by the engine itself.
 */
export const createTransactions = (engine: Engine): Transactions => {
  const tokens = new Map<string, {request: string; at: number; reply: Reply}>();

  const write = async (params: Json): Promise<Reply> => {
    const {ClientRequestToken: token, ...request} = params;
    const text = JSON.stringify(request);
    forgetOld(tokens);
    const known = token === undefined ? undefined : tokens.get(token);
    if (known && known.request !== text)
      return failure(
        'IdempotentParameterMismatchException',
        'The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical',
      );
    if (known) return known.reply;
    const reply = await refusable(async () => commit(engine, await steps(engine, request), request));
    if (token !== undefined && reply.status === 200)
      tokens.set(token, {request: text, at: Date.now(), reply});
    return reply;
  };

  const read = (params: Json): Promise<Reply> =>
    refusable(async () => {
      const items = checkedItems(params);
      const responses = await Promise.all(
        items.map(async ({Get}) => {
          if (!Get) throw new Refusal(invalid('Invalid request: each item must hold one Get'));
          return demand(await engine.execute('GetItem', {...Get, ConsistentRead: true}));
        }),
      );
      const body: Json = {Responses: responses.map(({Item}) => (Item ? {Item} : {}))};
      const tables = items.map(({Get}) => Get.TableName);
      const consumed = consumedCapacity(
        params,
        tables,
        responses.map(({Item}) => bytesOf(Item)),
        4096,
      );
      return {status: 200, body: consumed ? {...body, ConsumedCapacity: consumed} : body};
    });

  return {write, read};
};

const refusable = async (work: () => Promise<Reply>): Promise<Reply> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    throw error;
  }
};

const forgetOld = (tokens: Map<string, {at: number}>): void => {
  for (const [token, {at}] of tokens) if (Date.now() - at > TOKEN_LIFETIME_MS) tokens.delete(token);
};

const demand = ({status, body}: Reply): Json => {
  if (status !== 200) throw new Refusal({status, body});
  return body;
};

const checkedItems = (params: Json): Json[] => {
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
const steps = async (engine: Engine, request: Json): Promise<Step[]> => {
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

const keyNames = async (engine: Engine, table: string): Promise<string[]> => {
  const {Table} = demand(await engine.execute('DescribeTable', {TableName: table}));
  return Table.KeySchema.map(({AttributeName}: Json) => AttributeName);
};

const keyOf = (item: Json, names: string[]): Json => {
  const missing = names.find(name => !item[name]);
  if (missing)
    throw new Refusal(
      invalid(`One or more parameter values were invalid: Missing the key ${missing} in the item`),
    );
  return Object.fromEntries(names.map(name => [name, item[name]]));
};

const commit = async (engine: Engine, all: Step[], request: Json): Promise<Reply> => {
  const reasons: Reason[] = [];
  const done: Step[] = [];
  let refusal: Reply | undefined;
  for (const [index, step] of all.entries()) {
    const reply = await attempt(engine, step);
    if (reply.status === 200) done.push(step);
    else if (isReason(reply)) {
      const wanted =
        request.TransactItems[index][step.kind].ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
      reasons[index] = reasonOf(reply, wanted ? step.before : undefined);
      continue;
    } else {
      refusal = reply;
      break;
    }
    reasons[index] = {Code: 'None'};
  }
  if (!refusal && done.length === all.length) {
    const tables = all.map(({params}) => params.TableName);
    const sizes = all.map(({params, before}) => Math.max(bytesOf(params.Item), bytesOf(before)));
    const consumed = consumedCapacity(request, tables, sizes, 1024);
    return {status: 200, body: consumed ? {ConsumedCapacity: consumed} : {}};
  }
  for (const step of done.reverse()) await putBack(engine, step);
  return refusal ?? cancelled(reasons);
};

/** Tries a step for real. A check becomes a write of what is there already, or a removal of what isn't. */
const attempt = (engine: Engine, {kind, params, before}: Step): Promise<Reply> => {
  if (kind !== 'ConditionCheck') return engine.execute(`${kind}Item`, {...params, ReturnValues: undefined});
  const {Key, ...rest} = params;
  return before
    ? engine.execute('PutItem', {...rest, Item: before})
    : engine.execute('DeleteItem', {...rest, Key});
};

const putBack = async (engine: Engine, {kind, params, key, before}: Step): Promise<void> => {
  if (kind === 'ConditionCheck') return;
  const {TableName} = params;
  if (before) demand(await engine.execute('PutItem', {TableName, Item: before}));
  else demand(await engine.execute('DeleteItem', {TableName, Key: key}));
};

/** Errors that depend on the item as it is are reasons; those of the request alone refuse it as a whole. */
const isReason = ({body}: Reply): boolean =>
  body.__type.endsWith('ConditionalCheckFailedException') ||
  /(operand in the update expression|refers to an attribute that does not exist|document path provided in the update|maximum allowed size|Item size)/.test(
    body.message ?? '',
  );

const reasonOf = ({body}: Reply, item: Json | undefined): Reason => {
  if (!body.__type.endsWith('ConditionalCheckFailedException'))
    return {Code: 'ValidationError', Message: body.message};
  const reason: Reason = {Code: 'ConditionalCheckFailed', Message: 'The conditional request failed'};
  return item ? {...reason, Item: item} : reason;
};

const cancelled = (reasons: Reason[]): Reply => ({
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    CancellationReasons: reasons,
    Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({Code}) => Code).join(', ')}]`,
  },
});

const bytesOf = (item: Json | undefined): number => (item ? JSON.stringify(item).length : 0);

/** Transactions cost twice what the same requests would cost alone. */
const consumedCapacity = (
  {ReturnConsumedCapacity: wanted}: Json,
  tables: string[],
  sizes: number[],
  unit: number,
): Json[] | undefined => {
  if (wanted !== 'TOTAL' && wanted !== 'INDEXES') return undefined;
  const units = new Map<string, number>();
  for (const [i, table] of tables.entries())
    units.set(table, (units.get(table) ?? 0) + 2 * Math.max(1, Math.ceil(sizes[i]! / unit)));
  return [...units].map(([TableName, CapacityUnits]) => ({TableName, CapacityUnits}));
};
