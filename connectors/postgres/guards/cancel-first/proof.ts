/** Proves on a scratch copy that a new session cancels its customer's own stale ones, and nothing else. */
import type {Expr, Pred} from '../../../../source/forms.js';
import {columnOf, type Table} from '../../catalogue.js';
import {ident, literal} from '../../sql.js';
import type {Column} from '../../types.js';
import type {RuleOf, RuleProof, Scratch} from '../rule.js';

type Rule = RuleOf<'cancel-first'>;

/** What a row is tried with: its status, and how long ago its moments are; `unknown` has none. */
type Try = {customer: string; status: string; ago: number | 'unknown'};

type Known = {
  customer: Column;
  status: Column;
  moments: Column[];
  zone: string;
  waiting: string;
  cancelled: string;
  /** How long ago is stale, milliseconds. */
  stale: number;
};

const leaves = (pred: Pred): Pred[] =>
  'all' in pred ? pred.all.flatMap(leaves) : 'any' in pred ? pred.any.flatMap(leaves) : [pred];

const attributeName = (expr: Expr): string => ('attr' in expr ? expr.attr : '');

/** null where a part of the rule is not a column as it stands (a path into jsonb). */
const readRule = (rule: Rule, table: Table): Known | null => {
  const parts = leaves(rule.stale);
  const waiting = parts.find(part => 'in' in part);
  const older = parts.find(part => 'older' in part);
  if (!waiting || !older || !('instant' in older.of)) return null;
  const status = columnOf(table, attributeName(waiting.of));
  const customer = columnOf(table, rule.customer);
  const moments = older.of.instant.map(name => columnOf(table, name));
  const set = status && rule.set[status.name];
  if (!status || !customer || moments.some(column => !column) || !set || !('value' in set)) return null;
  return {
    customer,
    status,
    moments: moments as Column[],
    zone: older.of.zone ?? 'UTC',
    waiting: String(waiting.in[0]),
    cancelled: String(set.value),
    stale: older.older + 60_000,
  };
};

/** A moment some milliseconds ago in a column's own format. A date has no time of day: now is tomorrow, to be fresh. */
const momentSql = ({type}: Column, ago: number, zone: string): string => {
  const moment = `(now() - interval '${ago} milliseconds')`;
  const local = `(${moment} at time zone ${literal(zone)})`;
  switch (type.family) {
    case 'timestamptz':
      return moment;
    case 'timestamp':
      return local;
    case 'date':
      return `(${local} ${ago === 0 ? '+' : '-'} interval '1 day')::date`;
    case 'int':
    case 'numeric':
    case 'float':
      return `floor(extract(epoch from ${moment})${type.base === 'int4' ? '' : ' * 1000'})`;
    default: {
      const text = `to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
      return type.family === 'json' ? `to_jsonb(${text})` : text;
    }
  }
};

const customers = ({type}: Column): ((number: number) => string) => {
  if (type.base === 'uuid') return number => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return type.family === 'text' ? number => `customer-${number}` : number => String(number);
};

/** A row without any moment has to be possible on the copy. */
const loosen = async ({moments}: Known, {sql, query}: Scratch): Promise<void> => {
  const strict = moments.filter(column => !column.nullable);
  const drops = strict.map(({name}) => `alter column ${ident(name)} drop not null`);
  if (drops.length > 0) await query(`alter table ${sql} ${drops.join(', ')}`);
};

class Rows {
  readonly #known: Known;
  readonly #scratch: Scratch;
  constructor(known: Known, scratch: Scratch) {
    this.#known = known;
    this.#scratch = scratch;
  }

  text({customer, status, ago}: Try): string {
    const {moments, zone} = this.#known;
    const values: [Column, string][] = [
      [this.#known.customer, literal(customer)],
      [this.#known.status, literal(status)],
      ...moments.map((column): [Column, string] => [
        column,
        ago === 'unknown' ? 'null' : momentSql(column, ago, zone),
      ]),
    ];
    const names = values.map(([{name}]) => ident(name)).join(', ');
    return `insert into ${this.#scratch.sql} (${names}) values (${values.map(([, sql]) => sql).join(', ')})`;
  }

  async insert(row: Try): Promise<void> {
    await this.#scratch.query(this.text(row));
  }

  /** The statuses of a customer's rows, sorted. */
  async statuses(customer: string): Promise<string[]> {
    const {status, customer: column} = this.#known;
    const where = `${ident(column.name)}::text = ${literal(customer)}`;
    const text = `select ${ident(status.name)}::text from ${this.#scratch.sql} where ${where} order by 1`;
    return (await this.#scratch.query(text)).map(([value]) => value ?? '');
  }
}

const expecting = (text: string, seen: string[], wanted: string[]): RuleProof => {
  const passed = JSON.stringify(seen) === JSON.stringify(wanted.toSorted());
  return {text, passed, why: passed ? null : `the statuses are ${seen.join(', ') || 'none'}`};
};

/** Each sentence has a customer of its own, so that a unique index of the table doesn't matter. */
export async function* proveCancelFirst(rule: Rule, scratch: Scratch): AsyncIterable<RuleProof> {
  const known = readRule(rule, scratch.place.table);
  if (!known) {
    const reason = 'the rule reads inside a column, which this proof has no rows for';
    yield {text: 'A stale waiting session is cancelled.', passed: false, why: reason};
    return;
  }
  const {waiting, cancelled, stale} = known;
  const customer = customers(known.customer);
  const rows = new Rows(known, scratch);
  await loosen(known, scratch);
  await scratch.install();

  const meets = async function* (number: number, text: string, old: Try, wanted: string[]) {
    await rows.insert(old);
    await rows.insert({customer: customer(number), status: cancelled, ago: 0});
    yield expecting(text, await rows.statuses(old.customer), wanted);
  };

  await rows.insert({customer: customer(1), status: waiting, ago: stale});
  await rows.insert({customer: customer(1), status: waiting, ago: 0});
  const bought = [cancelled, waiting];
  yield expecting(
    'A new session cancels a stale waiting one of its customer.',
    await rows.statuses(customer(1)),
    bought,
  );

  yield* meets(2, 'A fresh waiting session stays.', {customer: customer(2), status: waiting, ago: 0}, [
    waiting,
    cancelled,
  ]);
  yield* meets(
    4,
    "Another customer's stale session stays.",
    {customer: customer(3), status: waiting, ago: stale},
    [waiting],
  );
  for (const [index, status] of (rule.active ?? []).entries())
    yield* meets(
      10 + index,
      `A session that is ${status} stays, however old it is.`,
      {customer: customer(10 + index), status, ago: stale},
      [status, cancelled],
    );
  yield* meets(
    5,
    'A waiting session of unknown age stays.',
    {customer: customer(5), status: waiting, ago: 'unknown'},
    [waiting, cancelled],
  );

  await rows.insert({customer: customer(6), status: waiting, ago: stale});
  const texts = Array.from({length: 10}, () => ({
    text: rows.text({customer: customer(6), status: cancelled, ago: 0}),
  }));
  const failed = (await scratch.atOnce(texts)).find(result => result.status === 'rejected');
  const together = "Ten new sessions at once don't wait for one another, and the stale one is cancelled.";
  yield failed
    ? {text: together, passed: false, why: String((failed.reason as Error).message)}
    : expecting(together, await rows.statuses(customer(6)), new Array<string>(11).fill(cancelled));
}
