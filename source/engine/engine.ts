/** The engine: what the screen, the command line and the library call. Opens nothing before it is asked. */
import {parseDuration} from '../config/duration.js';
import {nearest} from '../config/nearest.js';
import {
  type CheckConfig,
  type Config,
  environmentName,
  isProduction,
  type StoreConfig,
} from '../config/schema.js';
import {canonicalJson} from '../connector.js';
import {SesstuiError} from '../errors.js';
import type {GuardPlan, Proof} from '../guards.js';
import type {Engine, Plan, Selection, SessionPage} from '../types.js';
import type {Json} from '../values.js';
import {Checker, type CheckOptions} from './checker.js';
import {inProduction, requireConfirmations} from './confirmations.js';
import {customerReport} from './customer/customer.js';
import type {CustomerOptions, CustomerReport} from './customer/report.js';
import {unblockPlans} from './customer/unblock.js';
import {listRuns} from './disk/run-files.js';
import {sha256} from './disk/state-files.js';
import {Trends} from './disk/trends.js';
import {lookAtGuards} from './guards/look.js';
import {planGuardRun} from './guards/of-run.js';
import {prepareGuards} from './guards/prepare.js';
import {runGuardPlan} from './guards/run-plan.js';
import {guardScript, proveGuards} from './guards/script.js';
import {type HealthReport, healthReport} from './health.js';
import type {HeldPlan, Planning, PlanningOptions} from './plan/held-plan.js';
import {planAction, planResume, planUndo} from './plan/plans.js';
import {planFile, writePlan} from './plan/reviewed-plan.js';
import {runPlan} from './run/runs.js';
import type {isChosen} from './selecting.js';
import {type OpenConnector, openStores, type Store} from './stores.js';
import {Writing} from './writing.js';

export type EngineOptions = {
  stateDirectory: string;
  open: OpenConnector;
  /** --read-only: nothing lifts it. */
  readOnly?: boolean;
  /** The screen: production's default read-only holds until `unlock`. Headless, `--confirm` lifts it for each run. */
  locked?: boolean;
  timeoutMs?: number;
  allowScan?: boolean;
};

export type FullEngine = Engine & {
  health(): Promise<HealthReport>;
  /**
   * Everything about one customer over all stores; a store that can't answer is an entry in `errors`. Rejects with
   * `usage` for an empty id, and with the signal's reason.
   */
  customer(id: string, options?: CustomerOptions): Promise<CustomerReport>;
  /**
   * The smallest plans that unblock a customer, one a check: they cancel what is stale and blocks, and nothing else.
   * [] when nothing that blocks is stale.
   */
  planUnblock(report: CustomerReport, options?: {signal?: AbortSignal}): Promise<Plan[]>;
  checker(id: string): Checker;
  /** As `plan`, of a check that is configured otherwise than the engine's own (other thresholds), on the same store. */
  planOf(checker: Checker, action: string, selection: Selection, options?: PlanningOptions): Promise<Plan>;
  /** Writes the plan of an action to a new file, for someone else to review. */
  writePlan(plan: Plan, path: string, note: string | null): Promise<void>;
  /** The plan of such a file, to be carried out; `mostMs`: how old it may be. */
  planFile(path: string, mostMs: number, options?: PlanningOptions): Promise<Plan>;
  /** The migration of a check's guards, or of one of them; throws `unsupported` where it has none. */
  guardScript(
    check: string,
    options?: {guard?: string; down?: boolean; signal?: AbortSignal},
  ): Promise<string>;
  /** Proves the guards of a check on scratch copies. Throws what keeps it from writing; [] where none is available. */
  testGuards(
    check: string,
    options?: {
      guards?: string[];
      confirmed?: string[];
      signal?: AbortSignal;
      onProof?: (proof: Proof) => void;
    },
  ): Promise<Proof[]>;
  /**
   * What takes an install or uninstall of guards back (`undo`), or goes on with one that was cut off (`resume`); null
   * for a run of rows. Throws `usage` where there is nothing to be done about it.
   */
  planGuardRun(
    run: string,
    what: 'undo' | 'resume',
    options?: {signal?: AbortSignal},
  ): Promise<GuardPlan | null>;
  /** Frees what a plan holds on disk: for programs that make plans for as long as they run. It can not be run then. */
  release(plan: Plan): Promise<void>;
};

