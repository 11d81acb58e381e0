/** The table that a script of `cancel-first` is written for, where it could not be looked at, or lacks columns. */
import {attributesOf, type Expr, type Pred} from '../../../../source/forms.js';
import {columnOf, type Table} from '../../catalogue.js';
import {ident} from '../../sql.js';
import type {PgType} from '../../types.js';
import type {RuleOf, ScriptPlace} from '../rule.js';
import {scriptTable} from '../sql/assumed-table.js';

type Rule = RuleOf<'cancel-first'>;

const momentType: PgType = {
  name: 'timestamptz',
  cast: 'timestamptz',
  base: 'timestamptz',
  family: 'timestamptz',
  element: null,
  loose: false,
};

const agesOf = (pred: Pred): Expr[] => {
  if ('all' in pred) return pred.all.flatMap(agesOf);
  if ('any' in pred) return pred.any.flatMap(agesOf);
  return 'older' in pred ? [pred.of] : [];
};

/**
 * The table at hand, or what stands in for it: moments are taken to be timestamptz and everything else text. The
 * function runs with a search path of its own, so a table without a schema is taken to be in `public`. `assumed` is a
 * line that says so; null where nothing had to be assumed.
 */
export const tableForScript = (rule: Rule, place: ScriptPlace): {table: Table; assumed: string | null} => {
  const moments = new Set([
    ...agesOf(rule.stale).flatMap(attributesOf),
    ...Object.entries(rule.set).flatMap(([name, value]) => ('now' in value ? [name] : [])),
  ]);
  const names = [...new Set([rule.customer, ...moments, ...Object.keys(rule.set)])];
  const known = place.table;
  const absent = names.filter(name => !known || !columnOf(known, name.split('.')[0]!));
  if (known && absent.length === 0) return {table: known, assumed: null};
  const stand = scriptTable(place, [...(known ? [] : names), ...absent]);
  const schema = stand.schema || 'public';
  const table = {
    ...stand,
    schema,
    sql: `${ident(schema)}.${ident(stand.relation)}`,
    columns: stand.columns.map(column =>
      absent.includes(column.name) && moments.has(column.name) ? {...column, type: momentType} : column,
    ),
  };
  const assumed = `Taken to be timestamptz in the schema ${schema}, as they were not there to look at: ${absent.filter(name => moments.has(name)).join(', ') || 'no column'}`;
  return {table, assumed: assumed.replaceAll(/\s+/g, ' ')};
};
