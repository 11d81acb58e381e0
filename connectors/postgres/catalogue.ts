/** What the catalogue says of a table: its columns and their types, and what identifies a row. */
import {closest} from 'fastest-levenshtein';
import {SesstuiError} from '../../source/errors.js';
import {hasDeleteTrigger} from './cascades.js';
import {ident, type Statement} from './sql.js';
import {type Column, familyOf, type PgType} from './types.js';

export type Table = {
  /** As it was asked for. */
  name: string;
  oid: string;
  /** Quoted and schema-qualified, for statements. */
  sql: string;
  /** The two parts of it, not quoted. */
  schema: string;
  relation: string;
  /** pg_class.relkind. */
  kind: string;
  columns: Column[];
  /** The columns of the primary key or of a unique index that a row can't escape; empty when there is none. */
  key: Column[];
  /** -1 or null when never analysed. */
  estimate: number | null;
  /** Row-level security applies to this user. */
  secured: boolean;
  /** A trigger that somebody wrote fires when a row is deleted. */
  deleteTrigger: boolean;
};

type TypeRow = {
  name: string;
  cast: string;
  base: string;
  kind: string;
  element: TypeRow | null;
  loose: boolean;
};
type TableRow = {
  oid: string;
  schema: string;
  relname: string;
  relkind: string;
  estimate: number | null;
  secured: boolean;
  deleteTrigger: boolean;
  inherited: boolean;
  columns: {name: string; notNull: boolean; generated: boolean; identity: string; type: TypeRow}[];
  keys: string[][];
};

// A type below its domains (a domain over a domain over …), as pg_type's row.
const baseType = (oid: string) => `(with recursive d as (
      select y.oid, y.typtype, y.typbasetype from pg_catalog.pg_type y where y.oid = ${oid}
      union all select y.oid, y.typtype, y.typbasetype from pg_catalog.pg_type y join d on y.oid = d.typbasetype where d.typtype = 'd')
    select d.oid from d where d.typtype <> 'd')`;

const typeJson = (
  alias: string,
  name: string,
  oid: string,
  element: string,
  loose: string,
) => `json_build_object(
    'name', ${name}, 'cast', pg_catalog.format_type(${oid}, -1), 'base', ${alias}.typname, 'kind', ${alias}.typtype,
    'element', ${element}, 'loose', ${loose})`;

const looseType = (alias: string, collation: string) =>
  `(${alias}.typname = 'citext' or exists (select from pg_catalog.pg_collation o where o.oid = ${collation} and not o.collisdeterministic))`;

/** One row of JSON for a table, or no row. An exact name on the search path wins over `schema.table`. */
export const tableStatement = (name: string): Statement => ({
  text: `select json_build_object('oid', c.oid::text, 'schema', n.nspname, 'relname', c.relname, 'relkind', c.relkind,
    'estimate', c.reltuples::float8, 'secured', pg_catalog.row_security_active(c.oid),
    'deleteTrigger', ${hasDeleteTrigger('c.oid')},
    'inherited', c.relkind = 'r' and exists (select from pg_catalog.pg_inherits h where h.inhparent = c.oid),
    'columns', (select coalesce(json_agg(json_build_object('name', a.attname, 'notNull', a.attnotnull,
        'generated', a.attgenerated <> '', 'identity', a.attidentity, 'type', ${typeJson(
          'b',
          'pg_catalog.format_type(a.atttypid, a.atttypmod)',
          'a.atttypid',
          `case when e.oid is not null then ${typeJson('eb', 'pg_catalog.format_type(e.oid, null)', 'e.oid', 'null', looseType('eb', 'a.attcollation'))} end`,
          looseType('b', 'a.attcollation'),
        )}) order by a.attnum), '[]')
      from pg_catalog.pg_attribute a
      join pg_catalog.pg_type b on b.oid = ${baseType('a.atttypid')}
      left join pg_catalog.pg_type e on b.typcategory = 'A' and b.typelem <> 0 and b.typname not in ('int2vector', 'oidvector') and e.oid = b.typelem
      left join pg_catalog.pg_type eb on eb.oid = ${baseType('e.oid')}
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    'keys', (select coalesce(json_agg((select json_agg(a.attname order by k.place)
          from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
          join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
          where k.place <= i.indnkeyatts)
        order by i.indisprimary desc, i.indnkeyatts, i.indexrelid), '[]')
      from pg_catalog.pg_index i
      where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
        and not exists (select from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
          join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
          where k.place <= i.indnkeyatts and not a.attnotnull)))::text
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f')
      and ((c.relname = $1::text and pg_catalog.pg_table_is_visible(c.oid)) or n.nspname || '.' || c.relname = $1::text)
    order by c.relname = $1::text desc limit 1`,
  values: [name],
});

const typeOf = (row: TypeRow): PgType => ({
  name: row.name,
  cast: row.cast,
  base: row.base,
  family: row.element ? 'array' : familyOf(row.base, row.kind),
  element: row.element && typeOf(row.element),
  loose: row.loose,
});

/** Reads what `tableStatement` answered. */
export const readTable = (name: string, json: string): Table => {
  const row = JSON.parse(json) as TableRow;
  const columns = row.columns.map(column => ({
    name: column.name,
    type: typeOf(column.type),
    nullable: !column.notNull,
    generated: column.generated,
    identityAlways: column.identity === 'a',
  }));
  // A unique index of a parent says nothing of the rows that it inherits.
  const key = row.inherited ? [] : (row.keys[0] ?? []);
  return {
    name,
    oid: row.oid,
    sql: `${ident(row.schema)}.${ident(row.relname)}`,
    schema: row.schema,
    relation: row.relname,
    kind: row.relkind,
    columns,
    key: key.map(part => columns.find(column => column.name === part)!),
    estimate: row.estimate,
    secured: row.secured,
    deleteTrigger: row.deleteTrigger,
  };
};

/** Every table that could be meant, by the name to use in a configuration. */
export const tablesStatement: Statement = {
  text: `select case when pg_catalog.pg_table_is_visible(c.oid) then c.relname else n.nspname || '.' || c.relname end
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and not c.relispartition
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%' order by 1`,
  values: [],
};

const nearest = (name: string, names: string[]): string =>
  names.length > 0 ? `Did you mean "${closest(name, names)}"?` : '';

export const noSuchTable = (name: string, store: string, names: string[]): SesstuiError =>
  new SesstuiError('not-found', `There is no table "${name}" in ${store}.`, nearest(name, names));

export const noSuchColumn = (name: string, table: Table): SesstuiError =>
  new SesstuiError(
    'not-found',
    `The table "${table.name}" has no column "${name}".`,
    nearest(
      name,
      table.columns.map(column => column.name),
    ),
  );

export const columnOf = (table: Table, name: string): Column | undefined =>
  table.columns.find(column => column.name === name);
