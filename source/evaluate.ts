/**
 * The reference evaluator: what the query forms mean, in memory. Connectors finish with it what their store
 * can't do, and every connector's answers are held against it on generated data.
 */
import {createHash} from 'node:crypto';
import {canonicalJson, type Found, type Identity, type Row, type Survey} from './connector.js';
import {
  type Expr,
  type Form,
  type Groups,
  type Having,
  type InItem,
  type Pred,
  partnersOfForm,
  type Rows,
  type Tally,
} from './forms.js';
import {readInstant} from './instants.js';
import {canonical, isAbsent, isMap, toText, type Value, type ValueMap} from './values.js';

/** A row as a store gives it to the evaluator. */
export type RawRow = {
  table: string;
  identity: Identity;
  values: ValueMap;
  image?: Row['image'];
  version?: string;
};

/** Rows of a table, for partners. */
export type RowSource = (table: string) => AsyncIterable<RawRow> | Iterable<RawRow>;

export type Environment = {now: number; hasPartner: (partner: Partner, values: ValueMap) => boolean};
type Partner = Extract<Pred, {partner: unknown}>['partner'];

const uuidRegex = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** An attribute, a step into maps for each dot; undefined when it is not there. A name with a dot in it wins. */
export const valueAt = (values: ValueMap, path: string): Value => {
  if (Object.hasOwn(values, path)) return values[path];
  const dot = path.indexOf('.');
  if (dot < 0) return undefined;
  const inner = Object.hasOwn(values, path.slice(0, dot)) ? values[path.slice(0, dot)] : undefined;
  return isMap(inner) ? valueAt(inner, path.slice(dot + 1)) : undefined;
};

const isScalar = (value: Value): boolean => !isAbsent(value) && !Array.isArray(value) && !isMap(value);

/** Trimmed and lower-cased as JavaScript does: what an email is compared by. */
export const normalise = (text: string): string => text.trim().toLowerCase();

/** The background session's fingerprint (contract: device-sessions): prefix, then hex of sha256(email-salt), cut. */
export const digest = (email: string, salt: string, prefix: string, length: number): string =>
  prefix +
  createHash('sha256')
    .update(`${normalise(email)}-${salt}`)
    .digest('hex')
    .slice(0, length);

/** A template with the row's attributes filled in; undefined if one is absent. */
export const fill = (template: string, values: ValueMap): string | undefined => {
  let absent = false;
  const text = template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = valueAt(values, name);
    if (isAbsent(value)) absent = true;
    return toText(value);
  });
  return absent ? undefined : text;
};

/** The value of an expression for a row. An `instant` is a number of microseconds; unreadable is absent. */
export const exprValue = (expr: Expr, values: ValueMap): Value => {
  if ('attr' in expr) return valueAt(values, expr.attr);
  if ('norm' in expr) {
    const value = valueAt(values, expr.norm);
    return typeof value === 'string' ? normalise(value) : undefined;
  }
  if ('set' in expr) {
    const value = valueAt(values, expr.set);
    return Array.isArray(value) ? [...value].sort(byCanonical) : undefined;
  }
  if ('instant' in expr) {
    const present = expr.instant.map(name => valueAt(values, name)).find(value => !isAbsent(value));
    return readInstant(present, expr.zone) ?? undefined;
  }
  if ('fill' in expr) return fill(expr.fill, values);
  if ('digest' in expr) {
    const value = valueAt(values, expr.digest);
    return typeof value === 'string' ? digest(value, expr.salt, expr.prefix, expr.length) : undefined;
  }
  return expr.first.map(path => valueAt(values, path)).find(isScalar);
};

const byCanonical = (a: Value, b: Value): number => {
  const [x, y] = [canonical(a), canonical(b)];
  return x < y ? -1 : x > y ? 1 : 0;
};

const isKind = (kind: string, expr: Expr, values: ValueMap): boolean => {
  const value = exprValue(expr, values);
  switch (kind) {
    case 'null':
      return value === null;
    case 'missing':
      return value === undefined;
    case 'empty':
      return value === '';
    case 'string':
      return typeof value === 'string';
    case 'array':
      return Array.isArray(value);
    case 'uuid':
      return typeof value === 'string' && uuidRegex.test(value);
    case 'instant':
      return typeof value === 'number';
    case 'finite':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return false;
  }
};

const matches = (item: InItem, value: Value): boolean =>
  Array.isArray(item)
    ? Array.isArray(value) &&
      item.length === value.length &&
      item.every((part, index) => toText(part) === toText(value[index]))
    : isScalar(value) && toText(item) === toText(value);

/** Does a row satisfy a predicate? */
export const holds = (pred: Pred, values: ValueMap, env: Environment): boolean => {
  if ('all' in pred) return pred.all.every(part => holds(part, values, env));
  if ('any' in pred) return pred.any.some(part => holds(part, values, env));
  if ('no' in pred) return !holds(pred.no, values, env);
  if ('is' in pred) return isKind(pred.is, pred.of, values);
  if ('same' in pred) {
    const [a, b] = pred.same.map(expr => exprValue(expr, values));
    return !isAbsent(a) && !isAbsent(b) && canonical(a) === canonical(b);
  }
  if ('in' in pred) {
    const value = exprValue(pred.of, values);
    return pred.in.some(item => matches(item, value));
  }
  if ('older' in pred) {
    const micros = exprValue(pred.of, values);
    return typeof micros === 'number' && Number.isFinite(micros) && micros < env.now - pred.older * 1000;
  }
  if ('future' in pred) {
    const micros = exprValue(pred.future, values);
    return typeof micros === 'number' && Number.isFinite(micros) && micros > env.now;
  }
  return env.hasPartner(pred.partner, values);
};

