/**
 * An engine over findings in memory, for tests of the screen: it answers, plans, runs and takes back like the real
 * one, and can be told to be down, slow or in production. Sample data; nothing here is a store.
 */
import {SesstuiError} from '../../source/errors.js';
import {groupText, keyText} from '../../source/state/filter.js';
import type {
  CheckResult,
  Engine,
  Finding,
  Plan,
  ReadOnlyBy,
  RunSummary,
  Selection,
  SessionPage,
  ShownChange,
  StoreStatus,
} from '../../source/types.js';
import {checks, sampleFindings} from './fake-data.js';
import {createFakeGuards, type FakeGuards} from './fake-guards.js';

export type FakeOptions = {
  production?: boolean;
  readOnlyBy?: ReadOnlyBy;
  /** How long `unlock` lifts production's read-only for. */
  unlockMs?: number;
  refreshMs?: number;
  /** How many duplicate groups kite has. */
  kite?: number;
  /** Called between the changes of a run: holds it where the test wants it. */
  betweenChanges?: () => Promise<void>;
  /** The same between the steps of an install or uninstall of guards. */
  betweenSteps?: () => Promise<void>;
};

export type FakeEngine = Engine & {
  planGuardRun: FakeGuards['planGuardRun'];
  lock(): void;
  findings: Record<string, Finding[]>;
  /** The guards, to be put into another state. */
  guardItems: FakeGuards['items'];
  setDown(store: string, down: boolean): void;
  /** Names of the questions it was asked, in order. */
  asked: string[];
};

const isChosen = (finding: Finding, selection: Selection): boolean =>
  (!selection.findings || selection.findings.includes(finding.id)) &&
  (!selection.ids || selection.ids.includes(keyText(finding.rows[0]!.key))) &&
  (!selection.groups || selection.groups.includes(groupText(finding.group)));

/** What an action does to the rows of a finding. */
const changesOf = (finding: Finding, action: string, selection: Selection): ShownChange[] => {
  const keeper = selection.keepers?.[finding.id];
  return finding.rows.flatMap((row): ShownChange[] => {
    const common = {table: row.table, key: row.key, before: row.values, result: 'planned' as const};
    if (action === 'cancel') return [{...common, op: 'update', after: {...row.values, status: 'cancelled'}}];
    if (action === 'assign-ids') {
      return [
        {...common, op: 'update', after: {...row.values, sessionId: '0b9c2f7e-5d1a-4f53-8a2e-6c1d90b7e3f4'}},
      ];
    }
    const stays = keeper ? keyText(keeper.at) === keyText(row.key) : row.verdict === 'keep';
    return action !== 'purge' && stays ? [] : [{...common, op: 'delete', after: null}];
  });
};

