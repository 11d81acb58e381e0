/** Query forms → the projection and filter of a DynamoDB request. Pure: no client, no table. */
import {
  attributesOf,
  attributesOfForm,
  attributesOfPred,
  type Form,
  type Pred,
  type Tally,
} from '../../source/forms.js';
import {type Bindings, bindings} from './bindings.js';
import {fits, render} from './condition.js';
import {pathsOf, weaken} from './weaken.js';

/** The parts of a Scan, Query or BatchGetItem request that say what to read. */
export type Compiled = {
  /** Attributes to read; undefined reads the whole item. */
  projection: string | undefined;
  /** What DynamoDB can decide of the predicate; undefined lets everything through. */
  filter: string | undefined;
  /** True where the filter is the predicate itself and not only a superset of it. */
  exact: boolean;
  /** No row can match: nothing has to be asked. */
  empty: boolean;
  request: ReturnType<Bindings['request']>;
};

/** A projection must not name a path and a part of it: `a` covers `a.b`. */
const withoutOverlaps = (paths: string[][]): string[][] => {
  const distinct = [...new Map(paths.map(path => [JSON.stringify(path), path])).values()];
  const covers = (a: string[], b: string[]): boolean =>
    a.length < b.length && a.every((step, i) => step === b[i]);
  return distinct.filter(path => !distinct.some(other => covers(other, path)));
};

const compileWith = (where: Pred, attributes: string[] | null, filtering: boolean): Compiled => {
  const bound = bindings();
  const {upper, exact} = filtering ? weaken(where) : {upper: true, exact: false};
  const projection = attributes
    ? withoutOverlaps(attributes.flatMap(pathsOf)).map(bound.path).join(', ')
    : undefined;
  const filter = typeof upper === 'boolean' ? undefined : render(upper, bound);
  return {projection, filter, exact, empty: upper === false, request: bound.request()};
};

/** Reads `attributes` (null: all of them) of the rows that may satisfy `where`. */
export const compile = (where: Pred, attributes: string[] | null): Compiled => {
  const compiled = compileWith(where, attributes, true);
  // A filter beyond DynamoDB's limits is left out: the evaluator decides then.
  return compiled.filter === undefined || fits(compiled.filter)
    ? compiled
    : compileWith(where, attributes, false);
};

/** Reads `attributes` of every row that is asked for by its key. */
export const compileProjection = (attributes: string[] | null): Compiled =>
  compileWith({all: []}, attributes, false);

/** Every attribute that a form reads; the key comes with each row. */
export const compileForm = (form: Form, key: string[]): Compiled =>
  compile(form.where, [...new Set([...key, ...attributesOfForm(form)])]);

export const attributesOfTally = (form: Tally): string[] => [
  ...new Set([...attributesOf(form.by), ...(form.where ? attributesOfPred(form.where) : [])]),
];
