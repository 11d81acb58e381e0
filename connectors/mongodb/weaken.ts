/**
 * Conditions as filters: `weaken` gives a filter that holds for every document that the condition holds for, and
 * says whether it is exact. What is not exact, the reference evaluator finishes.
 */
import type {Expr, InItem, Kind, Pred} from '../../source/forms.js';
import type {Scalar} from '../../source/values.js';
import {
  and,
  attributeName,
  type Filter,
  isPath,
  matchAll,
  matchNone,
  nor,
  ofType,
  or,
  textIn,
  uuidFilter,
  type Weak,
} from './filters.js';

/** What a filter may rest on: the store's now in microseconds, and whether the server has every BSON type. */
export type Ground = {now: number; allTypes: boolean};

const anything: Weak = {filter: matchAll, exact: false};
const exactly = (filter: Filter): Weak => ({filter, exact: true});
const atMost = (filter: Filter): Weak => ({filter, exact: false});

const kindOfAttribute = (kind: Kind, name: string): Weak => {
  if (isPath(name)) return anything;
  switch (kind) {
    case 'null':
      return exactly(ofType(name, 'null'));
    case 'missing':
      return exactly({[name]: {$exists: false}});
    case 'empty':
      return exactly({[name]: {$eq: '', $not: {$type: 'array'}}});
    case 'string':
      return exactly(ofType(name, 'string'));
    case 'array':
      return exactly({[name]: {$type: 'array'}});
    case 'uuid':
      return exactly(uuidFilter(name));
    default:
      return anything;
  }
};

/** Only text has a normal form, and only arrays are sets; otherwise the value is missing. */
const baseTypeOf = (expr: Expr): Filter | null => {
  const name = 'norm' in expr ? expr.norm : 'digest' in expr ? expr.digest : undefined;
  if (name !== undefined) return isPath(name) ? null : ofType(name, 'string');
  if ('set' in expr) return isPath(expr.set) ? null : {[expr.set]: {$type: 'array'}};
  return null;
};

const weakKind = (kind: Kind, expr: Expr): Weak => {
  if ('attr' in expr) return kindOfAttribute(kind, attributeName(expr.attr));
  const base = baseTypeOf(expr);
  if (base === null) return anything;
  if (kind === 'missing') return exactly(nor(base));
  return kind === ('set' in expr ? 'array' : 'string') ? exactly(base) : atMost(base);
};

/**
 * A pattern for text that lower-cases to this one. JavaScript lower-cases the Kelvin sign to k; no other character
 * outside ASCII becomes an ASCII one. Only punctuation may be escaped: before a letter a backslash is an operator.
 */
const anyCase = (text: string): string =>
  [...text]
    .map(char => {
      if (!/[a-z]/.test(char)) return /[0-9]/.test(char) ? char : `\\${char}`;
      return `[${char}${char.toUpperCase()}${char === 'k' ? '\u212a' : ''}]`;
    })
    .join('');

const normIn = (name: string, items: Scalar[]): Weak => {
  if (isPath(name)) return anything;
  // A normal form has no capital letters, so nothing equals a text that has.
  const texts = items.map(String).filter(text => !/[A-Z]/.test(text));
  if (texts.length > 50 || !texts.every(text => /^[!-~]+$/.test(text))) return atMost(ofType(name, 'string'));
  return atMost(or(texts.map(text => ({[name]: {$regex: anyCase(text)}}))));
};

const weakIn = (items: InItem[], expr: Expr, ground: Ground): Weak => {
  const scalars = items.filter((item): item is Scalar => !Array.isArray(item));
  const arrays = items.length > scalars.length;
  if ('attr' in expr) {
    const name = attributeName(expr.attr);
    const some = textIn(name, scalars, ground.allTypes);
    if (!arrays) return some;
    return isPath(name) ? anything : atMost(or([some.filter, {[name]: {$type: 'array'}}]));
  }
  if ('set' in expr) return arrays ? atMost(baseTypeOf(expr) ?? matchAll) : exactly(matchNone);
  if ('norm' in expr) return normIn(attributeName(expr.norm), scalars);
  if ('first' in expr)
    return atMost(or(expr.first.map(path => textIn(attributeName(path), scalars, ground.allTypes).filter)));
  return anything;
};

/** The first attribute that isn't absent decides, so the next one counts only where this one is absent. */
const instantFilter = (attributes: string[], ofDate: Filter): Filter => {
  const [name, ...others] = attributes;
  if (name === undefined) return matchNone;
  if (isPath(attributeName(name))) return matchAll;
  return or([
    {[name]: ofDate},
    {[name]: {$type: ['string', 'int', 'long', 'double']}},
    and([{[name]: {$eq: null}}, instantFilter(others, ofDate)]),
  ]);
};

const weakInstant = (expr: Expr, ofDate: Filter): Weak =>
  'instant' in expr ? atMost(instantFilter(expr.instant, ofDate)) : anything;

/** Dates have milliseconds and the store's now may have more, so the bound is rounded outward. */
const weakLeaf = (pred: Pred, ground: Ground): Weak => {
  if ('is' in pred) return weakKind(pred.is, pred.of);
  if ('in' in pred) return weakIn(pred.in, pred.of, ground);
  if ('older' in pred)
    return weakInstant(pred.of, {$lt: new Date(Math.ceil(ground.now / 1000 - pred.older))});
  if ('future' in pred) return weakInstant(pred.future, {$gte: new Date(Math.floor(ground.now / 1000))});
  return anything;
};

/** A filter for the condition, or for its contrary when `wanted` is false. */
export const weaken = (pred: Pred, ground: Ground, wanted = true): Weak => {
  if ('no' in pred) return weaken(pred.no, ground, !wanted);
  if ('all' in pred || 'any' in pred) {
    const parts = ('all' in pred ? pred.all : pred.any).map(part => weaken(part, ground, wanted));
    const join = 'all' in pred === wanted ? and : or;
    return {filter: join(parts.map(part => part.filter)), exact: parts.every(part => part.exact)};
  }
  const leaf = weakLeaf(pred, ground);
  if (wanted) return leaf;
  return leaf.exact ? exactly(nor(leaf.filter)) : anything;
};
