/** No two rows are equal: a unique constraint, put in beside writers. */
import {SesstuiError} from '../../../../source/errors.js';
import type {Json} from '../../../../source/values.js';
import type {Run} from '../../session.js';
import type {Place, RuleKeeper, RuleOf} from '../rule.js';
import {proveUnique} from './proofs.js';
import {uniqueMigration, uniqueScript} from './script.js';
import {installUnique} from './unique-install.js';
import {catalogueFault, unavailable} from './unique-refusals.js';
import {constraintFault, indexFault, isUnfinished, lookAtUnique, type SeenUnique} from './unique-seen.js';
import {type Before, beforeOf, uninstallUnique} from './unique-uninstall.js';

type Unique = RuleOf<'unique'>;

const checked = async (rule: Unique, place: Place, run: Run): Promise<SeenUnique> => {
  const seen = await lookAtUnique(rule, place.table, run);
  const fault = catalogueFault(rule, place, seen);
  if (fault) throw new SesstuiError('unsupported', `${fault}.`);
  return seen;
};

export const unique: RuleKeeper<Unique> = {
  unavailable,
  async state(rule, place, run) {
    const seen = await lookAtUnique(rule, place.table, run);
    const fault = catalogueFault(rule, place, seen);
    if (fault) return {state: 'unavailable', why: fault};
    if (isUnfinished(seen)) return {state: 'drifted', why: 'an install was not finished'};
    const differs = constraintFault(seen, rule.columns);
    if (differs) return {state: 'drifted', why: `${seen.name} ${differs}`};
    if (seen.constraint) return {state: 'installed', why: null};
    if (!seen.index) return {state: 'missing', why: null};
    const index = indexFault(seen.index, rule.columns) ?? 'is an index only, not a constraint';
    return {state: 'drifted', why: `${seen.name} ${index}`};
  },
  async capture(rule, place, run): Promise<Json> {
    return beforeOf(rule, await lookAtUnique(rule, place.table, run));
  },
  async tasks(rule, place, direction, run, before) {
    const seen = await checked(rule, place, run);
    return direction === 'install'
      ? installUnique(rule, place, seen, run)
      : uninstallUnique(rule, place, seen, before as Before | null);
  },
  script: uniqueScript,
  migration: uniqueMigration,
  prove: proveUnique,
};
