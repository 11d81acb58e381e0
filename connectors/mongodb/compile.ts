/** Query forms as MongoDB's filters, projections and pipelines. Pure: tested without a server. */
import {exprValue as valueOfExpr} from '../../source/evaluate.js';
import {
  attributesOf,
  attributesOfForm,
  attributesOfPred,
  type Expr,
  type Form,
  type Groups,
  partnersOfForm,
  type Tally,
} from '../../source/forms.js';
import {isAbsent, type Value, type ValueMap} from '../../source/values.js';
import {
  and,
  attributeName,
  type Filter,
  isMatchAll,
  isPath,
  matchAll,
  matchNone,
  or,
  variantsOf,
} from './filters.js';
import {type Ground, weaken} from './weaken.js';

export type Query = {filter: Filter; projection: Record<string, 1>; exact: boolean};

/** What to read of each document: the shortest of paths that overlap, as MongoDB refuses both. */
export const projectionOf = (attributes: string[]): Record<string, 1> => {
  const names = [...new Set(attributes.map(attributeName))].sort((a, b) => a.length - b.length);
  const kept: string[] = ['_id'];
  for (const name of names)
    if (!kept.some(short => name === short || name.startsWith(`${short}.`))) kept.push(name);
  return Object.fromEntries(kept.map(name => [name, 1 as const]));
};

/** A filter that lets through every document that a form is about, and what to read of them. */
export const compile = (form: Form | Tally, ground: Ground): Query => {
  const attributes =
    form.form === 'tally'
      ? [...attributesOf(form.by), ...(form.where ? attributesOfPred(form.where) : [])]
      : attributesOfForm(form);
  const {filter, exact} = weaken(form.where ?? {all: []}, ground);
  return {filter, exact, projection: projectionOf(attributes)};
};

/** Where a partner expression can be looked up by value. */
const lookup = (expr: Expr, values: Value[], allTypes: boolean): Filter => {
  const paths = 'attr' in expr ? [expr.attr] : 'first' in expr ? expr.first : [];
  const variants = values.map(value => variantsOf(value, allTypes));
  if (paths.length === 0 || variants.some(some => some === null)) return matchAll;
  return or(paths.map(path => ({[attributeName(path)]: {$in: variants.flat()}})));
};

/** The partners that some of these rows could have. */
const partnersNear = ({on}: Partner, rows: ValueMap[], allTypes: boolean): Filter => {
  const joined = rows
    .map(row => on.map(([here]) => valueOfExpr(here, row)))
    .filter(values => !values.some(isAbsent));
  if (joined.length === 0) return matchNone;
  return and(
    on.map(([, there], index) =>
      lookup(
        there,
        joined.map(values => values[index]),
        allTypes,
      ),
    ),
  );
};

type Partner = ReturnType<typeof partnersOfForm>[number];

/**
 * The same for a table of partners: any document that one of the form's partners in it could be; with `near`,
 * only those that these rows could have.
 */
export const compilePartners = (form: Form, table: string, ground: Ground, near?: ValueMap[]): Query => {
  const partners = partnersOfForm(form).filter(partner => partner.table === table);
  const attributes = partners.flatMap(({on, where}) => [
    ...on.flatMap(([, there]) => attributesOf(there)),
    ...(where ? attributesOfPred(where) : []),
  ]);
  const filter = or(
    partners.map(partner =>
      and([
        partner.where ? weaken(partner.where, ground).filter : matchAll,
        near ? partnersNear(partner, near, ground.allTypes) : matchAll,
      ]),
    ),
  );
  return {filter, exact: false, projection: projectionOf(attributes)};
};

export type Stage = Record<string, unknown>;

/** The plain attributes that a groups form groups by; null if one of them is computed or a path. */
export const plainKey = (form: Groups): string[] | null => {
  const names = form.key.map(expr =>
    'attr' in expr && !isPath(expr.attr) ? attributeName(expr.attr) : null,
  );
  return names.length > 0 && names.every(name => name !== null) ? names : null;
};

/** How many rows a group must have at least to be found; 1 where a single row may do. */
export const leastRows = (form: Groups): number => {
  const least = Object.values(form.having).map(conditions =>
    Math.max(1, ...conditions.map(condition => condition.min ?? 0)),
  );
  return least.length === 0 ? 1 : Math.min(...least);
};

const matched = (filter: Filter): Stage[] => (isMatchAll(filter) ? [] : [{$match: filter}]);

/** The keys of which there are at least `leastRows` documents, counted by the server. */
export const candidatePipeline = (form: Groups, key: string[], ground: Ground): Stage[] => [
  ...matched(weaken(form.where, ground).filter),
  {$group: {_id: Object.fromEntries(key.map((name, index) => [`k${index}`, `$${name}`])), n: {$sum: 1}}},
  {$match: {n: {$gte: leastRows(form)}}},
];

/** Documents whose key the server may group otherwise than the evaluator does: documents and arrays. */
export const composedKeyFilter = (form: Groups, key: string[], ground: Ground): Filter =>
  and([weaken(form.where, ground).filter, {$or: key.map(name => ({[name]: {$type: ['object', 'array']}}))}]);

/** Documents with an ObjectId in a key attribute (equal to its hex string here, not on the server). */
export const objectIdKeyFilter = (form: Groups, name: string, ground: Ground): Filter =>
  and([weaken(form.where, ground).filter, {[name]: {$type: 'objectId'}}]);

/** Documents with an ObjectId's hex in it as text. */
export const hexKeyFilter = (form: Groups, name: string, ground: Ground): Filter =>
  and([weaken(form.where, ground).filter, {[name]: {$regex: '^[0-9a-f]{24}$'}}]);

/** Documents that may have one of these keys: each attribute one of its values; everything where that can't be said. */
export const keysFilter = (key: string[], keys: Value[][], allTypes: boolean): Filter =>
  and(
    key.map((name, index) => {
      const variants = keys.map(values => variantsOf(values[index], allTypes));
      return variants.some(some => some === null) ? matchAll : {[name]: {$in: variants.flat()}};
    }),
  );

/** Documents whose value the server may count as one with another: a Decimal128 with the number that it equals. */
export const mergedValueFilter = (name: string): Filter => ({
  [name]: {$type: ['decimal', 'object', 'array']},
});

/** Rows for each value of an attribute, counted by the server; null where the server could count otherwise. */
export const tallyPipeline = (form: Tally, ground: Ground): Stage[] | null => {
  const {filter, exact} = weaken(form.where ?? {all: []}, ground);
  if (!exact || !('attr' in form.by) || isPath(form.by.attr)) return null;
  return [...matched(filter), {$group: {_id: `$${attributeName(form.by.attr)}`, n: {$sum: 1}}}];
};
