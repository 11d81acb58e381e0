/** A plan that was shown, carried out: alone at its tables, from a new look at what is there. */
import type {Connector} from '../../connector.js';
import type {GuardPlan, GuardResult} from '../../guards.js';
import {nothingDone} from '../../words.js';
import type {Checker} from '../checker.js';
import {requireConfirmations} from '../confirmations.js';
import type {Planning} from '../plan/held-plan.js';
import {whoami} from '../run/open-run.js';
import {refuseInTheWay} from './begin.js';
import {type Prepared, prepareGuards} from './prepare.js';
import {settleEarlier} from './records.js';
import {guardsOf, shapesOf} from './rules.js';
import {type GuardRunOptions, nothingYet, writeGuards} from './run.js';

/** What was cut off and needs nothing more is closed by the next run of the same guards, and this tells by whom. */
const settle = (planning: Planning, {plan, records, stay}: Prepared, run: string | null): Promise<void> =>
  settleEarlier(planning.stateDirectory, records, {
    direction: plan.direction,
    guards: [...plan.guards, ...stay],
    by: run ?? whoami(),
    of: plan.of,
  });

/** Nothing was to be done, or is any more. */
const doneAlready = async (planning: Planning, prepared: Prepared): Promise<GuardResult> => {
  const {plan} = prepared;
  await settle(planning, prepared, null);
  return nothingYet(plan, [...plan.notes, nothingDone]);
};

/** Throws `usage` while another install or uninstall is at the tables of the plan. */
const hold = async (
  checker: Checker,
  writer: Connector,
  {guards}: GuardPlan,
  signal?: AbortSignal,
): Promise<{release(): Promise<void>} | undefined> => {
  const keeper = writer.guards;
  if (!keeper.hold) return undefined;
  const had = guardsOf(checker, keeper, await shapesOf(checker, writer, signal));
  const rules = had.filter(({guard}) => guards.includes(guard.name)).map(({guard}) => guard.rule);
  return keeper.hold(rules, signal);
};

/** Looks again first. Throws what keeps it from being carried out, before anything was written. */
export const runGuardPlan = async (
  planning: Planning,
  shown: GuardPlan,
  options: GuardRunOptions,
): Promise<GuardResult> => {
  const {check, direction, guards, clean, of} = shown;
  const {signal, confirmed = []} = options;
  const prepare = (): Promise<Prepared> =>
    prepareGuards(planning, check, direction, {guards, clean, of, signal});
  requireConfirmations(shown.confirmations, confirmed);
  if (shown.steps.length === 0) {
    const prepared = await prepare();
    if (prepared.plan.steps.length === 0) return doneAlready(planning, prepared);
  }
  const checker = planning.find(check);
  const writer = await checker.store.openWriter();
  let held: {release(): Promise<void>} | undefined;
  try {
    held = await hold(checker, writer, shown, signal);
    // What another install did until it let go is no part of this one.
    const prepared = await prepare();
    refuseInTheWay(prepared);
    requireConfirmations(prepared.plan.confirmations, confirmed);
    if (prepared.plan.steps.length === 0) return await doneAlready(planning, prepared);
    signal?.throwIfAborted();
    const result = await writeGuards(planning, prepared, writer, options);
    if (!result.error && !result.interrupted) await settle(planning, prepared, result.run);
    return result;
  } finally {
    await held?.release();
    await writer.close();
  }
};
