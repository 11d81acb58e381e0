/**
 * Predicates of the query forms as DynamoDB conditions. What DynamoDB can't express (trimming, moments in mixed
 * formats, digests, partners) is bounded from both sides: `upper` holds wherever the predicate does, `lower` only
 * where it does. The bounds change places under `no`. What `upper` lets through is judged by the evaluator.
 */
import type {Expr, InItem, Kind, Pred, Scalar} from '../../source/forms.js';
import {templateNames} from '../../source/forms.js';
import {toText} from '../../source/values.js';
import type {Attribute} from './attributes.js';
import {and, type Condition, leaf, not, or} from './condition.js';
import {isStorable, parseDecimal, plainDecimal} from './decimal.js';

export type Bounds = {lower: Condition; upper: Condition; exact: boolean};

const exactly = (condition: Condition): Bounds => ({lower: condition, upper: condition, exact: true});
const atMost = (upper: Condition): Bounds => ({lower: false, upper, exact: false});

/**
 * Where a name may lead: `a.b` is the attribute of that very name, which wins, or `b` within the map `a`; as the
 * evaluator's `valueAt` has it.
 */
export const pathsOf = (name: string): string[][] => {
  const dot = name.indexOf('.');
  if (dot < 0) return [[name]];
  return [[name], ...pathsOf(name.slice(dot + 1)).map(rest => [name.slice(0, dot), ...rest])];
};

type TypeName = 'S' | 'N' | 'NULL' | 'L' | 'SS' | 'NS' | 'BS';
const arrayTypes: TypeName[] = ['L', 'SS', 'NS', 'BS'];

const typeAt = (path: string[], types: TypeName[]): Condition =>
  or(types.map(type => leaf(b => `attribute_type(${b.path(path)}, ${b.value({S: type})})`)));
const hasType = (name: string, types: TypeName[]): Condition =>
  or(pathsOf(name).map(path => typeAt(path, types)));
const isThere = (name: string): Condition =>
  or(pathsOf(name).map(path => leaf(b => `attribute_exists(${b.path(path)})`)));
const isMissing = (name: string): Condition =>
  and(pathsOf(name).map(path => leaf(b => `attribute_not_exists(${b.path(path)})`)));

/** Exact for a plain name; for one with a dot the first path that exists decides, which no condition can say. */
const plainly = (name: string, condition: Condition): Bounds =>
  name.includes('.') ? atMost(condition) : exactly(condition);

/** Where the expression has a value at all (`types`: of which DynamoDB types; null for any). */
const present = (expr: Expr): Condition => {
  if ('attr' in expr) return isThere(expr.attr);
  if ('norm' in expr) return hasType(expr.norm, ['S']);
  if ('set' in expr) return hasType(expr.set, arrayTypes);
  if ('instant' in expr) return or(expr.instant.map(name => hasType(name, ['S', 'N'])));
  if ('fill' in expr) return and(templateNames(expr.fill).map(isThere));
  if ('digest' in expr) return hasType(expr.digest, ['S']);
  return or(expr.first.map(isThere));
};

const isKind = (kind: Kind, expr: Expr): Bounds => {
  const name = 'attr' in expr ? expr.attr : null;
  if (kind === 'missing') {
    if (name !== null) return exactly(isMissing(name));
    if ('norm' in expr && !expr.norm.includes('.')) return exactly(not(hasType(expr.norm, ['S'])));
    if ('set' in expr && !expr.set.includes('.')) return exactly(not(hasType(expr.set, arrayTypes)));
    return {lower: not(present(expr)), upper: true, exact: false};
  }
  if (kind === 'null') return name === null ? exactly(false) : plainly(name, hasType(name, ['NULL']));
  if (name === null) return atMost(present(expr));
  switch (kind) {
    case 'empty':
      return plainly(name, or(pathsOf(name).map(path => leaf(b => `${b.path(path)} = ${b.value({S: ''})}`))));
    case 'string':
      return plainly(name, hasType(name, ['S']));
    case 'array':
      return plainly(name, hasType(name, arrayTypes));
    case 'uuid':
      return atMost(
        or(
          pathsOf(name).map(path =>
            and([typeAt(path, ['S']), leaf(b => `size(${b.path(path)}) = ${b.value({N: '36'})}`)]),
          ),
        ),
      );
    default:
      return atMost(hasType(name, ['N']));
  }
};

/** The items that are not arrays: a key can only be one of these. */
export const scalarsOf = (items: InItem[]): Scalar[] =>
  items.filter((item): item is Scalar => !Array.isArray(item));

/** The attributes that people write as this text: ids come from a command line, so `7` is a number and a text. */
export const spellings = (item: Scalar): Attribute[] => {
  const text = toText(item);
  const found: Attribute[] = [{S: text}];
  const decimal = parseDecimal(text);
  if (decimal && isStorable(decimal)) found.push({N: plainDecimal(text)});
  if (text === 'true' || text === 'false') found.push({BOOL: text === 'true'});
  if (text !== '' && Buffer.from(text, 'base64').toString('base64') === text) found.push({B: text});
  return found;
};

/** IN takes at most 100 operands. */
const operandsPerIn = 100;

const isIn = (path: string[], values: Attribute[]): Condition => {
  const chunks = Array.from({length: Math.ceil(values.length / operandsPerIn)}, (_, i) =>
    values.slice(i * operandsPerIn, (i + 1) * operandsPerIn),
  );
  return or(chunks.map(chunk => leaf(b => `${b.path(path)} IN (${chunk.map(b.value).join(', ')})`)));
};

const among = (items: InItem[], expr: Expr): Bounds => {
  const names = 'attr' in expr ? [expr.attr] : 'first' in expr ? expr.first : null;
  if (items.length === 0) return exactly(false);
  if (names === null) return atMost(present(expr));
  const scalars = scalarsOf(items).flatMap(spellings);
  const distinct = [...new Map(scalars.map(value => [JSON.stringify(value), value])).values()];
  const arrays = items.some(item => Array.isArray(item)) ? arrayTypes : [];
  return atMost(or(names.flatMap(pathsOf).flatMap(path => [isIn(path, distinct), typeAt(path, arrays)])));
};

/** The bounds of a predicate (see the head of this file). */
export const weaken = (pred: Pred): Bounds => {
  if ('all' in pred || 'any' in pred) {
    const [parts, join] = 'all' in pred ? [pred.all.map(weaken), and] : [pred.any.map(weaken), or];
    return {
      lower: join(parts.map(part => part.lower)),
      upper: join(parts.map(part => part.upper)),
      exact: parts.every(part => part.exact),
    };
  }
  if ('no' in pred) {
    const {lower, upper, exact} = weaken(pred.no);
    return {lower: not(upper), upper: not(lower), exact};
  }
  if ('is' in pred) return isKind(pred.is, pred.of);
  if ('same' in pred) return atMost(and(pred.same.map(present)));
  if ('in' in pred) return among(pred.in, pred.of);
  if ('older' in pred) return atMost(present(pred.of));
  if ('future' in pred) return atMost(present(pred.future));
  return atMost(and(pred.partner.on.map(([here]) => present(here))));
};
