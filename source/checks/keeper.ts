/**
 * Which row of a group stays. Used twice: when a finding is shown and planned, and again under the lock, on the
 * rows as they are then.
 */
import {canonicalJson, type KeepRule, type Row} from '../connector.js';
import {fill, valueAt} from '../evaluate.js';
import {readInstant} from '../instants.js';
import {canonical, isAbsent, Other, toText, type Value} from '../values.js';

/** The moment that `latestBy` sees in a row: the first attribute that it has; unreadable or infinite is the oldest. */
export const latestMoment = (row: Row, latestBy: string[], zone: string): number => {
  const present = latestBy.map(name => valueAt(row.values, name)).find(value => !isAbsent(value));
  const micros = readInstant(present, zone);
  return micros === null || !Number.isFinite(micros) ? Number.NEGATIVE_INFINITY : micros;
};

/** Does the row's id equal its template? False where the template can't be filled. */
export const isCanonical = (row: Row, template: string | null, idAttribute: string | null): boolean =>
  template !== null &&
  idAttribute !== null &&
  fill(template, row.values) === toText(valueAt(row.values, idAttribute));

const numberLike = (value: Value): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

/** Decimal texts compared exactly: digits beyond what a number holds decide too. */
const compareDecimals = (a: string, b: string): number => {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y) && x !== y) return x - y;
  const parts = (text: string) => /^([+-]?)0*(\d*)\.?(\d*?)0*$/.exec(text);
  const [p, q] = [parts(a), parts(b)];
  if (!p || !q) return a < b ? -1 : a > b ? 1 : 0;
  const sign = p[1] === '-' ? -1 : 1;
  if ((p[1] === '-') !== (q[1] === '-')) return sign;
  const byLength = p[2]!.length - q[2]!.length;
  const [m, n] = [p[2]! + p[3]!, q[2]! + q[3]!];
  return sign * (byLength || (m < n ? -1 : m > n ? 1 : 0));
};

const compareValues = (a: Value, b: Value): number => {
  // JavaScript compares a number with a big integer exactly.
  if (numberLike(a) && numberLike(b)) return a < b ? -1 : a > b ? 1 : 0;
  const decimal = (value: Value): boolean =>
    numberLike(value) || (value instanceof Other && /^[+-]?\d*\.?\d+$/.test(value.text));
  if (decimal(a) && decimal(b)) return compareDecimals(toText(a), toText(b));
  const [x, y] = typeof a === 'string' && typeof b === 'string' ? [a, b] : [canonical(a), canonical(b)];
  return x < y ? -1 : x > y ? 1 : 0;
};

const ctidParts = (row: Row): [number, number] => {
  const match = /^\((\d+),(\d+)\)$/.exec(String(row.identity.at.ctid ?? ''));
  return match ? [Number(match[1]), Number(match[2])] : [0, 0];
};

/** Lowest key first; lowest ctid where the table has no key (contract: `first`). */
export const compareByKey = (a: Row, b: Row): number => {
  if (a.identity.by === 'place' && b.identity.by === 'place') {
    const [pageA, lineA] = ctidParts(a);
    const [pageB, lineB] = ctidParts(b);
    return pageA - pageB || lineA - lineB;
  }
  for (const name of Object.keys(a.identity.at)) {
    const order = compareValues(a.values[name], b.values[name]);
    if (order !== 0) return order;
  }
  return canonicalJson(a.identity.at) < canonicalJson(b.identity.at) ? -1 : 1;
};

/** Index of the row that stays; -1 where none has to, or where the chosen one is not among them. */
export const decideKeeper = (rule: KeepRule, rows: Row[]): number => {
  if (rule.by === 'none' || rows.length === 0) return -1;
  if (rule.by === 'identity') {
    const chosen = canonicalJson(rule.identity.at);
    return rows.findIndex(row => canonicalJson(row.identity.at) === chosen);
  }
  const better = (a: Row, b: Row): number => {
    if (rule.by === 'first') return compareByKey(a, b);
    const [x, y] = [latestMoment(a, rule.latestBy, rule.zone), latestMoment(b, rule.latestBy, rule.zone)];
    if (x !== y) return x > y ? -1 : 1;
    const byId =
      Number(isCanonical(b, rule.canonicalId, rule.idAttribute)) -
      Number(isCanonical(a, rule.canonicalId, rule.idAttribute));
    return byId || compareByKey(a, b);
  };
  let best = 0;
  for (let index = 1; index < rows.length; index++) if (better(rows[index]!, rows[best]!) < 0) best = index;
  return best;
};