const openCheckers = (config: Config, stores: Map<string, Store>): Checker[] =>
  Object.entries(config.stores).flatMap(([name, store]) =>
    store.checks.map(
      check => new Checker(stores.get(name)!, check, isProduction(config) ? config.limits.scan : null),
    ),
  );

const find = (checkers: Checker[], id: string): Checker => {
  const exact = checkers.find(checker => checker.id === id);
  if (exact) return exact;
  const ids = checkers.map(checker => checker.id);
  const near = nearest(id, ids);
  throw new SesstuiError(
    'usage',
    `there is no check "${id}"${near ? `; the nearest is "${near}"` : ''}`,
    `The configured checks: ${ids.join(', ') || 'none'}.`,
  );
};

/** A word for the server, database and table that a check looks at; no credential goes into it. */
const placeOf = (config: Config, store: StoreConfig, check: CheckConfig): string => {
  const {timeout: _, checks: __, ...address} = store;
  const url = 'url' in address ? {url: address.url.replace(/\/\/[^/]*@/, '//')} : {};
  const place = [environmentName(config), {...address, ...url}, check];
  return sha256(canonicalJson(place as unknown as Json)).slice(0, 8);
};

export const openEngine = (config: Config, options: EngineOptions): FullEngine => {
  const listeners = new Set<() => void>();
  const stores = openStores(config, options.open, options.timeoutMs, () => {
    for (const listener of listeners) listener();
  });
  const checkers = openCheckers(config, stores);
  const production = isProduction(config);
  const writing = new Writing(config, options);
  const trends = new Trends(options.stateDirectory, id => {
    const {store, config: looked} = find(checkers, id);
    return `-${placeOf(config, store.config, looked)}`;
  });
  /** A look at everything that a check finds, which its trend remembers. */
  const look = async (checker: Checker, how: CheckOptions) => {
    const result = await checker.run(how);
    trends.record(result);
    return result;
  };
  const status = () => [...stores.values()].map(store => store.status);
  const {stateDirectory, allowScan} = options;
  const planning: Planning = {config, stateDirectory, allowScan, checkers, find: id => find(checkers, id)};
  /** Plans that hold files open until the engine is closed; the others are nobody's business but their maker's. */
  const onDisk = new Set<HeldPlan>();
  const held = (plan: HeldPlan): HeldPlan => {
    if (plan.held.units.isOnDisk || plan.held.resume) onDisk.add(plan);
    return plan;
  };
  const hold = (pending: Promise<HeldPlan>): Promise<HeldPlan> => pending.then(held);

  const release = async (plan: Plan): Promise<void> => {
    const {units, resume} = (plan as HeldPlan).held;
    onDisk.delete(plan as HeldPlan);
    await units.close();
    await resume?.close().catch(() => undefined);
  };

  const engine: FullEngine = {
    environment: environmentName(config),
    production,
    get readOnly() {
      return writing.readOnlyBy !== null;
    },
    get readOnlyBy() {
      return writing.readOnlyBy;
    },
    unlock: typed => writing.unlock(typed),
    lock: () => writing.lock(),
    writableForMs: () => writing.liftedForMs(),
    refreshMs: parseDuration(config.refresh),
    checks: checkers.map(checker => checker.info),
    status,
    onStatus: listener => {
      const call = () => listener(status());
      listeners.add(call);
      return () => listeners.delete(call);
    },
    checker: id => find(checkers, id),
    check: (id, {selection, ...page} = {}) => {
      const checker = find(checkers, id);
      return selection
        ? selected(checker, selection, page)
        : look(checker, {...page, allowScan: options.allowScan});
    },
    sessions: (id, page) => sessionPage(find(checkers, id), page),
    plan: (id, action, selection, more) => hold(planAction(planning, id, action, selection, more)),
    planOf: (checker, action, selection, more) =>
      hold(planAction({...planning, find: () => checker}, checker.id, action, selection, more)),
    planUndo: (run, more) => hold(planUndo(planning, run, more)),
    planResume: (run, more) => hold(planResume(planning, run, more)),
    planFile: (path, mostMs, more) => hold(planFile(planning, path, mostMs, more)),
    writePlan: (plan, path, note) => writePlan(plan as HeldPlan, path, note),
    run: async (plan, more = {}) => {
      writing.require();
      return runPlan(plan, stateDirectory, more);
    },
    history: () => listRuns(stateDirectory),
    trend: id => trends.of(id),
    health: () =>
      healthReport(checkers, {environment: environmentName(config), production, allowScan, look, trends}),
    release,
    guards: async (ids, {signal} = {}) => {
      const asked = ids ? ids.map(id => find(checkers, id)) : checkers;
      return (await Promise.all(asked.map(checker => lookAtGuards(checker, signal)))).flat();
    },
    planGuards: async (id, direction, more) => (await prepareGuards(planning, id, direction, more)).plan,
    planGuardRun: (run, what, more) => planGuardRun(planning, run, what, more?.signal),
    runGuards: async (plan, more = {}) => {
      writing.require();
      return runGuardPlan(planning, plan, more);
    },
    guardScript: (id, more = {}) => guardScript(find(checkers, id), more),
    testGuards: async (id, {confirmed = [], onProof, ...more} = {}) => {
      const checker = find(checkers, id);
      writing.require();
      requireConfirmations(inProduction(config, 0, null), confirmed);
      const proofs: Proof[] = [];
      for await (const proof of proveGuards(checker, more)) {
        proofs.push(proof);
        onProof?.(proof);
      }
      return proofs;
    },
    customer: (id, more) =>
      customerReport(config, stores, checkers, id, {...more, timeoutMs: options.timeoutMs, allowScan}),
    planUnblock: async (report, more) => {
      const plans = await unblockPlans(report, (check, selection, only) =>
        planAction(planning, check, 'cancel', selection, {...more, only}),
      );
      return plans.map(held);
    },
    close: async () => {
      for (const plan of onDisk) await release(plan);
      await Promise.all([...stores.values()].map(store => store.close()));
      await trends.settled();
    },
  };
  return engine;
};

