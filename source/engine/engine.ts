/** The engine: what the screen, the command line and the library call. Opens nothing before it is asked. */
import {join} from 'node:path';
import type {Shapes} from '../checks/check.js';
import {parseDuration} from '../config/duration.js';
import {nearest} from '../config/nearest.js';
import {type Config, environmentName, isProduction} from '../config/schema.js';
import type {Connector, Unit} from '../connector.js';
import {SesstuiError} from '../errors.js';
import type {Engine, Plan, RunResult, RunSummary, SessionPage, ShownChange} from '../types.js';
import {Checker} from './checker.js';
import {type Confirmation, confirmationsFor, requireConfirmations} from './confirmations.js';
import {type CustomerReport, customerReport} from './customer.js';
import {type HealthReport, healthReport} from './health.js';
import {makePlan} from './planner.js';
import {listRuns, type PlanHeader, readRun} from './run-files.js';
import {carryOut} from './runner.js';
import {dealtReasons, type isChosen} from './selecting.js';
import {showChange, statementsOf} from './shown.js';
import {JsonLines, runsDirectory} from './state-files.js';
import {type OpenConnector, openStores, type Store} from './stores.js';
import {holdRun, makeUndo} from './undo.js';

export type EngineOptions = {
  stateDirectory: string;
  open: OpenConnector;
  /** --read-only: nothing lifts it. */
  readOnly?: boolean;
  timeoutMs?: number;
  allowScan?: boolean;
};

/** A plan with what only the engine needs to carry it out. */
type HeldPlan = Plan & {
  held: {
    checker: Checker;
    units: Unit[];
    header: Omit<PlanHeader, 'run' | 'at' | 'by' | 'planned' | 'note'>;
    confirmations: Confirmation[];
    /** Of an undo: how many changes earlier undos of the same run had taken back. */
    takenBefore: number;
  };
};