/** The key that joins a row to its partners; null when a part is absent (then there is no partner). */
export const joinKey = (exprs: Expr[], values: ValueMap): string | null => {
  const parts = exprs.map(expr => exprValue(expr, values));
  return parts.some(isAbsent) ? null : parts.map(canonical).join(' ');
};

/** Reads each partner table once and answers from the keys seen. */
export const environmentFor = async (form: Form, source: RowSource, now: number): Promise<Environment> => {
  const indexes = new Map<string, Set<string>>();
  const env: Environment = {
    now,
    hasPartner: (partner, values) => {
      const key = joinKey(
        partner.on.map(([here]) => here),
        values,
      );
      return key !== null && indexes.get(JSON.stringify(partner))!.has(key);
    },
  };
  for (const partner of partnersOfForm(form)) {
    const name = JSON.stringify(partner);
    if (indexes.has(name)) continue;
    const keys = new Set<string>();
    indexes.set(name, keys);
    for await (const row of source(partner.table)) {
      if (partner.where && !holds(partner.where, row.values, env)) continue;
      const key = joinKey(
        partner.on.map(([, there]) => there),
        row.values,
      );
      if (key !== null) keys.add(key);
    }
  }
  return env;
};

const tagsOf = (tags: Record<string, Pred>, values: ValueMap, env: Environment): string[] =>
  Object.keys(tags).filter(tag => holds(tags[tag]!, values, env));

const hasAll = (conditions: Having[], rows: RawRow[], env: Environment): boolean =>
  conditions.every(({of, distinct, min, max}) => {
    const matching = of ? rows.filter(row => holds(of, row.values, env)) : rows;
    const count = distinct
      ? new Set(matching.map(row => distinct.map(expr => canonical(exprValue(expr, row.values))).join(' ')))
          .size
      : matching.length;
    return count >= (min ?? 0) && count <= (max ?? Number.POSITIVE_INFINITY);
  });

const byIdentity = (a: RawRow, b: RawRow): number => {
  const [x, y] = [canonicalJson(a.identity.at), canonicalJson(b.identity.at)];
  return x < y ? -1 : x > y ? 1 : 0;
};

const finish = (row: RawRow, tags: Record<string, Pred>, env: Environment): Row => ({
  ...row,
  tags: tagsOf(tags, row.values, env),
});

const evaluateRows = (form: Rows, rows: RawRow[], env: Environment): Found[] => {
  const rank = form.rank ?? Object.keys(form.tags);
  const place = (row: Row): number => {
    const found = rank.findIndex(tag => row.tags.includes(tag));
    return found < 0 ? rank.length : found;
  };
  const moment = (row: Row): number => {
    const value = form.order ? exprValue(form.order, row.values) : 0;
    return typeof value === 'number' ? value : Number.POSITIVE_INFINITY;
  };
  return rows
    .filter(row => holds(form.where, row.values, env))
    .map(row => finish(row, form.tags, env))
    .sort(
      (a, b) =>
        place(a) - place(b) ||
        Number(moment(a) > moment(b)) - Number(moment(a) < moment(b)) ||
        byIdentity(a, b),
    )
    .map(row => ({key: null, having: [], rows: [row]}));
};

const evaluateGroups = (form: Groups, rows: RawRow[], env: Environment): Found[] => {
  const groups = new Map<string, {key: Value[]; rows: RawRow[]}>();
  for (const row of rows) {
    if (!holds(form.where, row.values, env)) continue;
    const key = joinKey(form.key, row.values);
    if (key === null) continue;
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, {key: form.key.map(expr => exprValue(expr, row.values)), rows: [row]});
  }
  const names = Object.keys(form.having);
  const rank = (found: Found): number => names.findIndex(name => found.having.includes(name));
  return [...groups.values()]
    .map(group => ({
      key: group.key,
      having: names.filter(name => hasAll(form.having[name]!, group.rows, env)),
      rows: group.rows.sort(byIdentity).map(row => finish(row, form.tags, env)),
    }))
    .filter(found => found.having.length > 0)
    .sort((a, b) => rank(a) - rank(b) || (joinText(a.key) < joinText(b.key) ? -1 : 1));
};

const joinText = (key: Value[]): string => key.map(canonical).join(' ');

/** What a form finds in these rows. `rows` may be any superset of what matches. */
export const evaluate = (form: Form, rows: RawRow[], env: Environment): Found[] =>
  form.form === 'rows' ? evaluateRows(form, rows, env) : evaluateGroups(form, rows, env);

/** How many were found, in all and by tag or having name. */
export const countFound = (form: Form, found: Found[]): Pick<Survey, 'total' | 'counts'> => {
  const names = form.form === 'rows' ? Object.keys(form.tags) : Object.keys(form.having);
  const counts: Record<string, number> = Object.fromEntries(names.map(name => [name, 0]));
  for (const {having, rows} of found)
    for (const name of form.form === 'rows' ? rows[0]!.tags : having) counts[name] = (counts[name] ?? 0) + 1;
  return {total: found.length, counts};
};

/** How many rows there are for each value of `by`. */
export const evaluateTally = (
  form: Tally,
  rows: RawRow[],
  env: Environment,
): {value: Value; count: number}[] => {
  const tally = new Map<string, {value: Value; count: number}>();
  for (const row of rows) {
    if (form.where && !holds(form.where, row.values, env)) continue;
    const value = exprValue(form.by, row.values);
    const name = canonical(value);
    const entry = tally.get(name);
    if (entry) entry.count++;
    else tally.set(name, {value, count: 1});
  }
  return [...tally.values()].sort((a, b) => b.count - a.count);
};
