/** The SDK's client: loaded late, with time limits, cancellation, the server's clock and retries of reads. */
import type * as Sdk from '@aws-sdk/client-dynamodb';
import {SesstuiError} from '../../source/errors.js';
import {isThrottling, mapError, wasThrottled} from './errors.js';
import {pause} from './pause.js';

/** The operations that are used, with what they take and give. */
export type Calls = {
  ListTables: [Sdk.ListTablesCommandInput, Sdk.ListTablesCommandOutput];
  DescribeTable: [Sdk.DescribeTableCommandInput, Sdk.DescribeTableCommandOutput];
  Scan: [Sdk.ScanCommandInput, Sdk.ScanCommandOutput];
  Query: [Sdk.QueryCommandInput, Sdk.QueryCommandOutput];
  BatchGetItem: [Sdk.BatchGetItemCommandInput, Sdk.BatchGetItemCommandOutput];
  PutItem: [Sdk.PutItemCommandInput, Sdk.PutItemCommandOutput];
  UpdateItem: [Sdk.UpdateItemCommandInput, Sdk.UpdateItemCommandOutput];
  DeleteItem: [Sdk.DeleteItemCommandInput, Sdk.DeleteItemCommandOutput];
  /** Of guards and their scratch tables only. */
  UpdateTable: [Sdk.UpdateTableCommandInput, Sdk.UpdateTableCommandOutput];
  CreateTable: [Sdk.CreateTableCommandInput, Sdk.CreateTableCommandOutput];
  DeleteTable: [Sdk.DeleteTableCommandInput, Sdk.DeleteTableCommandOutput];
  TransactWriteItems: [Sdk.TransactWriteItemsCommandInput, Sdk.TransactWriteItemsCommandOutput];
};

export type Client = {
  /** Sends once. Throws the SDK's own error, or `timeout` and `interrupted`. */
  send<N extends keyof Calls>(name: N, input: Calls[N][0], signal?: AbortSignal): Promise<Calls[N][1]>;
  /** A read: retried while it is throttled or the server fails, within the time limit; errors are mapped. */
  read<N extends keyof Calls>(name: N, input: Calls[N][0], signal?: AbortSignal): Promise<Calls[N][1]>;
  /** What the responses said of the server: microseconds of the last Date header (to the second), and labels. */
  seen: {
    micros: number | null;
    answers: number;
    standIn: string | null;
    software: string | null;
    throttled: number;
  };
  accountId(): Promise<string | null>;
  close(): void;
};

export type ClientSettings = {region: string; endpoint?: string; timeoutMs: number};

const loopback = /^https?:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?(?:\/|$)/i;
export const isLoopback = (endpoint: string | undefined): boolean =>
  endpoint !== undefined && loopback.test(endpoint);

const credentialSources = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** Servers on this machine want some credentials but don't check them. */
const localCredentials = (endpoint?: string) =>
  isLoopback(endpoint) && !credentialSources.some(name => process.env[name])
    ? {credentials: {accessKeyId: 'local', secretAccessKey: 'local'}}
    : {};

const loadSdk = async (): Promise<typeof Sdk> => {
  // The SDK warns about older Node versions on standard error, which would break a screen.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return import('@aws-sdk/client-dynamodb');
};

type Seen = Client['seen'];

/** Errors carry a Date header too, so it is taken before the response is judged. */
const watchResponses = (client: Sdk.DynamoDBClient, seen: Seen): void => {
  client.middlewareStack.add(
    next => async args => {
      const result = await next(args);
      const headers = (result.response as {headers?: Record<string, string>}).headers ?? {};
      const ms = Date.parse(headers.date ?? '');
      if (!Number.isNaN(ms)) seen.micros = ms * 1000;
      seen.answers++;
      seen.standIn = headers['x-sesstui-stand-in'] ?? seen.standIn;
      seen.software = headers.server ?? seen.software;
      return result;
    },
    {step: 'deserialize', priority: 'low', name: 'sesstuiResponseHeaders'},
  );
};

const connect = async (settings: ClientSettings, seen: Seen) => {
  const sdk = await loadSdk();
  const client = new sdk.DynamoDBClient({
    region: settings.region,
    ...(settings.endpoint && {endpoint: settings.endpoint}),
    ...localCredentials(settings.endpoint),
    maxAttempts: 1, // Retried here: a write that is repeated blindly would be told as changed by someone else.
    requestHandler: {connectionTimeout: Math.min(settings.timeoutMs, 5000)},
  });
  watchResponses(client, seen);
  return {sdk, client};
};

/** An operation under a time limit and the caller's signal; neither leaves a listener behind. */
const limited = async <T>(
  run: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  what: string,
  signal?: AbortSignal,
): Promise<T> => {
  const interrupted = () => new SesstuiError('interrupted', `${what} was interrupted.`);
  if (signal?.aborted) throw interrupted();
  const controller = new AbortController();
  let stop: (error: SesstuiError) => void = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = error => {
      reject(error);
      controller.abort();
    };
  });
  const onAbort = () => stop(interrupted());
  const timer = setTimeout(
    () =>
      stop(
        new SesstuiError(
          'timeout',
          `DynamoDB did not answer ${what} within ${timeoutMs} ms.`,
          "Try again, or raise the store's timeout.",
        ),
      ),
    timeoutMs,
  );
  signal?.addEventListener('abort', onAbort, {once: true});
  const running = run(controller.signal);
  running.catch(() => {}); // It loses the race when it is stopped, and rejects later.
  try {
    return await Promise.race([running, stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
};

const isTransient = (error: unknown): boolean =>
  isThrottling(error) || (error as {$fault?: string}).$fault === 'server';

/** Connects at the first request. */
export const openClient = (settings: ClientSettings): Client => {
  const seen: Seen = {micros: null, answers: 0, standIn: null, software: null, throttled: 0};
  let connection: ReturnType<typeof connect> | undefined;
  const connected = () => (connection ??= connect(settings, seen));
  const send: Client['send'] = (name, input, signal) =>
    limited(
      async abortSignal => {
        const {sdk, client} = await connected();
        const Command = sdk[`${name}Command`] as unknown as new (input: unknown) => never;
        try {
          return await client.send(new Command(input), {abortSignal});
        } catch (error) {
          if (wasThrottled(error)) seen.throttled++;
          throw error;
        }
      },
      settings.timeoutMs,
      name,
      signal,
    );
  return {
    send,
    read: async (name, input, signal) => {
      const deadline = Date.now() + settings.timeoutMs;
      for (let attempt = 0; ; attempt++) {
        try {
          return await send(name, input, signal);
        } catch (error) {
          if (!isTransient(error) || Date.now() > deadline) throw mapError(error, describeCall(name, input));
          await pause(attempt, signal);
        }
      }
    },
    seen,
    accountId: async () => {
      const {client} = await connected();
      return (await client.config.credentials()).accountId ?? null;
    },
    close: () => {
      connection?.then(({client}) => client.destroy()).catch(() => {});
    },
  };
};

/** `Scan of kite-sessions` */
const describeCall = (name: string, input: unknown): string => {
  const {TableName, RequestItems} = input as {TableName?: string; RequestItems?: Record<string, unknown>};
  const table = TableName ?? Object.keys(RequestItems ?? {})[0];
  return table ? `${name} of ${table}` : name;
};
