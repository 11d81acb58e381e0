/** The HTTP server of `watch --listen`. */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import type {FullEngine} from '../engine/engine.js';
import {asSesstuiError, SesstuiError} from '../errors.js';
import {createRedactor} from '../redact.js';
import type {RunResult} from '../types.js';
import {openLiveness} from './liveness.js';
import {openMetrics} from './metrics.js';
import type {Round, RoundListener} from './round.js';
import {type Access, isCrossSite, openAccess, requireToken} from './server-access.js';
import {type Address, isOurHost, urlOf} from './server-address.js';
import {type Answer, errorAnswer, refusal, securityHeaders, statusOf} from './server-answers.js';
import {type CanWrite, openCleanup} from './server-cleanup.js';
import {defaultLimits, type Limits} from './server-limits.js';
import {hasBody, refuseBody, targetOf} from './server-request.js';
import {openRoutes, type Route} from './server-routes.js';

export {exposureWarning, parseListen} from './server-address.js';

export type ServerOptions = {
  engine: FullEngine;
  watcher: {listen(listener: RoundListener): void; rounds(): Round[]};
  address: Address;
  /** SESSTUI_TOKEN; null: what needs one is closed. */
  token: string | null;
  canWrite: CanWrite;
  redact: (text: string) => string;
  environment: string;
  /** Aborted: a run under way finishes its chunk. */
  signal: AbortSignal;
  /** The interval of the looks and the time limit of a statement, for /healthz. */
  everyMs?: number;
  timeoutMs?: number;
  /** `--config` and `--state-dir` as they were given, for the commands that answers suggest. */
  sameFlags?: string[];
  /** Runs that POST made: no round tells of them. */
  onRuns?: (runs: RunResult[]) => void;
  limits?: Partial<Limits>;
  /** A clock that only grows, milliseconds. */
  now?: () => number;
};

export type OpenedServer = {url: string; close(): Promise<void>};

type Serving = {
  routes: Map<string, Route>;
  access: Access;
  limits: Limits;
  address: Address;
  redact: (text: string) => string;
  isClosing: boolean;
};

const lastAnswersMs = 500;

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise(done => signal.addEventListener('abort', () => done(), {once: true}));

/** Everything that is looked at before a request is carried out, the cheapest first. */
const answerTo = async (request: IncomingMessage, serving: Serving): Promise<Answer> => {
  const {routes, access, limits, address} = serving;
  const {headers, method = 'GET'} = request;
  const from = request.socket.remoteAddress ?? 'unknown';
  const tooMany = await access.count(from);
  if (tooMany) return tooMany;
  if (!isOurHost(headers.host, address))
    return refusal(
      421,
      'refused',
      'this name is not served',
      `Listening on loopback it is only ${urlOf(address)}, or localhost with that port.`,
    );
  const target = targetOf(request.url ?? '', limits);
  if ('status' in target) return target;
  const route = routes.get(target.path);
  if (!route)
    return refusal(404, 'not-found', 'there is nothing here', `There are ${[...routes.keys()].join(', ')}.`);
  const handler = method === 'HEAD' ? route.methods.GET : route.methods[method as 'GET'];
  if (!Object.hasOwn(route.methods, method === 'HEAD' ? 'GET' : method) || !handler) {
    const allowed = ['GET', 'HEAD', ...(route.methods.POST ? ['POST'] : [])].join(', ');
    return refusal(405, 'usage', 'this method is not served here', `It takes ${allowed}.`, {Allow: allowed});
  }
  if (method === 'POST' && isCrossSite(headers))
    return refusal(
      403,
      'refused',
      'another site may not ask for this',
      'Use the page of this server, or curl.',
    );
  const stranger = route.token ? await access.refuseToken(headers, from) : null;
  if (stranger) return stranger;
  const badBody = await refuseBody(request, limits);
  if (badBody) return badBody;
  return handler({query: target.query, address: from});
};

const faultAnswer = (error: unknown, redact: (text: string) => string): Answer => {
  const {code, message, hint} = asSesstuiError(error);
  return errorAnswer(statusOf(code), {code, message: redact(message), hint: redact(hint)});
};

