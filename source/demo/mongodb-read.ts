import {Long} from 'bson';
import {runPipeline} from './mongodb-aggregate.js';
import type {Call} from './mongodb-commands.js';
import type {Databases} from './mongodb-databases.js';
import {failed} from './mongodb-errors.js';
import {compare, keyOf} from './mongodb-order.js';
import {valuesAt} from './mongodb-paths.js';
import {compileProjection} from './mongodb-projection.js';
import {RawDocument} from './mongodb-reply.js';
import {sorted} from './mongodb-sort.js';
import {type Doc, encode, isDocument, isNumeric, toNumber} from './mongodb-values.js';

const FIRST_BATCH = 101;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

export const document = (value: unknown, name: string): Doc => {
  if (value === undefined) return {};
  if (!isDocument(value)) throw failed('TypeMismatch', `'${name}' has to be an object`);
  return value;
};

export const integer = (value: unknown, otherwise: number): number => {
  if (!isNumeric(value)) return otherwise;
  const number = Math.trunc(toNumber(value));
  return Number.isFinite(number) ? number : otherwise;
};

/** As many documents as a batch holds: by number and by bytes, though never none of some. */
const takeBatch = (rows: RawDocument[], size: number): RawDocument[] => {
  let bytes = 0;
  let taken = 0;
  while (taken < rows.length && taken < size) {
    bytes += rows[taken]!.bytes.length;
    if (bytes > MAX_BATCH_BYTES && taken > 0) break;
    taken++;
  }
  return rows.slice(0, taken);
};

/** An answer with the first batch of a cursor; the rest waits for getMore. */
export const cursorReply = (
  databases: Databases,
  namespace: string,
  rows: RawDocument[],
  size: number,
  single = false,
): Doc => {
  const firstBatch = takeBatch(rows, size);
  const rest = rows.slice(firstBatch.length);
  const id = rest.length === 0 || single ? 0n : databases.openCursor(namespace, rest);
  return {cursor: {firstBatch, id: Long.fromBigInt(id), ns: namespace}, ok: 1};
};

export const find = ({databases, database, name, command}: Call): Doc => {
  const variables = document(command.let, 'let');
  let rows = databases.rows(database, name, document(command.filter, 'filter'), variables);
  rows = sorted(rows, document(command.sort, 'sort'), row => row.doc);
  const limit = integer(command.limit, 0);
  const skip = integer(command.skip, 0);
  rows = rows.slice(skip, limit === 0 ? undefined : skip + Math.abs(limit));
  const spec = document(command.projection, 'projection');
  const project = Object.keys(spec).length === 0 ? undefined : compileProjection(spec, variables);
  const found = rows.map(row => new RawDocument(project ? encode(project(row.doc)) : row.bytes));
  const single = command.singleBatch === true || limit < 0;
  return cursorReply(
    databases,
    `${database}.${name}`,
    found,
    integer(command.batchSize, FIRST_BATCH),
    single,
  );
};

export const getMore = ({databases, command}: Call): Doc => {
  const id = BigInt(String(command.getMore));
  const cursor = databases.cursors.get(id);
  if (!cursor) throw failed('CursorNotFound', `cursor id ${id} not found`);
  const size = integer(command.batchSize, 0);
  const nextBatch = takeBatch(cursor.rest, size > 0 ? size : Number.POSITIVE_INFINITY);
  cursor.rest = cursor.rest.slice(nextBatch.length);
  if (cursor.rest.length === 0) databases.cursors.delete(id);
  const left = cursor.rest.length === 0 ? 0n : id;
  return {cursor: {nextBatch, id: Long.fromBigInt(left), ns: cursor.namespace}, ok: 1};
};

export const killCursors = ({databases, command}: Call): Doc => {
  const ids = (command.cursors as unknown[]) ?? [];
  const known = (id: unknown) => databases.cursors.has(BigInt(String(id)));
  const [killed, unknown] = [ids.filter(known), ids.filter(id => !known(id))];
  for (const id of killed) databases.cursors.delete(BigInt(String(id)));
  return {cursorsKilled: killed, cursorsNotFound: unknown, cursorsAlive: [], cursorsUnknown: [], ok: 1};
};

export const aggregate = ({databases, database, name, command}: Call): Doc => {
  if (command.explain === true) throw failed('CommandNotSupported', 'explain is not supported');
  const pipeline = (command.pipeline ?? []) as Doc[];
  // A $match in front can use the `_id`; the documents of a pipeline that only selects go out as they are stored.
  const first = pipeline[0]?.$match;
  const variables = document(command.let, 'let');
  const rows = databases.rows(database, name, isDocument(first) ? first : {}, variables);
  const stored = new Map(rows.map(row => [row.doc, row.bytes]));
  const docs = runPipeline(
    [...stored.keys()],
    isDocument(first) ? pipeline.slice(1) : pipeline,
    other => databases.find(database, other)?.docs() ?? [],
    variables,
  );
  const result = docs.map(doc => new RawDocument(stored.get(doc) ?? encode(doc)));
  const {batchSize} = document(command.cursor, 'cursor');
  const namespace = `${database}.${typeof command.aggregate === 'string' ? name : '$cmd.aggregate'}`;
  return cursorReply(databases, namespace, result, integer(batchSize, FIRST_BATCH));
};

export const count = ({databases, database, name, command}: Call): Doc => {
  const query = document(command.query, 'query');
  const collection = databases.find(database, name);
  const total =
    Object.keys(query).length === 0 ? (collection?.size ?? 0) : (collection?.find(query).length ?? 0);
  const after = Math.max(0, total - integer(command.skip, 0));
  const limit = Math.abs(integer(command.limit, 0));
  return {n: limit === 0 ? after : Math.min(limit, after), ok: 1};
};

export const distinct = ({databases, database, name, command}: Call): Doc => {
  const values = new Map<string, unknown>();
  for (const row of databases.rows(database, name, document(command.query, 'query')))
    for (const value of valuesAt(row.doc, String(command.key)).flat(1))
      if (value !== undefined && !values.has(keyOf(value))) values.set(keyOf(value), value);
  return {values: [...values.values()].sort(compare), ok: 1};
};
