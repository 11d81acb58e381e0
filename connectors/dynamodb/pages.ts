/** Reading items: whole tables in segments, by key, and by an index; always to the last page. */
import type {AttributeValue} from '@aws-sdk/client-dynamodb';
import {canonicalJson} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import type {Json} from '../../source/values.js';
import {type Attribute, fromItem, type Item, toItem} from './attributes.js';
import {bindings} from './bindings.js';
import type {Client} from './client.js';
import {type Compiled, compileProjection} from './compile.js';
import {openPacer, type Pacer} from './pacer.js';
import {pause} from './pause.js';
import {keyOf, type TableInfo} from './tables.js';

type RawItems = Record<string, AttributeValue>[] | undefined;
export type OnItems = (items: Item[]) => void;

/** Tables that are said to hold more items than this are read in several segments at once. */
const largeFrom = 20_000;
const segments = 4;
/** BatchGetItem's limit. */
const keysPerRequest = 100;
const mostAttempts = 10;

const given = (items: RawItems): Item[] => (items ?? []).map(toItem);

const scanSegment = async (
  client: Client,
  input: Record<string, unknown> & {TableName: string},
  pacer: Pacer,
  onItems: OnItems,
  signal?: AbortSignal,
): Promise<void> => {
  // A page may be empty and still not be the last one.
  for (let start: Record<string, AttributeValue> | undefined; ; ) {
    await pacer.wait(signal);
    const page = await client.read('Scan', {...input, ...(start && {ExclusiveStartKey: start})}, signal);
    pacer.page(page.ConsumedCapacity?.CapacityUnits ?? 0, client.seen.throttled);
    onItems(given(page.Items));
    start = page.LastEvaluatedKey;
    if (!start) return;
  }
};

/**
 * Every item that the filter lets through, read consistently; from an index it is eventually consistent. The first
 * failure stops all segments.
 */
export const scan = async (
  client: Client,
  info: TableInfo,
  compiled: Compiled,
  options: {paced: boolean; index?: string; signal?: AbortSignal},
  onItems: OnItems,
): Promise<void> => {
  const input = {
    TableName: info.table,
    ...(options.index === undefined ? {ConsistentRead: true} : {IndexName: options.index}),
    ReturnConsumedCapacity: 'TOTAL' as const,
    ...(compiled.projection && {ProjectionExpression: compiled.projection}),
    ...(compiled.filter && {FilterExpression: compiled.filter}),
    ...compiled.request,
  };
  const pacer = openPacer(options.paced ? info.readUnits : null, client.seen.throttled);
  const count = (info.itemCount ?? 0) > largeFrom ? segments : 1;
  if (count === 1) return scanSegment(client, input, pacer, onItems, options.signal);
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  if (options.signal?.aborted) stop.abort();
  options.signal?.addEventListener('abort', onAbort, {once: true});
  try {
    await Promise.all(
      Array.from({length: count}, (_, segment) =>
        scanSegment(client, {...input, Segment: segment, TotalSegments: count}, pacer, onItems, stop.signal),
      ),
    );
  } finally {
    stop.abort();
    options.signal?.removeEventListener('abort', onAbort);
  }
};

/** The keys of all items with these values of a hash key; from an index it is eventually consistent. */
export const queryKeys = async (
  client: Client,
  info: TableInfo,
  where: {index: string | null; hash: string; values: Attribute[]},
  signal?: AbortSignal,
): Promise<Item[]> => {
  const keys: Item[] = [];
  for (const value of where.values) {
    const bound = bindings();
    const input = {
      TableName: info.table,
      ...(where.index === null ? {ConsistentRead: true} : {IndexName: where.index}),
      KeyConditionExpression: `${bound.name(where.hash)} = ${bound.value(value)}`,
      ProjectionExpression: info.key.map(bound.name).join(', '),
      ...bound.request(),
    };
    for (let start: Record<string, AttributeValue> | undefined; ; ) {
      const page = await client.read('Query', {...input, ...(start && {ExclusiveStartKey: start})}, signal);
      keys.push(...given(page.Items));
      start = page.LastEvaluatedKey;
      if (!start) break;
    }
  }
  return keys;
};

const markOf = (key: Item): string => canonicalJson(key as unknown as Json);

/** The items with these keys that there are, read consistently, in no order. `attributes`: null for all. */
export const getItems = async (
  client: Client,
  info: TableInfo,
  keys: Item[],
  attributes: string[] | null,
  onItems: OnItems,
  signal?: AbortSignal,
): Promise<void> => {
  const distinct = [...new Map(keys.map(key => [markOf(key), key])).values()];
  const {projection, request} = compileProjection(attributes);
  for (let at = 0; at < distinct.length; at += keysPerRequest) {
    let left: Record<string, AttributeValue>[] = distinct.slice(at, at + keysPerRequest).map(fromItem);
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0) await pause(attempt, signal);
      const asked = {
        Keys: left,
        ConsistentRead: true,
        ...(projection && {ProjectionExpression: projection}),
        ...request,
      };
      const answer = await client.read('BatchGetItem', {RequestItems: {[info.table]: asked}}, signal);
      onItems(given(answer.Responses?.[info.table]));
      const rest = answer.UnprocessedKeys?.[info.table]?.Keys ?? [];
      // What comes back unprocessed did not fit into 16 MB, or was throttled: then nothing else came back either.
      if (rest.length < left.length) attempt = -1;
      else if (attempt >= mostAttempts)
        throw new SesstuiError(
          'throttled',
          `DynamoDB is limiting the rate of reading ${info.table}.`,
          'Try again later.',
        );
      left = rest;
    }
  }
};

/** Items by key, in the order asked for; undefined for one that is gone. */
export const getInOrder = async (
  client: Client,
  info: TableInfo,
  keys: Item[],
  signal?: AbortSignal,
): Promise<(Item | undefined)[]> => {
  const found = new Map<string, Item>();
  await getItems(
    client,
    info,
    keys,
    null,
    items => {
      for (const item of items) found.set(markOf(keyOf(item, info.key)), item);
    },
    signal,
  );
  return keys.map(key => found.get(markOf(key)));
};