const respond = async (
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving,
): Promise<void> => {
  const answer = await answerTo(request, serving).catch(error => faultAnswer(error, serving.redact));
  if (response.destroyed) return;
  const {status, type, body, headers = {}} = answer;
  // What was not read to its end can't be told from the request after it.
  if (serving.isClosing || (hasBody(request) && !request.complete)) response.shouldKeepAlive = false;
  response.setTimeout(serving.limits.answerMs, () => request.socket.destroy());
  response.writeHead(status, {
    ...securityHeaders,
    ...headers,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
};

const brokenRequests: Record<string, [status: string, message: string]> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long'],
};

/** A request that could not be read as HTTP, or not in time. */
const hangUp = (error: NodeJS.ErrnoException, socket: Socket): void => {
  const [status, message] = brokenRequests[error.code ?? ''] ?? ['400 Bad Request', 'this is not HTTP'];
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const {body, type} = refusal(400, 'usage', message);
  const headers = {
    ...securityHeaders,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${[status, ...lines].join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
};

const listenErrors: Record<string, string> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the name has no address',
};

const listen = async (server: Server, {host, port}: Address): Promise<Address> => {
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen({host, port}, done);
  }).catch((error: NodeJS.ErrnoException) => {
    throw new SesstuiError(
      'usage',
      `can not listen on ${host} port ${port}: ${listenErrors[error.code ?? ''] ?? error.code ?? 'unknown'}`,
      'Name another address or port with --listen HOST:PORT; port 0 takes any that is free.',
    );
  });
  const bound = server.address() as AddressInfo;
  return {host: host === 'localhost' ? host : bound.address, port: bound.port};
};

/**
 * Serves the page, /metrics, /healthz, /session-health and /cleanup-sessions. Throws `config` for a token that could
 * be guessed and `usage` where it can't listen. `close` gives requests in hand `limits.closeMs`; a run that takes
 * longer finishes its chunk.
 */
export const openServer = async (options: ServerOptions): Promise<OpenedServer> => {
  const {engine, watcher, token, canWrite, now = () => performance.now()} = options;
  requireToken(token);
  const limits = {...defaultLimits, ...options.limits};
  const hideToken = createRedactor(token === null ? [] : [token]);
  const redact = (text: string): string => hideToken(options.redact(text));
  const ending = new AbortController();
  const stores = () => engine.status();
  const metrics = await openMetrics({checks: engine.checks, stores});
  const liveness = openLiveness({
    checks: engine.checks.map(({id}) => id),
    stores,
    everyMs: options.everyMs ?? 5 * 60_000,
    timeoutMs: options.timeoutMs ?? 30_000,
    now,
  });
  const cleanup = openCleanup({
    engine,
    confirmed: canWrite.ok ? canWrite.confirmed : [],
    signal: AbortSignal.any([options.signal, ending.signal]),
    sameFlags: options.sameFlags ?? [],
    redact,
  });
  const onRuns = (runs: RunResult[]): void => {
    for (const run of runs) metrics.ran(run);
    options.onRuns?.(runs);
  };
  const hear: RoundListener = round => {
    metrics.round(round);
    void liveness.round(round);
  };
  for (const round of watcher.rounds()) hear(round);
  watcher.listen(hear);
  const routes = openRoutes({engine, metrics, liveness, cleanup, canWrite, limits, now, onRuns});

  const serving: Serving = {
    routes,
    access: openAccess(token, limits),
    limits,
    address: options.address,
    redact,
    isClosing: false,
  };
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: limits.lookMs,
    },
    (request, response) => void respond(request, response, serving),
  );
  server.maxConnections = limits.connections;
  server.on('clientError', hangUp);
  serving.address = await listen(server, options.address);

  const close = async (): Promise<void> => {
    serving.isClosing = true;
    const closed = new Promise<void>(done => server.close(() => done()));
    const late = setTimeout(() => ending.abort(), limits.closeMs);
    await Promise.race([Promise.all([closed, cleanup.idle()]), aborted(ending.signal)]);
    await cleanup.idle();
    clearTimeout(late);
    // The answer about a run that was just cut short is still on its way.
    await Promise.race([closed, aborted(AbortSignal.timeout(lastAnswersMs))]);
    server.closeAllConnections();
    metrics.close();
  };
  return {url: urlOf(serving.address), close};
};
