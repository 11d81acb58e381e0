/** Runs that bring rows into the form that guards want: the check's own clean-up first, then arrays sorted. */
import type {Change, NewValue, Row} from '../../connector.js';
import {asSesstuiError, SesstuiError} from '../../errors.js';
import {exprValue} from '../../evaluate.js';
import type {Guard, GuardProgress} from '../../guards.js';
import type {RunResult} from '../../types.js';
import {isAbsent, toJson} from '../../values.js';
import type {Checker} from '../checker.js';
import {listHeaders, type PlanHeader, readRunIfThere, summaryOf} from '../disk/run-files.js';
import {
  estimateOf,
  type HeldPlan,
  headerOf,
  hold,
  type Planning,
  showerOf,
  shownChanges,
} from '../plan/held-plan.js';
import {planAction, planResume} from '../plan/plans.js';
import {UnitSpool} from '../plan/units.js';
import {runPlan} from '../run/runs.js';

type Arrange = NonNullable<Guard['arrange']>;

/** The guards' actions, each with the reasons that it deals with. */
const cleanings = (checker: Checker, guards: Guard[]): {action: string; reasons: string[]}[] => {
  const wanted = new Map<string, string[]>();
  for (const {findings} of guards)
    if (findings) wanted.set(findings.action, [...(wanted.get(findings.action) ?? []), ...findings.reasons]);
  return [...wanted].map(([action, reasons]) => ({
    action,
    reasons: checker.check.reasons
      .filter(({name, actions}) => reasons.includes(name) && actions.includes(action))
      .map(({name}) => name),
  }));
};

/** Each array of the row that is not sorted as `{set: …}` is, sorted so. */
const sortedArrays = ({values}: Row, columns: string[]): Record<string, NewValue> =>
  Object.fromEntries(
    columns.flatMap((column): [string, NewValue][] => {
      const value = exprValue({set: column}, values);
      const isSame = JSON.stringify(toJson(value)) === JSON.stringify(toJson(values[column]));
      return isAbsent(value) || isSame ? [] : [[column, {value}]];
    }),
  );

/** A row that somebody else puts in order meanwhile is left alone (`still`). */
const arranging = async (
  planning: Planning,
  checker: Checker,
  {form, action, columns}: Arrange,
  signal?: AbortSignal,
): Promise<HeldPlan> =>
  checker.ask(
    async opened => {
      const {connector, shapes, now} = opened;
      await checker.refuseScan(opened, {allowScan: planning.allowScan, signal, forms: [form]});
      const units = new UnitSpool(planning.stateDirectory);
      const still = form.form === 'rows' ? {still: form.where} : {};
      for await (const {rows} of connector.read(form, {now, full: true, signal})) {
        for (const row of rows) {
          const {table, identity, version, image} = row;
          const set = sortedArrays(row, columns);
          if (Object.keys(set).length === 0) continue;
          const change: Change = {
            op: 'update',
            table,
            identity,
            version: version!,
            image: image!,
            set,
            ...still,
          };
          await units.add({group: null, changes: [change]});
        }
      }
      return hold(planning.config, checker, {
        action,
        notes: [],
        units,
        shown: await shownChanges(units, showerOf(connector, shapes, checker.config.secrets)),
        estimatedRows: estimateOf(checker, shapes),
        header: await headerOf(planning, checker, action, []),
      });
    },
    {signal, insist: true},
  );

export type Mending = {planning: Planning; checker: Checker; guards: Guard[]; signal?: AbortSignal};

/**
 * The plans, each made when the one before it was used: sorting moves rows, and of copies without a key the first is
 * the one that lies first, so what is cleaned is cleaned before. The caller closes each.
 */
async function* mendingPlans(
  {planning, checker, guards, signal}: Mending,
  clean = true,
): AsyncGenerator<HeldPlan> {
  if (clean)
    for (const {action, reasons} of cleanings(checker, guards))
      if (reasons.length > 0) yield await planAction(planning, checker.id, action, {reasons}, {signal});
  for (const {arrange} of guards) if (arrange) yield await arranging(planning, checker, arrange, signal);
}

/** What the plans would change now. */
export const plannedMends = async (
  mending: Mending,
  clean: boolean,
): Promise<{action: string; changes: number}[]> => {
  const mends: {action: string; changes: number}[] = [];
  for await (const plan of mendingPlans(mending, clean)) {
    if (plan.planned > 0) mends.push({action: plan.action, changes: plan.planned});
    await plan.held.units.close();
  }
  return mends;
};

/** Runs of the check that mended rows for an install and were cut off. */
export const cutOffMends = async (
  {stateDirectory}: Pick<Planning, 'stateDirectory'>,
  checker: Checker,
): Promise<PlanHeader[]> => {
  const cutOff: PlanHeader[] = [];
  for (const {run, check, mends} of await listHeaders(stateDirectory)) {
    if (mends === undefined || check !== checker.id) continue;
    const record = await readRunIfThere(stateDirectory, run);
    if (record && summaryOf(record).state === 'interrupted') cutOff.push(record.header);
  }
  return cutOff;
};

/** Each of them is finished under its own name; which ones. */
export const finishCutOff = async ({planning, checker, signal}: Mending): Promise<string[]> => {
  const finished: string[] = [];
  for (const {run} of await cutOffMends(planning, checker)) {
    try {
      const plan = await planResume(planning, run, {signal});
      const confirmed = plan.confirmations.map(({expected}) => expected);
      await runPlan(plan, planning.stateDirectory, {confirmed, lookAgain: false, signal});
      finished.push(run);
    } catch (error) {
      // Another server, another configuration, another process, a backup that was changed: it stays for a person.
      if (!['usage', 'damaged'].includes(asSesstuiError(error).code)) throw error;
    }
  }
  return finished;
};

type Mended = {results: RunResult[]; applied: number; interrupted: boolean};

/**
 * Carries them out, a run of its own each. What was confirmed covers `allowed` changes; throws `confirmation` before a
 * run that would go beyond it.
 */
export const mend = async (
  mending: Mending,
  options: {
    note: string;
    /** The install that they are made for. */
    run: string;
    allowed: number;
    onProgress?: (progress: Omit<GuardProgress, 'guard'>) => void;
  },
): Promise<Mended> => {
  const {planning, signal} = mending;
  const mended: Mended = {results: [], applied: 0, interrupted: false};
  for await (const plan of mendingPlans(mending)) {
    try {
      if (plan.planned === 0) continue;
      if (plan.confirmations.length > 0 && plan.planned > options.allowed)
        throw tooMany(plan, options.allowed);
      plan.held.header = {...plan.held.header, mends: options.run};
      const result = await runPlan(plan, planning.stateDirectory, {
        note: options.note,
        confirmed: plan.confirmations.map(({expected}) => expected),
        lookAgain: false,
        signal,
        onProgress: ({done, total}) =>
          options.onProgress?.({
            step: 'mend',
            text: `${plan.action}: ${done}${total === null ? '' : ` of ${total}`}`,
          }),
      });
      mended.results.push(result);
      mended.applied += result.applied;
      if (result.interrupted || signal?.aborted) return {...mended, interrupted: true};
    } finally {
      await plan.held.units.close();
    }
  }
  return mended;
};

const tooMany = ({action, planned}: HeldPlan, allowed: number): SesstuiError =>
  new SesstuiError(
    'confirmation',
    `meanwhile ${action} would change ${planned} rows, and ${allowed} were confirmed`,
    'Look at the plan again (without --yes).',
  );