export type FullEngine = Engine & {
  health(): Promise<HealthReport>;
  customer(id: string): Promise<CustomerReport>;
  checker(id: string): Checker;
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

/** How many findings of these reasons a check has. */
const countRemaining = async (checker: Checker, reasons: string[]): Promise<number> => {
  if (reasons.length === 0) return 0;
  return checker.ask(
    async opened => {
      let count = 0;
      const parts = opened.parts.filter(({form}) =>
        Object.keys(form.form === 'groups' ? form.having : form.tags).some(name => reasons.includes(name)),
      );
      for await (const {judged} of checker.findings(opened, {parts}))
        if (judged.reasons.some(reason => reasons.includes(reason))) count++;
      return count;
    },
    {insist: true},
  );
};

/** Every change of a plan as people read it, in the plan's order. */
const shownChanges = (
  checker: Checker,
  units: Unit[],
  connector: Connector,
  shapes: Shapes,
): ShownChange[] => {
  const keys = Object.fromEntries(Object.values(shapes).map(shape => [shape.table, shape.key]));
  return units.flatMap(({changes}) =>
    changes.map(change => showChange(change, connector, checker.config.secrets, keys)),
  );
};

export const openEngine = (config: Config, options: EngineOptions): FullEngine => {
  const listeners = new Set<() => void>();
  const stores = openStores(config, options.open, options.timeoutMs, () => {
    for (const listener of listeners) listener();
  });
  const checkers = openCheckers(config, stores);
  const production = isProduction(config);
  const neverWrites = (options.readOnly ?? false) || config.readOnly === true;
  const status = () => [...stores.values()].map(store => store.status);

  const requireWriting = (): void => {
    if (!neverWrites) return;
    throw new SesstuiError(
      'read-only',
      options.readOnly ? '--read-only was given' : 'the configuration says readOnly: true',
      'Nothing lifts this: run it without --read-only, with a configuration that allows writing.',
    );
  };

  const hold = (
    checker: Checker,
    units: Unit[],
    shown: ShownChange[],
    about: {
      action: string;
      notes: string[];
      estimatedRows: number | null;
      drastic: boolean;
      header: HeldPlan['held']['header'];
      takenBefore?: number;
    },
  ): HeldPlan => {
    const confirmations = confirmationsFor(config, {
      changes: shown,
      table: checker.check.table(checker.config),
      ...about,
    });
    return {
      check: checker.id,
      action: about.action,
      planned: shown.length,
      changes: shown,
      statements: statementsOf(shown),
      notes: about.notes,
      confirmations: confirmations.map(({expected, why}) => ({expected, why})),
      estimatedRows: about.estimatedRows,
      held: {checker, units, header: about.header, confirmations, takenBefore: about.takenBefore ?? 0},
    };
  };

  const headerOf = async (checker: Checker, action: string, reasons: string[]) => ({
    store: checker.store.name,
    check: checker.id,
    action,
    environment: environmentName(config),
    server: (await checker.store.ask(connector => connector.server())).id,
    undoes: null,
    reasons,
  });

  const engine: FullEngine = {
    environment: environmentName(config),
    production,
    readOnly: neverWrites || (production && config.readOnly === undefined),
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
        : checker.run({...page, allowScan: options.allowScan});
    },
    sessions: (id, page) => sessionPage(find(checkers, id), page),
    plan: async (id, action, selection, planOptions = {}) => {
      const checker = find(checkers, id);
      const {units, notes, opened} = await makePlan(checker, action, selection, {
        ...planOptions,
        allowScan: options.allowScan,
      });
      const shown = await checker.store.ask(async connector =>
        shownChanges(checker, units, connector, opened.shapes),
      );
      const reasons = selection.reasons ?? dealtReasons(checker.check, action, selection);
      return hold(checker, units, shown, {
        action,
        notes,
        estimatedRows: opened.shapes[checker.check.table(checker.config)]?.estimatedRows ?? null,
        drastic: checker.check.actions.find(({name}) => name === action)?.drastic ?? false,
        header: await headerOf(checker, action, reasons),
      });
    },
    planUndo: async (run, {signal} = {}) => {
      const done = await readRun(options.stateDirectory, run);
      const checker = find(checkers, done.header.check);
      return checker.ask(
        async ({connector, shapes}) => {
          const {record, units, takenBefore} = await makeUndo(connector, options.stateDirectory, run, signal);
          const shown = shownChanges(checker, units, connector, shapes);
          const header = {...record.header, action: 'undo', undoes: run};
          return hold(checker, units, shown, {
            action: 'undo',
            notes: [`takes back ${record.header.action} of ${record.header.at}`],
            estimatedRows: null,
            drastic: false,
            header,
            takenBefore,
          });
        },
        {insist: true, signal},
      );
    },
    run: async (plan, {note, confirmed = [], ratePerSecond, signal, onProgress} = {}): Promise<RunResult> => {
      requireWriting();
      const {checker, units, header, confirmations, takenBefore} = (plan as HeldPlan).held;
      requireConfirmations(confirmations, confirmed);
      const counts = {applied: 0, skipped: 0, failed: 0, unknown: 0};
      const result: RunResult = {
        run: null,
        dryRun: false,
        check: plan.check,
        action: plan.action,
        planned: plan.planned,
        ...counts,
        remaining: null,
        changes: plan.changes,
        notes: plan.notes,
        interrupted: false,
      };
      if (units.length > 0) {
        const release = header.undoes
          ? await holdRun(options.stateDirectory, header.undoes, takenBefore)
          : undefined;
        let writer: Connector | undefined;
        try {
          writer = await checker.store.openWriter();
          const report = await carryOut(writer, {
            stateDirectory: options.stateDirectory,
            header: {...header, note: note ?? null},
            units,
            shown: plan.changes,
            secrets: checker.config.secrets,
            ratePerSecond,
            signal,
            onProgress,
          });
          Object.assign(result, report);
        } finally {
          await writer?.close();
          await release?.();
        }
      }
      for (const change of result.changes) if (change.result !== 'planned') result[change.result]++;
      const whole = !result.interrupted && result.applied === result.planned;
      if (header.undoes && whole && result.run)
        await markUndone(options.stateDirectory, header.undoes, result.run);
      onProgress?.({phase: 'looking', done: 0, total: null});
      result.remaining = await countRemaining(checker, header.reasons).catch(() => null);
      return result;
    },
    history: (): Promise<RunSummary[]> => listRuns(options.stateDirectory),
    health: () => healthReport(checkers, environmentName(config), production),
    customer: id => customerReport(config, stores, checkers, id),
    close: async () => {
      await Promise.all([...stores.values()].map(store => store.close()));
    },
  };
  return engine;
};

const markUndone = async (stateDirectory: string, run: string, by: string): Promise<void> => {
  const journal = await JsonLines.open(join(runsDirectory(stateDirectory), run, 'journal.jsonl'), true);
  try {
    await journal.append([{event: 'undone', at: new Date().toISOString(), by}]);
  } finally {
    await journal.close();
  }
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
