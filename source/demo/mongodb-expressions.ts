import {Context, ProcessingMode} from 'mingo';
import {Aggregator} from 'mingo/aggregator';
import {evalExpr} from 'mingo/core';
import * as accumulators from 'mingo/operators/accumulator';
import * as operators from 'mingo/operators/expression';
import * as stages from 'mingo/operators/pipeline';
import * as projections from 'mingo/operators/projection';
import * as queries from 'mingo/operators/query';
import * as windows from 'mingo/operators/window';
import type {Any, AnyObject, Options} from 'mingo/types';
import {failed, MongodbFailure} from './mongodb-errors.js';
import {compare} from './mongodb-order.js';
import {ownValue} from './mongodb-paths.js';
import {
  type Doc,
  isDocument,
  isNumeric,
  mapDocument,
  promoted,
  toNumber,
  typeName,
} from './mongodb-values.js';

/** The values of `let`, by name without `$$`. */
export type Variables = Doc;

const COMPARISONS = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'] as const;

const comparison = (name: string) => (obj: Any, operands: Any, options: Options) => {
  const [a, b] = evalExpr(obj, operands, options) as [unknown, unknown];
  const order = compare(a, b);
  if (name === '$cmp') return Math.sign(order);
  if (name === '$eq' || name === '$ne') return (order === 0) === (name === '$eq');
  return order === 0 ? name.endsWith('e') : name.startsWith('$g') ? order > 0 : order < 0;
};

/** mingo's comparisons look into arrays and its `$type` knows JavaScript's types: these follow BSON's. */
const context = Context.init({
  accumulator: accumulators,
  pipeline: stages,
  projection: projections,
  query: queries,
  window: windows,
  expression: {
    ...operators,
    ...Object.fromEntries([...COMPARISONS, '$cmp'].map(name => [name, comparison(name)])),
    $in: (obj: Any, operands: Any, options: Options) => {
      const [wanted, list] = evalExpr(obj, operands, options) as [unknown, unknown];
      if (!Array.isArray(list)) throw failed('BadValue', '$in requires an array as a second argument');
      return list.some(value => compare(value, wanted) === 0);
    },
    $type: (obj: Any, operand: Any, options: Options) => typeName(evalExpr(obj, operand, options)),
  },
});

const OPTIONS: Options = {
  context,
  idKey: '_id',
  processingMode: ProcessingMode.CLONE_OFF,
  useStrictMode: true,
  scriptEnabled: false,
  failOnError: true,
};

const rethrown = (error: unknown): MongodbFailure =>
  error instanceof MongodbFailure ? error : failed('BadValue', (error as Error).message);

/** Runs a stage of mingo's over promoted documents. `collection` supplies those of a `from`. */
export const mingoStage = (
  docs: Doc[],
  stage: Doc,
  variables: Variables,
  collection: (name: string) => Doc[],
): Doc[] => {
  try {
    return new Aggregator([promoted(stage) as AnyObject], {
      ...OPTIONS,
      variables: promoted(variables) as AnyObject,
      collectionResolver: name => collection(name).map(promoted) as AnyObject[],
    }).run<Doc>(docs.map(promoted) as AnyObject[]);
  } catch (error) {
    throw rethrown(error);
  }
};

const PATH = /^\$[^$.]+$/;

/**
 * An expression's value. A field, `$$ROOT` and documents of such keep BSON's types; what is computed has
 * JavaScript's numbers, which are stored as int where they fit and else as double.
 */
export const evaluate = (doc: Doc, expression: unknown, variables: Variables = {}): unknown => {
  if (expression === '$$ROOT' || expression === '$$CURRENT') return doc;
  if (typeof expression === 'string' && PATH.test(expression)) return ownValue(doc, expression.slice(1));
  if (typeof expression !== 'string' && !Array.isArray(expression) && !isDocument(expression))
    return expression;
  if (isDocument(expression) && !Object.keys(expression)[0]?.startsWith('$'))
    return mapDocument(expression, value => evaluate(doc, value, variables));
  try {
    return evalExpr(promoted(doc), promoted(expression), {
      ...OPTIONS,
      variables: promoted(variables) as AnyObject,
    });
  } catch (error) {
    throw rethrown(error);
  }
};

export const holds = (doc: Doc, expression: unknown, variables: Variables): boolean => {
  const value = evaluate(doc, expression, variables);
  return isNumeric(value) ? toNumber(value) !== 0 : value !== undefined && value !== null && value !== false;
};
