/** A plan that somebody else reviews: written to a file, and made anew from it when it is carried out. */

import {type Change, canonicalJson, type Unit} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import {isSameServer} from '../../same-server.js';
import {isSecretColumn} from '../../secrets.js';
import type {ShownChange} from '../../types.js';
import type {Json} from '../../values.js';
import {whoami} from '../run/open-run.js';
import {dealtReasons} from '../selecting.js';
import {
  estimateOf,
  type HeldPlan,
  headerOf,
  hold,
  isDrastic,
  type Planning,
  type PlanningOptions,
  shownOf,
} from './held-plan.js';
import {
  hashOfChange,
  type PlanFileChange,
  readPlanFile,
  requireFresh,
  wasEdited,
  writePlanFile,
} from './plan-file.js';
import {makePlan} from './planner.js';
import {UnitSpool} from './units.js';

/** Writes the plan of an action to a file, for someone else to review. Throws `usage` where the file is there. */
export const writePlan = async (plan: HeldPlan, path: string, note: string | null): Promise<void> => {
  const {units, header, source} = plan.held;
  if (!source) throw new SesstuiError('usage', 'only the plan of an action can be written to a file');
  const changes: PlanFileChange[] = [];
  let number = 0;
  for await (const unit of units) {
    for (const change of unit.changes) refuseSecretValues(change, plan.held.secrets);
    for (const [index, change] of unit.changes.entries())
      changes.push({
        unit: number,
        change: index,
        is: hashOfChange(change),
        shown: plan.changes[changes.length]!,
      });
    number++;
  }
  const {check, action, notes, statements, planned} = plan;
  const {environment, server} = header;
  await writePlanFile(path, {
    header: {
      sesstui: 'plan',
      version: 1,
      check,
      action,
      environment,
      server,
      at: new Date().toISOString(),
      by: whoami(),
      note,
      ...source,
      planned,
      notes,
      statements,
    },
    changes,
  });
};

/** The file has what new ids are made from: whoever reads it could make those of a secret column. */
const refuseSecretValues = (change: Change, secrets: string[]): void => {
  const names = 'set' in change && change.set ? Object.keys(change.set) : [];
  const secret = names.find(name => isSecretColumn(name, secrets));
  if (secret !== undefined)
    throw new SesstuiError(
      'unsupported',
      `the plan sets ${secret}, which is secret: a file would tell it`,
      'Carry the plan out without a file.',
    );
};

/**
 * A reviewed plan: made anew, and of that exactly what the file has. Changes of the file that the action would not
 * make any more, or not to these rows as they are now, are skipped. Throws `usage` for a file that was edited, is
 * older than `mostMs`, or was made for another server.
 */
export const planFile = async (
  planning: Planning,
  path: string,
  mostMs: number,
  options: PlanningOptions = {},
): Promise<HeldPlan> => {
  const file = await readPlanFile(path);
  const {check, action, selection, seed, server, note} = file.header;
  const checker = planning.find(check);
  const now = await checker.store.ask(connector => connector.now(), {insist: true});
  const header = await headerOf(planning, checker, action, selection.reasons ?? []);
  if (!isSameServer(header.server, server))
    throw new SesstuiError(
      'usage',
      `${path} was made for another server (${server}) than store ${header.store} is (${header.server})`,
      'Point the store at that server, or make the plan again for this one.',
    );
  requireFresh(path, file.header, now, mostMs);
  const {limit: _, ...whole} = selection;
  const {stateDirectory, allowScan} = planning;
  const made = await makePlan(checker, action, whole, {...options, allowScan, stateDirectory, seed});
  const {units, found} = await inFile(made.units, file.changes, stateDirectory);
  await made.units.close();
  const shown = await shownOf(checker, made, units);
  requireAsShown(path, file.changes, found, shown);
  const dropped = file.changes
    .filter(({is}) => !found.includes(is))
    .map(({shown}): ShownChange => ({...shown, result: 'skipped', why: shown.why ?? 'changed'}));
  return hold(planning.config, checker, {
    action,
    notes: [`${path}: planned by ${file.header.by} at ${file.header.at}`, ...made.notes],
    units,
    shown: [...shown, ...dropped],
    estimatedRows: estimateOf(checker, made.opened.shapes),
    drastic: isDrastic(checker, action),
    madeIn: file.header.environment,
    header: {
      ...header,
      reasons: selection.reasons ?? dealtReasons(checker.check, action, selection),
      ...(dropped.length > 0 ? {dropped: dropped.length} : {}),
    },
    note,
  });
};

/** Of each unit only the changes that the file has; none, where one that all others need is missing. */
const inFile = async (
  units: AsyncIterable<Unit>,
  changes: PlanFileChange[],
  stateDirectory: string,
): Promise<{units: UnitSpool; found: string[]}> => {
  const wanted = new Set(changes.map(({is}) => is));
  const found: string[] = [];
  const kept = new UnitSpool(stateDirectory);
  for await (const unit of units) {
    const own = unit.changes.filter(change => wanted.has(hashOfChange(change)));
    const whole = own.length === unit.changes.length || !unit.changes.some(({required}) => required);
    if (own.length === 0 || !whole) continue;
    for (const change of own) found.push(hashOfChange(change));
    await kept.add({...unit, changes: own});
  }
  return {units: kept, found};
};

/** What was reviewed is what people saw, not the hash beside it. Throws `usage` where the two differ. */
const requireAsShown = (
  path: string,
  changes: PlanFileChange[],
  found: string[],
  shown: ShownChange[],
): void => {
  const reviewed = new Map(changes.map(({is, shown: told}) => [is, canonicalJson(told as unknown as Json)]));
  for (const [index, is] of found.entries())
    if (reviewed.get(is) !== canonicalJson(shown[index] as unknown as Json)) throw wasEdited(path);
};
