/** Carries units out: each in a transaction of its own where the server can, else one write after the other. */
import pLimit from 'p-limit';
import {type ApplyOptions, markOf, type Outcome, type Unit} from '../../source/connector.js';
import type {SesstuiError} from '../../source/errors.js';
import type {Access} from './client.js';
import {serverNow} from './clock.js';
import {cappedAmong, piecesOf} from './collections.js';
import type {Sight} from './decide.js';
import {mapError} from './errors.js';
import {look} from './sight.js';
import {stepwise} from './stepwise.js';
import {inTransaction, newPatience, type Patience} from './transaction.js';

/** Units whose rows are read together before they are written one by one; few, so that little changes meanwhile. */
const unitsAtOnce = 25;

/** Transactions under way at once: most of the time of one is waiting for its commit to be durable. */
const transactionsAtOnce = 4;

const all = (unit: Unit, outcome: Outcome): Outcome[] => unit.changes.map(() => outcome);
const failed = (unit: Unit, {message}: Error): Outcome[] => all(unit, {result: 'failed', error: message});

const lookOrError = async (access: Access, units: Unit[], now: number): Promise<Sight[] | Error> => {
  if (units.length === 0) return [];
  try {
    return await look(access, units, now);
  } catch (error) {
    return mapError(error, 'reading what is to be changed');
  }
};

const tablesOf = ({group, changes}: Unit): string[] => [
  ...(group ? [group.table] : []),
  ...changes.map(({table}) => table),
];

/** The units that no transaction can carry out. */
const withoutTransaction = async (access: Access, units: Unit[]): Promise<Set<Unit>> => {
  if (!access.info.transactions) return new Set(units);
  const capped = await cappedAmong(access, new Set(units.flatMap(tablesOf)));
  return new Set(units.filter(unit => tablesOf(unit).some(table => capped.has(table))));
};

/** What a unit writes: its rows, and the keeper of its group. */
const writtenBy = ({group, changes}: Unit): Set<string> =>
  new Set([
    ...(group ? [`${group.table} ${JSON.stringify(group.where)}`] : []),
    ...(group?.keeper ? [markOf(group.table, group.keeper)] : []),
    ...changes.map(({table, identity}) => markOf(table, identity)),
  ]);

/**
 * Can the units go side by side? Not where two of them write one row: the later one would conflict until it is given
 * up. What is inserted may take a key that another unit frees, so that keeps its order too.
 */
const areApart = (units: Unit[]): boolean => {
  if (units.some(({changes}) => changes.some(({op}) => op === 'insert'))) return false;
  const written = units.map(writtenBy);
  const all = new Set(written.flatMap(marks => [...marks]));
  return all.size === written.reduce((sum, {size}) => sum + size, 0);
};

/** One call of `apply`. `refusal`: what this user lacks the right to; nothing is tried any more after it. */
type Call = {options: ApplyOptions; now: number; patience: Patience; refusal: SesstuiError | null};

/** Outcomes of some units; those that a signal forestalls are skipped as `interrupted`. */
const applyPiece = async (
  access: Access,
  units: Unit[],
  apart: Set<Unit>,
  call: Call,
): Promise<Outcome[][]> => {
  const {options, now, patience} = call;
  const bare = units.filter(unit => apart.has(unit));
  const sights = await lookOrError(access, bare, now);
  const one = async (unit: Unit): Promise<Outcome[]> => {
    if (call.refusal) return failed(unit, call.refusal);
    if (options.signal?.aborted) return all(unit, {result: 'skipped', why: 'interrupted'});
    if (!apart.has(unit)) return inTransaction(access, unit, now, options, patience);
    if (sights instanceof Error) return failed(unit, sights);
    return stepwise(access, unit, sights[bare.indexOf(unit)]!, options);
  };
  const limit = pLimit(bare.length === 0 && areApart(units) ? transactionsAtOnce : 1);
  return Promise.all(units.map(unit => limit(one, unit)));
};

/**
 * See `Connector.apply`. Throws `refused` at the first write that this user may not make, where nothing was written
 * before it. A write under way is never aborted: whether it was made would not be known.
 */
export const applyUnits = async (
  access: Access,
  units: Unit[],
  options: ApplyOptions,
): Promise<Outcome[][]> => {
  const call: Call = {options, now: await serverNow(access), patience: newPatience(), refusal: null};
  const noting: Access = {
    ...access,
    onFault: fault => {
      if (fault.code === 'refused') call.refusal ??= fault;
    },
  };
  const apart = await withoutTransaction(access, units);
  const outcomes: Outcome[][] = [];
  // The first unit alone: a right that is missing shows there, and nothing else has been tried then.
  for (const piece of [units.slice(0, 1), ...piecesOf(units.slice(1), unitsAtOnce)])
    outcomes.push(...(await applyPiece(noting, piece, apart, call)));
  if (call.refusal && outcomes.flat().every(({result}) => result === 'failed')) throw call.refusal;
  return outcomes;
};
