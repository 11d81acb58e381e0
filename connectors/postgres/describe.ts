/** What a table is, for checks that must know before they ask: indexes, cascades, hidden rows, estimates. */
import type {TableShape} from '../../source/connector.js';
import type {Table} from './catalogue.js';
import type {Run} from './session.js';

const indexes = `select i.indexrelid::regclass::text, i.indisunique and i.indpred is null,
    (select json_agg(a.attname order by k.place) from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.place <= i.indnkeyatts
        and not exists (select from unnest(i.indkey::int2[]) with ordinality e(attnum, place) where e.attnum = 0 and e.place <= k.place))
  from pg_catalog.pg_index i where i.indrelid = $1::text::oid and i.indisvalid order by i.indexrelid`;

const cascades = `select distinct case when pg_catalog.pg_table_is_visible(c.oid) then c.relname else n.nspname || '.' || c.relname end
  from pg_catalog.pg_constraint f
  join pg_catalog.pg_class c on c.oid = f.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where f.contype = 'f' and f.confrelid = $1::text::oid and f.confdeltype in ('c', 'n', 'd') and f.conparentid = 0
  order by 1`;

/** Partial indexes count as indexes, but not as unique ones. An expression ends what is told of an index. */
export const describeTable = async (table: Table, run: Run): Promise<TableShape> => {
  const found = await run({text: indexes, values: [table.oid]});
  const references = await run({text: cascades, values: [table.oid]});
  const estimate = table.estimate === null || table.estimate < 0 ? null : table.estimate;
  return {
    table: table.name,
    columns: table.columns.map(({name, type, nullable}) => ({name, type: type.name, nullable})),
    key: table.key.map(column => column.name),
    estimatedRows: estimate,
    indexes: found.map(([name, unique, attributes]) => ({
      name: name!,
      attributes: attributes ? (JSON.parse(attributes) as string[]) : [],
      unique: unique === 't',
    })),
    cascades: references.map(([name]) => name!),
    hidden: table.secured ? `row-level security hides rows of ${table.name} from this user` : null,
  };
};
