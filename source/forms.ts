/**
 * The query forms: everything that a check may ask of a store, in words that no store owns. A check says
 * what it looks for in these; each connector compiles them to its store's language and pushes down what it
 * can; `evaluate.ts` defines what they mean. Two-valued: a comparison with an absent value is false.
 */

/** A value computed from one row. `attr` is a column or attribute name; a dot steps into a map or document. */
export type Expr =
  /** The value itself. */
  | {attr: string}
  /** Text trimmed and lower-cased as JavaScript does; absent for anything that is not a string. */
  | {norm: string}
  /** An array sorted (repetitions kept), so that arrays in another order are equal; absent if not an array. */
  | {set: string}
  /** The first of the attributes that is not absent, read as a moment (see instants.ts); `zone` for naive ones. */
  | {instant: string[]; zone?: string}
  /** A template: `sess_{accountId}` with the row's attributes as text; absent if one of them is. */
  | {fill: string}
  /** prefix + the first `length` hex characters of sha256(norm(attr) + '-' + salt). */
  | {digest: string; salt: string; prefix: string; length: number}
  /** The first of several paths that is a scalar: an id itself, or a map with the id under a name. */
  | {first: string[]};

export type {Scalar} from './values.js';

import type {Scalar} from './values.js';

/** What an expression can be asked to be. `array` and `string` are about the store's type; `instant` about readability. */
export type Kind = 'null' | 'missing' | 'empty' | 'string' | 'array' | 'uuid' | 'instant' | 'finite';

export type InItem = Scalar | (Scalar | null)[];

/** A condition on one row. */
export type Pred =
  | {all: Pred[]}
  | {any: Pred[]}
  | {no: Pred}
  | {is: Kind; of: Expr}
  | {same: [Expr, Expr]}
  /**
   * The value equals one of these. Numbers and their text are equal here: ids come from a command line as text.
   * An array equals one with the same elements in the same order (a `set` is sorted).
   */
  | {in: InItem[]; of: Expr}
  /** The moment is finite, and more than `ms` before the store's now; `ms: 0` is the past. */
  | {older: number; of: Expr}
  /** The moment is finite and after the store's now. */
  | {future: Expr}
  /** Some row of `table` (other than nothing) matches: each pair is [expression here, expression there]. */
  | {partner: {table: string; on: [Expr, Expr][]; where?: Pred}};

/** A condition on a group: how many of its rows match `of`, or how many different values of `distinct` it has. */
export type Having = {of?: Pred; distinct?: Expr[]; min?: number; max?: number};

/** Rows that match, with the names of the conditions (tags) that hold for each. */
export type Rows = {
  form: 'rows';
  from: string;
  where: Pred;
  /** Columns to show; the key columns come always. */
  show: string[];
  tags: Record<string, Pred>;
  /** Tags, the most urgent first: rows come in this order, then by `order`, then by identity. */
  rank?: string[];
  order?: Expr;
};

/**
 * Rows grouped by `key` (rows where any part of it is absent are left out); a group is kept when at least
 * one of `having` holds, each a conjunction. `row` tags are told row by row, `having` names group by group.
 */
export type Groups = {
  form: 'groups';
  from: string;
  where: Pred;
  key: Expr[];
  having: Record<string, Having[]>;
  show: string[];
  tags: Record<string, Pred>;
};

/** How many rows there are for each value of `by`. */
export type Tally = {form: 'tally'; from: string; where?: Pred; by: Expr};

export type Form = Rows | Groups;

export const everything: Pred = {all: []};
export const nothing: Pred = {any: []};

/** No row can match: a put with such a condition always makes a new row. */
export const isNothing = (pred: Pred): boolean => 'any' in pred && pred.any.length === 0;

/** The attributes that an expression reads. */
export const attributesOf = (expr: Expr): string[] => {
  if ('attr' in expr) return [expr.attr];
  if ('norm' in expr) return [expr.norm];
  if ('set' in expr) return [expr.set];
  if ('instant' in expr) return expr.instant;
  if ('fill' in expr) return templateNames(expr.fill);
  if ('digest' in expr) return [expr.digest];
  return expr.first;
};

/** `sess_{accountId}` → `['accountId']` */
export const templateNames = (template: string): string[] =>
  [...template.matchAll(/\{([^{}]+)\}/g)].map(match => match[1]!);

/** The attributes of its own row that a predicate reads (a partner's are its own affair). */
export const attributesOfPred = (pred: Pred): string[] => {
  if ('all' in pred) return pred.all.flatMap(attributesOfPred);
  if ('any' in pred) return pred.any.flatMap(attributesOfPred);
  if ('no' in pred) return attributesOfPred(pred.no);
  if ('same' in pred) return pred.same.flatMap(attributesOf);
  if ('future' in pred) return attributesOf(pred.future);
  if ('partner' in pred) return pred.partner.on.flatMap(([here]) => attributesOf(here));
  return attributesOf(pred.of);
};

/** The partners that a predicate asks about, wherever they stand in it. */
export const partnersOf = (pred: Pred): {table: string; on: [Expr, Expr][]; where?: Pred}[] => {
  if ('all' in pred) return pred.all.flatMap(partnersOf);
  if ('any' in pred) return pred.any.flatMap(partnersOf);
  if ('no' in pred) return partnersOf(pred.no);
  return 'partner' in pred ? [pred.partner] : [];
};

/** Every attribute of the main table that a form reads, shows or groups by; without repetition. */
export const attributesOfForm = (form: Form): string[] => {
  const preds = [form.where, ...Object.values(form.tags)];
  const exprs: Expr[] = [];
  if (form.form === 'groups') {
    exprs.push(...form.key);
    for (const having of Object.values(form.having).flat()) {
      if (having.of) preds.push(having.of);
      exprs.push(...(having.distinct ?? []));
    }
  } else if (form.order) exprs.push(form.order);
  return [...new Set([...form.show, ...preds.flatMap(attributesOfPred), ...exprs.flatMap(attributesOf)])];
};

export const partnersOfForm = (form: Form) =>
  [
    form.where,
    ...Object.values(form.tags),
    ...(form.form === 'groups'
      ? Object.values(form.having)
          .flat()
          .flatMap(having => having.of ?? [])
      : []),
  ].flatMap(partnersOf);
