/** What the HTTP server answers under which address (contract: watch). */
import pLimit from 'p-limit';
import type {FullEngine} from '../../engine/engine.js';
import type {RunResult} from '../../types.js';
import {type Answer, errorAnswer, jsonAnswer, refusal} from './answers.js';
import {type CanWrite, type Cleanup, isWhole} from './cleanup.js';
import type {Limits} from './limits.js';
import type {Liveness} from './liveness.js';
import type {Metrics} from './metrics.js';
import {page, pageSecurityPolicy} from './page.js';
import {customerOf} from './request.js';
import {sharedLook} from './shared-look.js';

export type Asked = {query: string; address: string};
type Handler = (asked: Asked) => Promise<Answer> | Answer;
/** HEAD is answered wherever GET is. */
export type Route = {token: boolean; methods: {GET: Handler; POST?: Handler}};

export type RouteOptions = {
  engine: FullEngine;
  metrics: Metrics;
  liveness: Liveness;
  cleanup: Cleanup;
  canWrite: CanWrite;
  limits: Limits;
  now: () => number;
  onRuns: (runs: RunResult[]) => void;
};

/** 500 where something failed, is unknown or could not be answered: what was done is in the same body. */
const runsAnswer = (runs: RunResult[]): Answer => jsonAnswer(isWhole(runs) ? 200 : 500, {runs});

const cleanupRoute = ({cleanup, canWrite, limits, onRuns}: RouteOptions, forget: () => void): Route => {
  const plans = pLimit(limits.plans);
  const underWay = new Map<string | undefined, Promise<Answer>>();
  const plan = (customer: string | undefined): Promise<Answer> => {
    const known = underWay.get(customer);
    if (known) return known;
    const own = plans(async () => runsAnswer(await cleanup.plan(customer))).finally(() =>
      underWay.delete(customer),
    );
    underWay.set(customer, own);
    return own;
  };
  return {
    token: true,
    methods: {
      GET: ({query}) => {
        const asked = customerOf(query);
        if ('status' in asked) return asked;
        if (plans.pendingCount >= limits.waitingPlans && !underWay.has(asked.customer))
          return refusal(429, 'throttled', 'too many plans are being made', 'Ask again later.', {
            'Retry-After': '5',
          });
        return plan(asked.customer);
      },
      POST: async ({query, address}) => {
        const asked = customerOf(query);
        if ('status' in asked) return asked;
        if (!canWrite.ok)
          return errorAnswer(403, {
            code: canWrite.code,
            message: canWrite.text,
            hint: 'GET /cleanup-sessions shows what would be cancelled.',
          });
        if (cleanup.isRunning())
          return refusal(409, 'throttled', 'a cleanup is running already', 'Ask again when it has ended.', {
            'Retry-After': '5',
          });
        const runs = await cleanup
          .run(asked.customer, `POST /cleanup-sessions from ${address}`)
          .finally(() => {
            forget();
            underWay.clear();
          });
        onRuns(runs);
        return runsAnswer(runs);
      },
    },
  };
};

/** Every address that is served. */
export const openRoutes = (options: RouteOptions): Map<string, Route> => {
  const {engine, metrics, liveness, limits, now} = options;
  const health = sharedLook(() => engine.health(), limits.healthMs, now);
  const open = (GET: Handler): Route => ({token: false, methods: {GET}});
  return new Map<string, Route>([
    [
      '/',
      open(() => ({
        status: 200,
        type: 'text/html; charset=utf-8',
        body: page,
        headers: {'Content-Security-Policy': pageSecurityPolicy},
      })),
    ],
    ['/metrics', open(async () => ({status: 200, type: metrics.contentType, body: await metrics.text()}))],
    [
      '/healthz',
      open(() => {
        const report = liveness.report();
        return jsonAnswer(report.status === 'ok' ? 200 : 503, report);
      }),
    ],
    [
      '/session-health',
      {
        token: true,
        methods: {
          GET: async ({query}) =>
            query === ''
              ? jsonAnswer(200, await health.get())
              : refusal(400, 'usage', '/session-health takes no parameters'),
        },
      },
    ],
    ['/cleanup-sessions', cleanupRoute(options, () => health.forget())],
  ]);
};
