/** Proves a unique index of rows that match a condition, on a scratch copy. */
import {createHash} from 'node:crypto';
import pg from 'pg';
import type {Expr, Pred} from '../../../../source/forms.js';
import {columnOf} from '../../catalogue.js';
import {encode} from '../../encode.js';
import {ident} from '../../sql.js';
import type {Column} from '../../types.js';
import type {RuleOf, RuleProof, Scratch} from '../rule.js';
import {isEnumeration, labelsOf} from './index-definition.js';

type One = RuleOf<'one'>;
type Values = Record<string, string | null>;

const lengthOf = (name: string): number => Number(/\((\d+)\)$/.exec(name)?.[1] ?? 60);

const byFamily: Record<string, (n: number) => string> = {
  int: String,
  numeric: String,
  float: String,
  bool: n => (n % 2 === 0 ? 'true' : 'false'),
  timestamptz: n => `2001-01-01 00:00:${String(n % 60).padStart(2, '0')}+00`,
  timestamp: n => `2001-01-01 00:00:${String(n % 60).padStart(2, '0')}`,
  date: n => `2001-01-${String((n % 28) + 1).padStart(2, '0')}`,
  json: n => `{"n": ${n}}`,
};

/** The `n`th value (from 1; small) of a column: different ones for different `n`, but for booleans. */
const sampleValue = ({type}: Column, n: number): string => {
  if (type.base === 'uuid') {
    const hex = createHash('sha256').update(`sample ${n}`).digest('hex');
    return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
  if (type.family === 'text') return `a${n}@b.c`.slice(0, lengthOf(type.name));
  if (type.family === 'array') return `{${sampleValue({type: type.element!} as Column, n)}}`;
  return (byFamily[type.family] ?? String)(n);
};

const isRefused = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '23505';

const insertOf = (values: Values, {sql, place}: Scratch): {text: string; values: unknown[]} => {
  const names = Object.keys(values);
  const casts = names.map((name, index) => `$${index + 1}::${columnOf(place.table, name)!.type.cast}`);
  return {
    text: `insert into ${sql} (${names.map(ident).join(', ')}) values (${casts.join(', ')})`,
    values: Object.values(values),
  };
};

/** The columns that decide whether a row matches, each with a value of the list; null where it is no list of them. */
const matching = (where: Pred): {column: string; values: unknown[]}[] | null => {
  if ('all' in where) {
    const parts = where.all.map(matching);
    return parts.some(part => part === null) ? null : parts.flatMap(part => part!);
  }
  if (!('in' in where) || !('attr' in where.of)) return null;
  return [{column: where.of.attr, values: where.in}];
};

const matchOf = (parts: {column: string; values: unknown[]}[], {place}: Scratch, which = 0): Values =>
  Object.fromEntries(
    parts.map(({column, values}) => [
      column,
      encode(values[which % values.length] as string, columnOf(place.table, column)!.type),
    ]),
  );

const columnsOf = (key: Expr[]): string[] =>
  key.flatMap(expr => ('attr' in expr ? [expr.attr] : 'norm' in expr ? [expr.norm] : []));

/** The same key in other letters, where that is the same. */
const otherSpelling = (key: Expr[], values: Values): Values | null => {
  const names = key.flatMap(expr => ('norm' in expr ? [expr.norm] : []));
  if (names.length === 0) return null;
  const spelt = names.map(name => [name, `\u00a0${values[name]!.toUpperCase()} `]);
  return {...values, ...Object.fromEntries(spelt)};
};

const proof = (text: string, passed: boolean, why: string): RuleProof => ({
  text,
  passed,
  why: passed ? null : why,
});

const tried = async (values: Values, scratch: Scratch): Promise<'stored' | 'refused'> => {
  try {
    await scratch.query(insertOf(values, scratch).text, insertOf(values, scratch).values);
    return 'stored';
  } catch (error) {
    if (isRefused(error)) return 'refused';
    throw error;
  }
};

/** A value of the column that no row that matches has; undefined where there is none to be had. */
const elsewhere = (column: Column, values: unknown[], labels: readonly string[] | undefined) => {
  if (isEnumeration(column)) return labels?.find(label => !values.includes(label)) ?? null;
  if (column.type.family !== 'text') return null;
  return sampleValue(column, 9);
};

const atOnce = 8;

/** The key of the `n`th customer. */
const keyValues = (key: Expr[], n: number, {place}: Scratch): Values =>
  Object.fromEntries(columnsOf(key).map(name => [name, sampleValue(columnOf(place.table, name)!, n)]));

async function* proveWrites(rule: One, scratch: Scratch, parts: {column: string; values: unknown[]}[]) {
  const {table} = scratch.place;
  const row = (n: number, which = 0): Values => ({
    ...matchOf(parts, scratch, which),
    ...keyValues(rule.key, n, scratch),
  });
  const expected = async (text: string, values: Values, wanted: 'stored' | 'refused'): Promise<RuleProof> => {
    const got = await tried(values, scratch);
    return proof(text, got === wanted, `it was ${got}`);
  };
  yield await expected('the first row of a key is stored', row(1), 'stored');
  yield await expected('a second row of the same key is refused', row(1, 1), 'refused');
  const spelt = otherSpelling(rule.key, row(1));
  if (spelt) yield await expected('the same key with capitals and blanks is refused', spelt, 'refused');
  yield await expected('a row of another key is stored', row(2), 'stored');
  const [first] = parts;
  const column = first && columnOf(table, first.column)!;
  const labels = await labelsOf(table, async ({text, values}) => scratch.query(text, values));
  if (column) {
    const other = {...row(1), [column.name]: elsewhere(column, first.values, labels.get(column.name))};
    const text = `rows of the same key with another ${column.name} are stored, any number of them`;
    const results = [await tried(other, scratch), await tried(other, scratch)];
    yield proof(
      text,
      results.every(result => result === 'stored'),
      `they were ${results.join(' and ')}`,
    );
  }
  const many = await scratch.atOnce(Array.from({length: atOnce}, () => insertOf(row(3), scratch)));
  const stored = many.filter(({status}) => status === 'fulfilled').length;
  const refused = many.filter(result => result.status === 'rejected' && isRefused(result.reason)).length;
  yield proof(
    `of ${atOnce} writers of one key at once, one row is stored and the others are refused`,
    stored === 1 && refused === atOnce - 1,
    `${stored} were stored and ${refused} refused`,
  );
}

export async function* proveOne(rule: One, scratch: Scratch): AsyncIterable<RuleProof> {
  const parts = matching(rule.where);
  if (!parts) {
    yield proof('the guard can be proved', false, 'its condition is of a kind that no rows are known for');
    return;
  }
  const twin = insertOf({...matchOf(parts, scratch), ...keyValues(rule.key, 7, scratch)}, scratch);
  await scratch.query(twin.text, twin.values);
  await scratch.query(twin.text, twin.values);
  const refusal = await scratch.install().then(
    () => 'it was installed',
    () => null,
  );
  yield proof('while two rows of a key are there it is not installed', refusal === null, refusal ?? '');
  await scratch.query(`delete from ${scratch.sql}`);
  await scratch.install();
  yield* proveWrites(rule, scratch, parts);
  await scratch.uninstall();
  const after = await tried({...matchOf(parts, scratch), ...keyValues(rule.key, 1, scratch)}, scratch);
  yield proof('after it is taken away a second row is stored again', after === 'stored', `it was ${after}`);
}
