/**
 * Boolean expressions of DynamoDB as a tree, and their text. Parentheses only where they are needed: DynamoDB
 * refuses redundant ones.
 */
import type {Bindings} from './bindings.js';

/** `text` is asked for only when the leaf is rendered: a value that is bound but not used is an error. */
export type Condition =
  | boolean
  | {leaf: (bindings: Bindings) => string}
  | {and: Condition[]}
  | {or: Condition[]}
  | {not: Condition};

export const leaf = (text: (bindings: Bindings) => string): Condition => ({leaf: text});

const isKind = <K extends string>(
  condition: Condition,
  kind: K,
): condition is Extract<Condition, Record<K, unknown>> => typeof condition === 'object' && kind in condition;

export const and = (parts: Condition[]): Condition => {
  const flat = parts.flatMap(part => (isKind(part, 'and') ? part.and : [part])).filter(part => part !== true);
  if (flat.includes(false)) return false;
  return flat.length === 0 ? true : flat.length === 1 ? flat[0]! : {and: flat};
};

export const or = (parts: Condition[]): Condition => {
  const flat = parts.flatMap(part => (isKind(part, 'or') ? part.or : [part])).filter(part => part !== false);
  if (flat.includes(true)) return true;
  return flat.length === 0 ? false : flat.length === 1 ? flat[0]! : {or: flat};
};

export const not = (part: Condition): Condition =>
  typeof part === 'boolean' ? !part : isKind(part, 'not') ? part.not : {not: part};

/** The text of a condition that is neither true nor false. NOT binds tighter than AND, AND than OR. */
export const render = (condition: Exclude<Condition, boolean>, bindings: Bindings): string => {
  const inner = (part: Condition, wrapped: string[]): string => {
    const text = render(part as Exclude<Condition, boolean>, bindings);
    return wrapped.some(kind => isKind(part, kind)) ? `(${text})` : text;
  };
  if ('leaf' in condition) return condition.leaf(bindings);
  if ('and' in condition) return condition.and.map(part => inner(part, ['or'])).join(' AND ');
  if ('or' in condition) return condition.or.map(part => inner(part, ['and'])).join(' OR ');
  return `NOT ${inner(condition.not, ['and', 'or'])}`;
};

/** DynamoDB's limits on one expression: 4 KB of text, 300 operators and functions. */
export const fits = (text: string): boolean =>
  Buffer.byteLength(text) <= 4096 && (text.match(/AND|OR|NOT|IN|=|\w\(|,/g)?.length ?? 0) < 300;
