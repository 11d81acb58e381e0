import type {DynaliteDb, Json} from './dynamodb-engine.js';

type Arg = (string | number)[] | Json;
type Expression = {type: string; name?: string; args: Json[]};

/**
 * dynalite compares maps and lists by reference, so that no condition on one ever holds; finds no length of an
 * empty string; and never finds `false` IN a list. Its parser and everything else stay: only the evaluation of
 * parsed expressions, in conditions and in filters, is put right here. AWS's rules are followed: two maps or
 * lists are equal when they are equal at every depth, sets regardless of order, numbers by value.
 */
export const correctComparisons = (db: DynaliteDb & {corrected?: boolean}): void => {
  if (db.corrected) return;
  db.corrected = true;
  const {checkConditional, queryTable} = db;

  db.checkConditional = (data, item) => {
    if (!data._condition) return checkConditional(data, item);
    if (matches(db, item ?? {}, data._condition.expression)) return null;
    // Nothing has the empty name: dynalite's own refusal, with its own error.
    return checkConditional({Expected: {'': {Exists: true}}}, {});
  };

  // Filtering and projecting happen after a page was read, so they can be done to the page.
  db.queryTable = (...args) => {
    const [store, table, data, ...rest] = args as [unknown, unknown, Json, ...unknown[]];
    const done = rest.pop() as (error: unknown, page?: Json) => void;
    if (!data._filter) {
      queryTable(...args);
      return;
    }
    const {_filter, _projection, Select, ...plain} = data;
    queryTable(store, table, plain, ...rest, (error: unknown, page: Json) => {
      if (error) {
        done(error);
        return;
      }
      const items = (page.Items as Json[]).filter(item => matches(db, item, _filter.expression));
      page.Count = items.length;
      page.Items = _projection ? items.map(item => db.mapPaths(_projection.paths, item)) : items;
      if (Select === 'COUNT') delete page.Items;
      done(null, page);
    });
  };
};

const matches = (db: DynaliteDb, item: Json, expression: Expression): boolean => {
  const {type, args} = expression;
  if (type === 'and')
    return matches(db, item, args[0] as Expression) && matches(db, item, args[1] as Expression);
  if (type === 'or')
    return matches(db, item, args[0] as Expression) || matches(db, item, args[1] as Expression);
  if (type === 'not') return !matches(db, item, args[0] as Expression);
  const [value, ...operands] = (args as Arg[]).map(arg => resolve(db, item, arg));
  if (type === '=') return equal(value, operands[0]);
  if (type === '<>') return !equal(value, operands[0]);
  if (type === 'in') return operands.some(operand => equal(value, operand));
  if (type === 'function' && expression.name === 'contains' && value?.L)
    return (value.L as Json[]).some(element => equal(element, operands[0]));
  return db.compare(type === 'function' ? expression.name! : type, value, operands);
};

const resolve = (db: DynaliteDb, item: Json, arg: Arg): Json | undefined => {
  if (Array.isArray(arg)) return db.mapPath(arg, item);
  if (arg.type !== 'function' || arg.name !== 'size') return arg;
  const length = sizeOf(resolve(db, item, arg.args[0]));
  return length === undefined ? undefined : {N: String(length)};
};

const sizeOf = (value: Json | undefined): number | undefined => {
  if (!value) return undefined;
  const [type, content] = Object.entries(value)[0]!;
  if (type === 'S') return Buffer.byteLength(content);
  if (type === 'B') return Buffer.from(content, 'base64').length;
  if (type === 'M') return Object.keys(content).length;
  return Array.isArray(content) ? content.length : undefined;
};

/** Equality of two AttributeValues; an absent one equals nothing. */
const equal = (left: Json | undefined, right: Json | undefined): boolean => {
  if (!left || !right) return false;
  const [type, a] = Object.entries(left)[0]!;
  const [other, b] = Object.entries(right)[0]!;
  if (type !== other) return false;
  if (type === 'L')
    return a.length === b.length && a.every((element: Json, i: number) => equal(element, b[i]));
  if (type === 'M') {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every(key => equal(a[key], b[key]));
  }
  // Numbers arrive normalised, so that equal numbers are equal text.
  if (Array.isArray(a)) return a.length === b.length && a.every(element => b.includes(element));
  return a === b;
};
