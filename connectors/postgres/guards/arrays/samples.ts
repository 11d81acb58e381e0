/** Rows for scratch copies: values of any type, numbered, as SQL. */
import {columnOf} from '../../catalogue.js';
import {ident, literal} from '../../sql.js';
import type {PgType} from '../../types.js';
import type {Scratch} from '../rule.js';

export type Samples = {
  /** The n-th value of a column's type. */
  value: (column: string, n: number) => string;
  /** An array of the n-th values of its element. */
  array: (column: string, ns: number[]) => string;
  /** Inserts a row with these columns, and with a value of their own in the others, as far as they have a type that is known here. */
  insert: (set: Record<string, string>) => string;
};

const sample = (type: PgType, n: number, labels: Map<string, string[]>): string => {
  const {family, base, cast, element} = type;
  const typed = (text: string): string => `${literal(text)}::${cast}`;
  if (element) return `array[${sample(element, n, labels)}]::${cast}`;
  const own = labels.get(cast);
  if (own) return typed(own[n % own.length]!);
  if (base === 'uuid') return typed(`00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
  if (family === 'text') return typed(n.toString(36));
  if (family === 'int' || family === 'numeric' || family === 'float') return `(${n})::${cast}`;
  if (family === 'bool') return n % 2 === 1 ? 'true' : 'false';
  if (family === 'json') return typed(`{"n": ${n}}`);
  if (family === 'timestamptz' || family === 'timestamp' || family === 'date')
    return `(timestamp '2020-01-01' + ${n} * interval '1 day')::${cast}`;
  if (base === 'bytea') return typed(`\\x${n.toString(16).padStart(4, '0')}`);
  return typed(base === 'inet' || base === 'cidr' ? `10.0.0.${n}` : '');
};

const enums = `select pg_catalog.format_type(t.oid, -1), e.enumlabel from pg_catalog.pg_enum e
  join pg_catalog.pg_type t on t.oid = e.enumtypid order by 1, e.enumsortorder`;

/** Numbers of one `Samples` are never the same in what is filled in. */
export const samplesFor = async ({place: {table}, query}: Scratch): Promise<Samples> => {
  const labels = new Map<string, string[]>();
  for (const [type, label] of await query(enums)) labels.set(type!, [...(labels.get(type!) ?? []), label!]);
  const needed = await query(
    `select attname from pg_catalog.pg_attribute where attrelid = ${literal(table.oid)}::oid and attnum > 0 and not attisdropped
      and (attnotnull or attnum in (select unnest(conkey) from pg_catalog.pg_constraint where conrelid = ${literal(table.oid)}::oid and contype = 'c'))
      and not atthasdef and attidentity = '' and attgenerated = ''`,
  );
  let count = 100;
  // Something to tell rows by, where all that is needed may be equal.
  const telling = table.columns.filter(
    ({generated, identityAlways, type}) => !generated && !identityAlways && type.family !== 'other',
  );
  const value = (column: string, n: number): string => sample(columnOf(table, column)!.type, n, labels);
  return {
    value,
    array: (column, ns) => {
      const {type} = columnOf(table, column)!;
      return `array[${ns.map(n => sample(type.element!, n, labels)).join(', ')}]::${type.cast}`;
    },
    insert: set => {
      count += 1;
      const names = [...needed.map(([name]) => name!), ...telling.map(({name}) => name)];
      const others = [...new Set(names)].filter(name => !(name in set));
      const row = {...Object.fromEntries(others.map(name => [name, value(name, count)])), ...set};
      return `insert into ${table.sql} (${Object.keys(row).map(ident).join(', ')}) values (${Object.values(row).join(', ')})`;
    },
  };
};
