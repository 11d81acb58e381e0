/** Answers to the query forms: DynamoDB narrows down, the reference evaluator decides. */
import {
  canonicalJson,
  type Found,
  type Identity,
  type ReadOptions,
  type Row,
  type Survey,
} from '../../source/connector.js';
import {
  countFound,
  type Environment,
  environmentFor,
  evaluate,
  evaluateTally,
  type RawRow,
  exprValue as valueOfExpr,
} from '../../source/evaluate.js';
import {
  attributesOfForm,
  everything,
  type Form,
  type Groups,
  type Pred,
  type Scalar,
  type Tally,
} from '../../source/forms.js';
import {toText, type Value} from '../../source/values.js';
import {candidates, compactRow, fullRow, partnerSource} from './candidates.js';
import {attributesOfTally} from './compile.js';
import {groupsByIndex} from './indexed-groups.js';
import {getInOrder, getItems} from './pages.js';
import type {Store} from './store.js';
import {keyOfIdentity} from './tables.js';

const nameOf = (identity: Identity): string => canonicalJson(identity.at);

/** The rows with these identities that there still are, with the attributes that a form reads. */
const rowsByIdentity = async (
  store: Store,
  form: Form,
  only: Identity[],
  signal?: AbortSignal,
): Promise<RawRow[]> => {
  const info = await store.tables.known(form.from, signal);
  const attributes = [...new Set([...info.key, ...attributesOfForm(form)])];
  const rows: RawRow[] = [];
  await getItems(
    store.client,
    info,
    only.map(keyOfIdentity),
    attributes,
    items => {
      for (const item of items) rows.push(compactRow(item, info));
    },
    signal,
  );
  return rows;
};

const isScalar = (value: Value): value is Scalar => ['string', 'number', 'boolean'].includes(typeof value);

/** Narrows a groups form to the groups that these rows are in, as far as a predicate can say it. */
const whereOfGroups = (form: Groups, rows: RawRow[]): Pred => {
  const narrowed = form.key.flatMap((expr): Pred[] => {
    const values = rows.map(row => valueOfExpr(expr, row.values));
    return 'attr' in expr && values.every(isScalar) ? [{in: values.map(toText), of: expr}] : [];
  });
  return {all: [form.where, ...narrowed]};
};

type Gathered = {found: Found[]; env: Environment};

/** Everything that a form finds, from a projected first pass. */
const gather = async (store: Store, form: Form, options: ReadOptions): Promise<Gathered> => {
  const {now, signal, only} = options;
  const env = await environmentFor(form, partnerSource(store, form, signal), now);
  const attributes = attributesOfForm(form);
  if (!only) {
    const indexed = form.form === 'groups' ? await groupsByIndex(store, form, env, {signal}) : null;
    if (indexed) return {found: indexed, env};
    const rows = await candidates(store, form.from, form.where, attributes, signal);
    return {found: evaluate(form, rows, env), env};
  }
  const chosen = await rowsByIdentity(store, form, only, signal);
  if (form.form === 'rows') return {found: evaluate(form, chosen, env), env};
  const rows = await candidates(store, form.from, whereOfGroups(form, chosen), attributes, signal);
  const names = new Set(only.map(nameOf));
  return {
    found: evaluate(form, rows, env).filter(found => found.rows.some(row => names.has(nameOf(row.identity)))),
    env,
  };
};

/** The whole rows of what was found, judged again: a row that changed in between is not told by its old state. */
const inFull = async (
  store: Store,
  form: Form,
  found: Found[],
  env: Environment,
  signal?: AbortSignal,
): Promise<Found[]> => {
  const info = await store.tables.known(form.from, signal);
  const rows: RawRow[] = [];
  const keys = found.flatMap(({rows: members}) => members.map(row => keyOfIdentity(row.identity)));
  await getItems(
    store.client,
    info,
    keys,
    null,
    items => {
      for (const item of items) rows.push(fullRow(item, info));
    },
    signal,
  );
  return evaluate(form, rows, env);
};

/** A page of what a form finds, and the counts of all. */
export const survey = async (
  store: Store,
  form: Form,
  options: ReadOptions & {offset: number; limit: number},
): Promise<Survey> => {
  const {found, env} = await gather(store, form, options);
  const page = found.slice(options.offset, options.offset + options.limit);
  return {
    ...countFound(form, found),
    found: options.full ? await inFull(store, form, page, env, options.signal) : page,
  };
};

/** How many rows are read in full at a time (groups are never divided). */
const rowsAtATime = 100;

function* portions(found: Found[]): Iterable<Found[]> {
  let portion: Found[] = [];
  let rows = 0;
  for (const one of found) {
    if (portion.length > 0 && rows + one.rows.length > rowsAtATime) {
      yield portion;
      [portion, rows] = [[], 0];
    }
    portion.push(one);
    rows += one.rows.length;
  }
  if (portion.length > 0) yield portion;
}

/** Everything that a form finds, a portion at a time. */
export async function* read(store: Store, form: Form, options: ReadOptions): AsyncIterable<Found> {
  const {found, env} = await gather(store, form, options);
  for (const portion of portions(found))
    yield* options.full ? await inFull(store, form, portion, env, options.signal) : portion;
}

export const tally = async (
  store: Store,
  form: Tally,
  {now, signal}: ReadOptions,
): Promise<{value: Value; count: number}[]> => {
  const where = form.where ?? everything;
  const asked: Form = {form: 'rows', from: form.from, where, show: [], tags: {}};
  const env = await environmentFor(asked, partnerSource(store, asked, signal), now);
  return evaluateTally(form, await candidates(store, form.from, where, attributesOfTally(form), signal), env);
};

/** Rows by identity, in full and in the order asked for. */
export const fetchRows = async (
  store: Store,
  table: string,
  identities: Identity[],
  signal?: AbortSignal,
): Promise<(Row | undefined)[]> => {
  const info = await store.tables.known(table, signal);
  const items = await getInOrder(store.client, info, identities.map(keyOfIdentity), signal);
  return items.map(item => item && {...fullRow(item, info), tags: []});
};
