/** The HTTP server of `watch --listen`. */
import {createServer} from 'node:http';
import {aborted} from '../../aborted.js';
import type {FullEngine} from '../../engine/engine.js';
import {createRedactor} from '../../redact.js';
import type {RunResult} from '../../types.js';
import type {Round, RoundListener} from '../round.js';
import {openAccess, requireToken} from './access.js';
import {type Address, urlOf} from './address.js';
import {type CanWrite, openCleanup} from './cleanup.js';
import {defaultLimits, type Limits} from './limits.js';
import {listen} from './listen.js';
import {openLiveness} from './liveness.js';
import {openMetrics} from './metrics.js';
import {hangUp, respond, type Serving} from './respond.js';
import {openRoutes} from './routes.js';

export {exposureWarning, parseListen} from './address.js';

export type ServerOptions = {
  engine: FullEngine;
  watcher: {
    listen(listener: RoundListener): void;
    follow(listener: (check: string) => void): void;
    rounds(): Round[];
  };
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

const lastAnswersMs = 500;

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
  watcher.follow(liveness.gotOn);
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