const tallyReasons = (findings: Finding[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of findings.flatMap(finding => finding.reasons)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

export const createFakeEngine = (options: FakeOptions = {}): FakeEngine => {
  const findings = sampleFindings(options.kite);
  const down = new Set<string>();
  const listeners = new Set<(stores: StoreStatus[]) => void>();
  const runs: RunSummary[] = [];
  const asked: string[] = [];
  const planned = new Map<Plan, {findings: Finding[]; undoes: string | null}>();
  /** What each run took away, with its place. */
  const taken = new Map<string, Finding[]>();
  /** What interrupted runs were to do, and how many of their changes they made. */
  const halves = new Map<string, {plan: Plan; made: number}>();
  const environment = options.production ? 'production' : 'staging';
  let liftedUntil = 0;
  const writableForMs = (): number => Math.max(0, liftedUntil - Date.now());

  const status = (): StoreStatus[] =>
    [...new Map(checks.map(check => [check.store, check.storeKind]))].map(([store, kind]) => ({
      store,
      kind,
      state: down.has(store) ? 'down' : 'up',
      text: down.has(store) ? 'connect ECONNREFUSED 127.0.0.1:5432' : `sample ${kind}`,
      standIn: store === 'chat' ? 'sample data in memory' : null,
    }));
  const fault = (store: string): SesstuiError =>
    new SesstuiError(
      'unreachable',
      `${store} could not be reached`,
      'Is it running, and is its address right?',
    );
  const storeOf = (id: string): string => checks.find(check => check.id === id)!.store;
  const wrong = (id: string): Finding[] => (findings[id] ?? []).filter(finding => finding.reasons.length > 0);

  /** Is the row of a change still as it was when the plan was made? What an undo brings back is not there. */
  const isThere = (check: string, chosen: Finding[], change: ShownChange): boolean => {
    const has = (found: Finding[]): boolean =>
      found.some(finding => finding.rows.some(row => keyText(row.key) === keyText(change.key)));
    return (
      change.op === 'insert' || change.result !== 'planned' || !has(chosen) || has(findings[check] ?? [])
    );
  };

  const makePlan = (
    check: string,
    action: string,
    chosen: Finding[],
    changes: ShownChange[],
    undoes: string | null,
  ): Plan => {
    const table = changes[0]?.table ?? check;
    const confirmations = [
      ...(options.production ? [{expected: environment, why: 'this is production'}] : []),
      ...(action === 'purge'
        ? [{expected: `${table}:${changes.length}`, why: `${action} is never a default`}]
        : []),
    ];
    const plan: Plan = {
      check,
      action,
      planned: changes.length,
      changes,
      statements: [
        undoes ? `INSERT INTO ${table} VALUES (?)` : `DELETE FROM ${table} WHERE key = ? AND version = ?`,
      ],
      notes: action === 'purge' ? ['Accounts are left without a session.'] : [],
      confirmations,
      estimatedRows: 1204,
    };
    planned.set(plan, {findings: chosen, undoes});
    return plan;
  };

  const guarding = createFakeGuards({
    asked,
    environment,
    production: options.production ?? false,
    readOnly: () => options.readOnlyBy !== undefined && writableForMs() === 0,
    errorOf: check => (down.has(storeOf(check)) ? fault(storeOf(check)).toJSON() : null),
    found: check => tallyReasons(wrong(check)),
    clean(check) {
      findings[check] = [];
    },
    betweenSteps: options.betweenSteps,
  });

  return {
    guards: guarding.guards,
    planGuards: guarding.planGuards,
    planGuardRun: guarding.planGuardRun.bind(guarding),
    runGuards: guarding.runGuards,
    guardItems: guarding.items,
    environment,
    production: options.production ?? false,
    get readOnly() {
      return this.readOnlyBy !== null;
    },
    get readOnlyBy() {
      const by = options.readOnlyBy ?? null;
      return by === 'production' && writableForMs() > 0 ? null : by;
    },
    unlock(typed) {
      asked.push(`unlock ${typed}`);
      if (options.readOnlyBy !== 'production')
        throw new SesstuiError('read-only', 'nothing lifts this', 'Start it otherwise.');
      if (typed !== environment)
        throw new SesstuiError('confirmation', 'this is not the name', 'Type it exactly.');
      const ms = options.unlockMs ?? 900_000;
      liftedUntil = Date.now() + ms;
      return ms;
    },
    lock() {
      asked.push('lock');
      liftedUntil = 0;
    },
    writableForMs,
    refreshMs: options.refreshMs ?? 5000,
    checks,
    findings,
    asked,
    status,
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setDown(store, isDown) {
      if (isDown) down.add(store);
      else down.delete(store);
      for (const listener of listeners) listener(status());
    },
    async check(id, {selection = {}, offset = 0, limit = 1000} = {}): Promise<CheckResult> {
      asked.push(`check ${id} ${offset}`);
      const {kind, store} = checks.find(check => check.id === id)!;
      const found = down.has(store) ? [] : wrong(id).filter(finding => isChosen(finding, selection));
      const bySeverity = {critical: 0, warning: 0, info: 0};
      for (const finding of found) bySeverity[finding.severity]++;
      const common = {
        check: id,
        kind,
        store,
        bySeverity,
        tookMs: 12,
        findings: found.slice(offset, offset + limit),
      };
      return down.has(store)
        ? {...common, status: 'error', total: 0, byReason: {}, at: null, error: fault(store).toJSON()}
        : {
            ...common,
            status: found.length > 0 ? 'fail' : 'pass',
            total: found.length,
            byReason: tallyReasons(found),
            at: '2026-11-21T01:42:10.000Z',
          };
    },
    async sessions(id, {offset, limit}): Promise<SessionPage> {
      asked.push(`sessions ${id} ${offset}`);
      if (down.has(storeOf(id))) throw fault(storeOf(id));
      const all = findings[id] ?? [];
      const rows = all
        .slice(offset, offset + limit)
        .map(({rows: [row], reasons, group, ageSeconds}) => ({...row!, reasons, group, ageSeconds}));
      return {total: all.length, rows};
    },
    async plan(id, action, selection) {
      asked.push(`plan ${id} ${action} ${JSON.stringify(selection)}`);
      if (down.has(storeOf(id))) throw fault(storeOf(id));
      const chosen = (findings[id] ?? []).filter(
        finding =>
          finding.actions.includes(action) &&
          isChosen(finding, selection) &&
          (!finding.byHand || selection.findings || selection.ids),
      );
      return makePlan(
        id,
        action,
        chosen,
        chosen.flatMap(finding => changesOf(finding, action, selection)),
        null,
      );
    },
    async planUndo(name) {
      const run = runs.find(item => item.run === name);
      if (!run) throw new SesstuiError('not-found', `there is no run ${name}`, 'Look at the runs.');
      const back = taken.get(name) ?? [];
      const changes = back
        .flatMap(finding => changesOf(finding, run.action, {}))
        .map(
          (change): ShownChange =>
            change.op === 'delete'
              ? {...change, op: 'insert', before: null, after: change.before}
              : {...change, before: change.after, after: change.before},
        );
      return makePlan(run.check, 'undo', back, changes, name);
    },
    async planResume(name) {
      asked.push(`planResume ${name}`);
      const half = halves.get(name);
      const run = runs.find(item => item.run === name);
      if (!half || !run)
        throw new SesstuiError('usage', `run ${name} was not interrupted`, 'Look at the runs.');
      const changes = half.plan.changes.map(
        (change, index): ShownChange => (index < half.made ? {...change, result: 'applied'} : change),
      );
      const from = planned.get(half.plan)!;
      const plan: Plan = {
        ...half.plan,
        changes,
        notes: [`${half.made} were made before it stopped.`],
        resumes: name,
      };
      planned.set(plan, from);
      return plan;
    },
    async run(plan, {confirmed = [], note, signal, onProgress} = {}) {
      asked.push(`run ${plan.check} ${plan.action}${note === undefined ? '' : `, because ${note}`}`);
      if (this.readOnly) throw new SesstuiError('read-only', 'production is read-only', ':write lifts it.');
      const from = planned.get(plan)!;
      if (plan.confirmations.some(({expected}, index) => confirmed[index] !== expected)) {
        throw new SesstuiError('confirmation', 'the confirmation was not typed', 'Type it exactly.');
      }
      const changes: ShownChange[] = [];
      for (const change of plan.changes) {
        if (signal?.aborted) break;
        const outcome: ShownChange = isThere(plan.check, from.findings, change)
          ? {...change, result: 'applied'}
          : {...change, result: 'skipped', why: 'gone'};
        changes.push(outcome);
        if (change.result !== 'planned') continue;
        onProgress?.({phase: 'changes', done: changes.length, total: plan.planned, outcome});
        await options.betweenChanges?.();
      }
      const interrupted = changes.length < plan.changes.length;
      const ids = new Set(from.findings.map(finding => finding.id));
      const kept = (findings[plan.check] ?? []).filter(finding => !ids.has(finding.id));
      if (!interrupted) findings[plan.check] = from.undoes ? [...from.findings, ...kept] : kept;
      const run = plan.resumes ?? `20261121T0142${String(10 + runs.length)}Z-7f3${runs.length}`;
      taken.set(run, from.findings);
      halves.delete(run);
      if (interrupted) halves.set(run, {plan, made: changes.length});
      if (plan.resumes)
        runs.splice(
          runs.findIndex(item => item.run === run),
          1,
        );
      for (const item of runs) if (item.run === from.undoes) item.state = 'undone';
      const applied = changes.filter(change => change.result === 'applied').length;
      const skipped = changes.length - applied;
      const counts = {planned: plan.planned, applied, skipped, failed: 0, unknown: 0};
      runs.unshift({
        ...counts,
        run,
        at: '2026-11-21T01:42:10.000Z',
        by: 'mara@ops-1',
        check: plan.check,
        action: plan.action,
        state: interrupted ? 'interrupted' : 'done',
        note: note ?? null,
        undoes: from.undoes,
      });
      return {
        ...counts,
        run,
        dryRun: false,
        check: plan.check,
        action: plan.action,
        remaining: wrong(plan.check).length,
        changes,
        notes: [],
        interrupted,
      };
    },
    trend: id => ({check: id, points: []}),
    async history() {
      asked.push('history');
      return runs.map(run => ({...run}));
    },
    async close() {},
  };
};
