/** Reading what forms find: a superset by the server, the rest by the reference evaluator, page by page. */
import {
  canonicalJson,
  type Found,
  type Identity,
  type ReadOptions,
  type Row,
  type Survey,
} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {
  countFound,
  type Environment,
  environmentFor,
  evaluate,
  holds,
  joinKey,
  type RawRow,
  exprValue as valueOfExpr,
} from '../../source/evaluate.js';
import {type Form, type Groups, partnersOfForm} from '../../source/forms.js';
import {canonical, isAbsent, type Value, type ValueMap} from '../../source/values.js';
import {candidateKeys} from './candidates.js';
import type {Access} from './client.js';
import {isCollated} from './collation.js';
import {fetchRows, piecesOf, requireCollections, rowsOf} from './collections.js';
import {compile, compilePartners, keysFilter, plainKey} from './compile.js';
import {and, type Filter, matchAll} from './filters.js';
import {idOfIdentity} from './identity.js';
import type {Ground} from './weaken.js';

const idsAtOnce = 500;
const keysAtOnce = 5000;
/** Rows of one page of full documents; a document may have 16 MiB. */
const firstAtOnce = 5;
const fullAtOnce = 50;
/** What a page of full documents is to bring. */
const wantedBytes = 8 * 2 ** 20;

export const groundOf = (access: Access, options: Pick<ReadOptions, 'now'>): Ground => ({
  now: options.now,
  allTypes: access.info.allTypes,
});

/** The partners of a form, each table read once by projection; with `near`, only those that these rows could have. */
export const partnersFor = (
  access: Access,
  form: Form,
  now: number,
  near?: ValueMap[],
): Promise<Environment> =>
  environmentFor(
    form,
    table => rowsOf(access, table, compilePartners(form, table, groundOf(access, {now}), near)),
    now,
  );

/**
 * Queries whose documents together are all that a form may find; `keys` are those of the only groups wanted, `byId`:
 * they ask for some `_id`s, and nothing else.
 */
export type Search = {filters: Filter[]; keys: Set<string> | null; byId?: boolean};

export const searchFor = async (
  access: Access,
  form: Form,
  options: ReadOptions,
  filter: Filter,
): Promise<Search> => {
  if (form.form === 'rows') {
    const ids = options.only && piecesOf(options.only.map(idOfIdentity), idsAtOnce);
    if (!ids) return {filters: [filter], keys: null};
    const byId = isCollated(access.db, form.from);
    return {
      filters: ids.map(some => and([byId ? matchAll : filter, {_id: {$in: some}}])),
      keys: null,
      byId,
    };
  }
  const ground = groundOf(access, options);
  const plain = plainKey(form);
  const keys = options.only
    ? await keysOf(access, form, options.only)
    : plain && (await candidateKeys(access, form, plain, ground));
  if (!keys) return {filters: [filter], keys: null};
  // Beyond that many keys one pass over everything is cheaper for the server than looking each of them up.
  const narrow = plain && keys.length <= keysAtOnce ? keysFilter(plain, keys, ground.allTypes) : matchAll;
  const wanted = new Set(keys.map(values => values.map(canonical).join(' ')));
  return {filters: wanted.size === 0 ? [] : [and([filter, narrow])], keys: wanted};
};

/** The keys of the groups that these rows are in. */
const keysOf = async (access: Access, form: Groups, only: Identity[]): Promise<Value[][]> =>
  (await fetchRows(access, form.from, only))
    .filter(row => row !== undefined)
    .map(row => form.key.map(expr => valueOfExpr(expr, row.values)))
    .filter(values => !values.some(isAbsent));

/** MongoDB tells `{a: 1, b: 2}` from `{b: 2, a: 1}`, and identities don't: rather no answer than one without one of them. */
const refuseTwins = (row: RawRow, other: RawRow | undefined): void => {
  const [a, b] = [JSON.stringify(row.identity.at), JSON.stringify(other?.identity.at)];
  if (!other || a === b) return;
  throw new SesstuiError(
    'unsupported',
    `Two documents of ${row.table} have an _id with the same fields in another order: ${a} and ${b}.`,
    'They can not be told apart here: give one of them another _id.',
  );
};