/** The check with only what a selection takes: read to its end, because some conditions are known only here. */
const selected = async (
  checker: Checker,
  selection: Parameters<typeof isChosen>[0],
  page: {offset?: number; limit?: number; signal?: AbortSignal},
) => {
  const whole = await checker.run({...page, offset: 0, limit: Number.MAX_SAFE_INTEGER});
  if (whole.status === 'error') return whole;
  const wanted = new Set(selection.findings);
  const findings = whole.findings.filter(finding => wanted.size === 0 || wanted.has(finding.id));
  return {
    ...whole,
    total: findings.length,
    findings: findings.slice(page.offset ?? 0, (page.offset ?? 0) + (page.limit ?? findings.length)),
  };
};

/** Every session that a check knows; throws `usage` for a check that lists none. */
const sessionPage = async (
  checker: Checker,
  {offset, limit, signal}: {offset: number; limit: number; signal?: AbortSignal},
): Promise<SessionPage> => {
  const list = checker.check.sessions;
  if (!list)
    throw new SesstuiError(
      'usage',
      `check ${checker.id} has no list of sessions`,
      'Only device-sessions checks do.',
    );
  return checker.ask(
    async opened => {
      const part = list(checker.config, opened.shapes);
      const survey = await opened.connector.survey(part.form, {now: opened.now, offset, limit, signal});
      return {
        total: survey.total,
        rows: survey.found.map(found => {
          const {finding} = checker.finding(part, found, opened.now);
          return {
            ...finding.rows[0]!,
            id: finding.id,
            reasons: finding.reasons,
            group: finding.group,
            ageSeconds: finding.ageSeconds,
          };
        }),
      };
    },
    {signal},
  );
};
