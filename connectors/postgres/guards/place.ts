/** The table that a guard is for, as it is now. */
import {SesstuiError} from '../../../source/errors.js';
import type {GuardRule} from '../../../source/guards.js';
import type {Known} from '../known.js';
import type {Run, Session} from '../session.js';
import type {Limits} from './limits.js';
import type {Place} from './rule.js';
import {keeperOf, refusal} from './rules.js';

export type GuardAccess = {session: Session; known: Known; store: string; readOnly: boolean; limits?: Limits};

const otherKinds: Record<string, string> = {
  v: 'a view',
  m: 'a materialised view',
  f: 'a foreign table',
};

/** The place, or why there is none. */
const placeOf = async (name: string, known: Known, run: Run): Promise<Place | string> => {
  const {lower} = await known.server(run);
  const table = await known.table(name, run);
  if (!table) return `there is no table "${name}"`;
  const kind = otherKinds[table.kind];
  if (kind) return `"${name}" is ${kind}, which has no triggers, constraints or indexes of the kind`;
  return {table, lower};
};

/** Where the rule goes, or why it can't. */
export const findPlace = async (rule: GuardRule, known: Known, run: Run): Promise<Place | string> => {
  const why = refusal(rule);
  if (why) return why;
  const place = await placeOf(rule.table, known, run);
  return typeof place === 'string' ? place : (keeperOf(rule).unavailable(rule, place) ?? place);
};

/** The same; throws `unsupported` where it can't. */
export const placeOrThrow = async (rule: GuardRule, known: Known, run: Run): Promise<Place> => {
  const place = await findPlace(rule, known, run);
  if (typeof place === 'string') throw new SesstuiError('unsupported', place);
  return place;
};
