import {BSONRegExp} from 'bson';
import {failed} from './mongodb-errors.js';
import {holds, type Variables} from './mongodb-expressions.js';
import {compare, equal, keyOf, rank} from './mongodb-order.js';
import {candidatesAt, valuesAt} from './mongodb-paths.js';
import {compileSchema} from './mongodb-schema.js';
import {type Doc, isDocument, isNumeric, regexOf, toNumber, typeName, typesNamed} from './mongodb-values.js';

export type Test = (doc: Doc) => boolean;

const isRegex = (value: unknown): value is RegExp | BSONRegExp =>
  value instanceof RegExp || value instanceof BSONRegExp;

const isOperators = (value: unknown): value is Doc =>
  isDocument(value) && !!Object.keys(value)[0]?.startsWith('$');

/**
 * MongoDB's match language over undecoded types. Its own, because mingo's works on JavaScript's values: it takes
 * an array for equal to an element wherever it stands, orders documents and arrays by sorting them first, and
 * doesn't know that 5, 5.0 and NumberLong(5) are one number. Throws a MongodbFailure for what isn't supported.
 */
export const compileFilter = (filter: Doc, variables: Variables = {}): Test => {
  const tests = Object.entries(filter).map(([name, value]) =>
    name.startsWith('$') ? logical(name, value, variables) : field(name, value, variables),
  );
  return tests.length === 1 ? tests[0]! : doc => tests.every(test => test(doc));
};

const logical = (name: string, value: unknown, variables: Variables): Test => {
  switch (name) {
    case '$and':
    case '$or':
    case '$nor': {
      const tests = filters(name, value).map(filter => compileFilter(filter, variables));
      if (name === '$and') return doc => tests.every(test => test(doc));
      return name === '$or' ? doc => tests.some(test => test(doc)) : doc => !tests.some(test => test(doc));
    }
    case '$expr':
      return doc => holds(doc, value, variables);
    case '$jsonSchema':
      return compileSchema(value);
    case '$comment':
      return () => true;
    default:
      throw failed('BadValue', `unknown top level operator: ${name}`);
  }
};

const filters = (name: string, value: unknown): Doc[] => {
  if (!Array.isArray(value) || value.length === 0)
    throw failed('BadValue', `${name} must be a nonempty array`);
  return value as Doc[];
};

const field = (path: string, condition: unknown, variables: Variables): Test => {
  if (isRegex(condition)) return operator(path, '$regex', condition, {}, variables);
  if (!isOperators(condition)) return operator(path, '$eq', condition, {}, variables);
  const tests = Object.entries(condition)
    .filter(([name]) => name !== '$options')
    .map(([name, value]) => operator(path, name, value, condition, variables));
  return doc => tests.every(test => test(doc));
};

const some =
  (path: string, holds: (value: unknown) => boolean): Test =>
  doc =>
    candidatesAt(doc, path).some(holds);

const operator = (path: string, name: string, value: unknown, all: Doc, variables: Variables): Test => {
  switch (name) {
    case '$eq':
      return some(path, equals(value));
    case '$ne':
      return not(some(path, equals(value)));
    case '$in':
    case '$nin': {
      const test = some(path, isIn(name, value));
      return name === '$in' ? test : not(test);
    }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return some(path, ordered(name, value));
    case '$exists': {
      const wanted = isTrue(value);
      return doc => valuesAt(doc, path).some(found => found !== undefined) === wanted;
    }
    case '$type':
      return typed(path, value);
    case '$regex':
      return some(path, matchesRegex(toRegex(value, all.$options)));
    case '$not': {
      if (!isRegex(value) && !isOperators(value))
        throw failed('BadValue', '$not needs a regex or a document');
      return not(field(path, value, variables));
    }
    case '$size': {
      if (!isNumeric(value)) throw failed('BadValue', '$size needs a number');
      return doc =>
        valuesAt(doc, path).some(found => Array.isArray(found) && found.length === toNumber(value));
    }
    case '$all':
      return allOf(path, value, variables);
    case '$elemMatch':
      return elementMatches(path, value, variables);
    case '$mod': {
      const [divisor, rest] = (value as unknown[]).map(part => Math.trunc(toNumber(part as number)));
      return some(path, found => isNumeric(found) && Math.trunc(toNumber(found)) % divisor! === rest);
    }
    default:
      throw failed('BadValue', `unknown operator: ${name}`);
  }
};

