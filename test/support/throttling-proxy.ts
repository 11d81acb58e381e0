/** DynamoDB with a limited rate: a proxy that answers some requests as the service does when it is asked too much. */
import {createServer, type IncomingMessage, request, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';

export type Throttle = (operation: string, body: string) => 'whole' | 'reason' | null;

export type ThrottlingProxy = {
  endpoint: string;
  /** Decides for each request; `whole`: the operation is refused, `reason`: its transaction is cancelled for it. */
  throttle: Throttle;
  /** Every request that came, in order, and when. */
  asked: {operation: string; body: string; at: number; throttled: boolean}[];
  stop(): Promise<void>;
};

const refusals = {
  whole: () => ({
    __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    message: 'The level of configured provisioned throughput for the table was exceeded.',
  }),
  reason: (body: string) => ({
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    Message: 'Transaction cancelled, please refer cancellation reasons for specific reasons',
    CancellationReasons: (JSON.parse(body) as {TransactItems: unknown[]}).TransactItems.map((_, index) =>
      index === 0
        ? {
            Code: 'ThrottlingError',
            Message: 'Throughput exceeds the current capacity of your table or index.',
          }
        : {Code: 'None'},
    ),
  }),
};

const read = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

export const startThrottlingProxy = async (target: string): Promise<ThrottlingProxy> => {
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await read(incoming);
    const operation = String(incoming.headers['x-amz-target']).split('.')[1]!;
    const kind = proxy.throttle(operation, body);
    proxy.asked.push({operation, body, at: performance.now(), throttled: kind !== null});
    if (kind !== null) {
      outgoing.writeHead(400, {'content-type': 'application/x-amz-json-1.0', date: new Date().toUTCString()});
      outgoing.end(JSON.stringify(refusals[kind](body)));
      return;
    }
    const options = {method: incoming.method, headers: incoming.headers};
    const onward = request(`${target}${incoming.url}`, options, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    onward.end(body);
  };
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const proxy: ThrottlingProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    throttle: () => null,
    asked: [],
    stop: () => {
      server.closeAllConnections();
      return new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
  return proxy;
};
