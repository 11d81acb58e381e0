/** What a unique index is made of: expressions and condition in our words, and whether the server's say the same. */
import type {Expr, Pred} from '../../../../source/forms.js';
import {columnOf, type Table} from '../../catalogue.js';
import {expression} from '../../expressions.js';
import {predicate} from '../../predicates.js';
import type {Run} from '../../session.js';
import {Binder, ident, literal, withValues} from '../../sql.js';
import type {Column} from '../../types.js';

export type IndexDefinition = {name: string; keys: string[]; where: string | null};

/** Labels of the columns that are enumerations, by column; a column that is not looked up takes every value. */
type Labels = ReadonlyMap<string, readonly string[]>;

/** Stands before each column while expressions are compiled, and is taken out: an index knows one table only. */
const alias = 'sesstui__row';

/** The names of types in `family` text whose texts are of no enumeration. */
const plainTexts = new Set(['text', 'varchar', 'bpchar', 'char', 'name', 'citext', 'uuid']);

export const isEnumeration = ({type}: Column): boolean =>
  type.family === 'text' && !plainTexts.has(type.base);

const labelsText = `select a.attname, e.enumlabel from pg_catalog.pg_attribute a join pg_catalog.pg_enum e on e.enumtypid = a.atttypid
  where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum, e.enumsortorder`;

export const labelsOf = async (table: Table, run: Run): Promise<Labels> => {
  const labels = new Map<string, string[]>();
  if (!table.columns.some(isEnumeration)) return labels;
  for (const [column, label] of await run({text: labelsText, values: [table.oid]}))
    labels.set(column!, [...(labels.get(column!) ?? []), label!]);
  return labels;
};

const compiled = (
  lower: string,
  compile: (scope: {binder: Binder; now: number; lower: string}) => string,
): string => {
  const binder = new Binder();
  const text = compile({binder, now: 0, lower});
  return withValues(binder.statement(text)).replaceAll(`${alias}.`, '');
};

/** A plain column stands for itself, where its equality is that of the checks; else the expression that queries use. */
const keySql = (expr: Expr, table: Table, lower: string): string => {
  const column = 'attr' in expr ? columnOf(table, expr.attr) : undefined;
  if (column && !column.type.loose && column.type.family !== 'json') return ident(column.name);
  return `(${compiled(lower, scope => expression(expr, table, alias, scope).sql)})`;
};

const joined = (parts: string[], word: 'and' | 'or'): string =>
  parts.length === 0 ? (word === 'and' ? 'true' : 'false') : parts.map(part => `(${part})`).join(` ${word} `);

/** As queries compile it, except that the text of an enumeration is none that an index may be on. */
const conditionSql = (pred: Pred, table: Table, lower: string, labels: Labels): string => {
  const part = (inner: Pred): string => conditionSql(inner, table, lower, labels);
  if ('all' in pred) return joined(pred.all.map(part), 'and');
  if ('any' in pred) return joined(pred.any.map(part), 'or');
  const column = 'in' in pred && 'attr' in pred.of ? columnOf(table, pred.of.attr) : undefined;
  if (column && isEnumeration(column) && 'in' in pred) {
    const known = labels.get(column.name);
    const values = pred.in.map(String).filter(value => known?.includes(value) ?? true);
    return values.length === 0 ? 'false' : `${ident(column.name)} in (${values.map(literal).join(', ')})`;
  }
  return compiled(lower, scope =>
    predicate(pred, {
      table,
      alias,
      scope,
      tables: () => {
        throw new Error('an index has no other table');
      },
    }),
  );
};

/** The index of a rule `one`. */
export const oneDefinition = (
  {name, key, where}: {name: string; key: Expr[]; where: Pred},
  table: Table,
  lower: string,
  labels: Labels,
): IndexDefinition => ({
  name,
  keys: key.map(expr => keySql(expr, table, lower)),
  where: conditionSql(where, table, lower, labels),
});

/** `"sessions" (…) where …`, without the CREATE. */
export const definitionSql = ({keys, where}: IndexDefinition, tableSql: string): string =>
  `${tableSql} (${keys.join(', ')})${where === null ? '' : ` where ${where}`}`;