const not =
  (test: Test): Test =>
  doc =>
    !test(doc);

export const isTrue = (value: unknown): boolean => (isNumeric(value) ? toNumber(value) !== 0 : !!value);

const isNothing = (value: unknown): boolean => value === undefined || value === null;

const equals = (wanted: unknown): ((value: unknown) => boolean) => {
  if (isNothing(wanted)) return isNothing;
  if (typeof wanted === 'string') return value => value === wanted || equal(value, wanted);
  return value => value !== undefined && equal(value, wanted);
};

const isIn = (name: string, list: unknown): ((value: unknown) => boolean) => {
  if (!Array.isArray(list)) throw failed('BadValue', `${name} needs an array`);
  const regexes = list.filter(isRegex).map(regex => matchesRegex(toRegex(regex)));
  const keys = new Set(list.map(value => keyOf(value ?? null)));
  return value => keys.has(keyOf(value ?? null)) || regexes.some(matches => matches(value));
};

/** Only values of the same kind are ordered against each other; null is at least null, NaN only equal to NaN. */
const ordered = (name: string, bound: unknown): ((value: unknown) => boolean) => {
  const bounded = bound ?? null;
  const inclusive = name.endsWith('e');
  if (bounded === null) return value => inclusive && isNothing(value);
  const kind = rank(bounded);
  const nan = isNumeric(bounded) && Number.isNaN(toNumber(bounded));
  return value => {
    if (rank(value) !== kind) return false;
    if (isNumeric(value) && (nan || Number.isNaN(toNumber(value)))) return inclusive && equal(value, bounded);
    const order = compare(value, bounded);
    return order === 0 ? inclusive : name.startsWith('$g') ? order > 0 : order < 0;
  };
};

const typed = (path: string, value: unknown): Test => {
  const names = (Array.isArray(value) ? value : [value]).map(alias => {
    const types = typesNamed(alias);
    if (!types) throw failed('BadValue', `Unknown type name alias: ${String(alias)}`);
    return types;
  });
  const wanted = new Set(names.flat());
  return some(path, found => wanted.has(typeName(found)));
};

const toRegex = (value: unknown, options?: unknown): RegExp => {
  const {pattern, own} =
    value instanceof RegExp
      ? {pattern: value.source, own: value.flags}
      : value instanceof BSONRegExp
        ? {pattern: value.pattern, own: value.options}
        : {pattern: value, own: ''};
  if (typeof pattern !== 'string') throw failed('BadValue', '$regex has to be a string');
  try {
    return regexOf({pattern, options: typeof options === 'string' ? options : own});
  } catch (error) {
    throw failed('BadValue', `Regular expression is invalid: ${(error as Error).message}`);
  }
};

const matchesRegex = (regex: RegExp) => (value: unknown) =>
  typeof value === 'string' ? regex.test(value) : isRegex(value) && equal(value, regex);

const allOf = (path: string, value: unknown, variables: Variables): Test => {
  if (!Array.isArray(value)) throw failed('BadValue', '$all needs an array');
  const tests = value.map(wanted => field(path, wanted, variables));
  return doc => tests.length > 0 && tests.every(test => test(doc));
};

const elementMatches = (path: string, value: unknown, variables: Variables): Test => {
  if (!isDocument(value)) throw failed('BadValue', '$elemMatch needs an Object');
  const names = Object.keys(value);
  const onValue =
    names.length > 0 && names.every(name => name.startsWith('$') && !/^\$(and|or|nor)$/.test(name));
  // A condition on the element itself is a condition on a field that holds only it; arrays in arrays stay whole.
  const test = onValue ? field('element', value, variables) : compileFilter(value, variables);
  const matches = (element: unknown) =>
    onValue
      ? test({element})
      : isDocument(element)
        ? test(element)
        : Array.isArray(element) && test({...element});
  return doc => valuesAt(doc, path).some(found => Array.isArray(found) && found.some(matches));
};
