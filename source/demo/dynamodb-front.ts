import {randomBytes} from 'node:crypto';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import zlib from 'node:zlib';
import {describeTable} from './dynamodb-counts.js';
import {createEngine, type Engine, type Json, type Reply} from './dynamodb-engine.js';
import {refuseIndex, updateTable} from './dynamodb-indexes.js';
import {createLock} from './dynamodb-lock.js';
import {keyNames, keyOf} from './dynamodb-steps.js';
import {createTransactions} from './dynamodb-transactions.js';

const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const STAND_IN = "dynalite, transactions by sesstui's demo";

export type DynamodbFront = {endpoint: string; port: number; close(): Promise<void>};

/**
 * Starts an in-memory DynamoDB for the demo: dynalite's tables, items and expressions, with TransactWriteItems,
 * TransactGetItems and the adding and removing of global secondary indexes supplied here. Every answer says so in
 * the header `x-sesstui-stand-in`. Credentials and signatures are not looked at. Port 0 or none takes a free one.
 * `indexMs`: how long it takes at least to build or remove an index.
 */
export const startDynamodbFront = async ({
  port = 0,
  host = '127.0.0.1',
  indexMs = 1500,
}: {
  port?: number;
  host?: string;
  indexMs?: number;
} = {}): Promise<DynamodbFront> => {
  const engine = createEngine();
  const transactions = createTransactions(engine);
  const lock = createLock();

  const answer = (operation: string, params: Json): Promise<Reply> => {
    switch (operation) {
      case 'TransactWriteItems':
        return lock.alone(() => transactions.write(params));
      case 'TransactGetItems':
        return lock.alone(() => transactions.read(params));
      case 'UpdateTable':
        return lock.alone(() => updateTable(engine, params, {lock, leastMs: indexMs}));
      case 'DescribeTable':
        return lock.shared(() => describeTable(engine, params));
      case 'Query':
      case 'Scan':
        return lock.shared(
          async () => (await refuseIndex(engine, params)) ?? engine.execute(operation, params),
        );
      default:
        if (params.ReturnValuesOnConditionCheckFailure === 'ALL_OLD')
          return lock.alone(() => withOldItem(engine, operation, params));
        return lock.shared(() => engine.execute(operation, params));
    }
  };

  const server = createServer((request, response) => {
    handle(request, response, answer).catch(() => response.destroy());
  });
  // A client's idle connection outlives its pauses; Node's five seconds would reset requests that are on their way.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** A single write whose refusal is to show the item as it was, which dynalite doesn't. */
const withOldItem = async (engine: Engine, operation: string, params: Json): Promise<Reply> => {
  const reply = await engine.execute(operation, params);
  if (!String(reply.body.__type).endsWith('ConditionalCheckFailedException')) return reply;
  const {TableName} = params;
  const Key = params.Key ?? keyOf(params.Item, await keyNames(engine, TableName));
  const {body} = await engine.execute('GetItem', {TableName, Key, ConsistentRead: true});
  return body.Item ? {...reply, body: {...reply.body, Item: body.Item}} : reply;
};

const handle = async (
  request: IncomingMessage,
  response: ServerResponse,
  answer: (operation: string, params: Json) => Promise<Reply>,
): Promise<void> => {
  if (request.method === 'GET') {
    response.setHeader('x-sesstui-stand-in', STAND_IN);
    response.end('healthy');
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_REQUEST_BYTES) {
      response.writeHead(413, {connection: 'close'}).end();
      return;
    }
    chunks.push(chunk);
  }
  send(response, await route(request, Buffer.concat(chunks), answer));
};

const route = async (
  request: IncomingMessage,
  body: Buffer,
  answer: (operation: string, params: Json) => Promise<Reply>,
): Promise<Reply> => {
  const [api, operation] = String(request.headers['x-amz-target'] ?? '').split('.');
  if (api !== 'DynamoDB_20120810' || !operation)
    return {status: 400, body: {__type: 'com.amazon.coral.service#UnknownOperationException'}};
  let params: unknown;
  try {
    params = JSON.parse(body.toString() || '{}');
  } catch {
    params = undefined;
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    return {status: 400, body: {__type: 'com.amazon.coral.service#SerializationException'}};
  try {
    return await answer(operation, params);
  } catch (error) {
    return {
      status: 500,
      body: {__type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message: String(error)},
    };
  }
};

const send = (response: ServerResponse, reply: Reply): void => {
  const body = Buffer.from(JSON.stringify(reply.body));
  response.writeHead(reply.status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': body.length,
    'x-amzn-requestid': randomBytes(26).toString('hex').toUpperCase(),
    'x-amz-crc32': String(zlib.crc32(body)),
    'x-sesstui-stand-in': STAND_IN,
  });
  response.end(body);
};
