import {type Engine, failure, invalid, type Json, type Reply} from './dynamodb-engine.js';
import {checkedItems, demand, Refusal, type Step, steps} from './dynamodb-steps.js';

const MAX_TOKEN_LENGTH = 36;
const TOKEN_LIFETIME_MS = 10 * 60_000;
type Reason = {Code: string; Message?: string; Item?: Json};

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
    if (
      token !== undefined &&
      (typeof token !== 'string' || token.length < 1 || token.length > MAX_TOKEN_LENGTH)
    )
      return invalid(
        `1 validation error detected: Value '${token}' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to ${MAX_TOKEN_LENGTH}`,
      );
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