/** Rows that satisfy a form's condition, each once, with what it needs of them. */
const collect = async (
  access: Access,
  form: Form,
  options: ReadOptions,
  env: Environment,
): Promise<RawRow[]> => {
  const query = compile(form, groundOf(access, options));
  const {filters, keys, byId = false} = await searchFor(access, form, options, query.filter);
  const rows = new Map<string, RawRow>();
  for (const filter of filters)
    for await (const row of rowsOf(access, form.from, {...query, filter, byId})) {
      if (keys && form.form === 'groups' && !keys.has(joinKey(form.key, row.values) ?? '')) continue;
      if (!holds(form.where, row.values, env)) continue;
      const key = canonicalJson(row.identity.at);
      refuseTwins(row, rows.get(key));
      rows.set(key, row);
    }
  return [...rows.values()];
};

const withOnly = (found: Found[], only: Identity[] | undefined): Found[] => {
  if (!only) return found;
  const wanted = new Set(only.map(identity => canonicalJson(identity.at)));
  return found.filter(({rows}) => rows.some(row => wanted.has(canonicalJson(row.identity.at))));
};

const search = async (
  access: Access,
  form: Form,
  options: ReadOptions,
): Promise<{found: Found[]; env: Environment}> => {
  await requireCollections(access, [form.from, ...partnersOfForm(form).map(({table}) => table)]);
  const env = await partnersFor(access, form, options.now);
  const rows = await collect(access, form, options, env);
  return {found: withOnly(evaluate(form, rows, env), options.only), env};
};

/** The row as it is told: without what only the fetching needs. */
const told = ({bytes: _, ...row}: Row & {bytes?: unknown}): Row => row;

/** Found things with their whole documents, judged again on them: a row may have changed since it was found. */
const inFull = async (access: Access, form: Form, found: Found[], env: Environment): Promise<Found[]> => {
  const rows = await fetchRows(
    access,
    form.from,
    found.flatMap(({rows: some}) => some.map(row => row.identity)),
  );
  return evaluate(
    form,
    rows.filter(row => row !== undefined),
    env,
  ).map(item => ({...item, rows: item.rows.map(told)}));
};

/**
 * Found things with their whole documents, some at a time: few at first, then twice as many while they stay small.
 * How large documents are is known only when they are there (safety S19).
 */
async function* fullPages(
  access: Access,
  form: Form,
  found: Found[],
  env: Environment,
): AsyncGenerator<Found[]> {
  let most = firstAtOnce;
  for (let from = 0; from < found.length; ) {
    let to = from + 1;
    let rows = found[from]!.rows.length;
    while (to < found.length && rows + found[to]!.rows.length <= most) rows += found[to++]!.rows.length;
    const page = await inFull(access, form, found.slice(from, to), env);
    const bytes = page.reduce((sum, item) => sum + item.rows.reduce((size, row) => size + sizeOf(row), 0), 0);
    most = Math.max(1, Math.min(Math.floor((wantedBytes * rows) / Math.max(1, bytes)), rows * 2, fullAtOnce));
    yield page;
    from = to;
  }
}

/** About the bytes of a whole row: the length of its image, which is its BSON as text. */
const sizeOf = ({image}: Row): number => (image as {bson: string}).bson.length;

/** Everything that a form finds, in the evaluator's order; whole documents a page at a time. */
export async function* readForm(access: Access, form: Form, options: ReadOptions): AsyncGenerator<Found> {
  const {found, env} = await search(access, form, options);
  if (!options.full) yield* found;
  else for await (const page of fullPages(access, form, found, env)) yield* page;
}

/** A page of what a form finds, and exactly how many there are in all. */
export const surveyForm = async (
  access: Access,
  form: Form,
  options: ReadOptions & {offset: number; limit: number},
): Promise<Survey> => {
  const {found, env} = await search(access, form, options);
  const page = found.slice(options.offset, options.offset + options.limit);
  const shown: Found[] = [];
  if (options.full) for await (const some of fullPages(access, form, page, env)) shown.push(...some);
  return {...countFound(form, found), found: options.full ? shown : page};
};
