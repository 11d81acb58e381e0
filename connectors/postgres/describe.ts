/** What a table is, for checks that must know before they ask: indexes, cascades, hidden rows, estimates. */
import type {TableShape} from '../../source/connector.js';
import {cascadesStatement} from './cascades.js';
import type {Table} from './catalogue.js';
import type {Run} from './session.js';

const indexes = `select i.indexrelid::regclass::text, i.indisunique and i.indpred is null,
    (select json_agg(a.attname order by k.place) from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.place <= i.indnkeyatts
        and not exists (select from unnest(i.indkey::int2[]) with ordinality e(attnum, place) where e.attnum = 0 and e.place <= k.place))
  from pg_catalog.pg_index i where i.indrelid = $1::text::oid and i.indisvalid order by i.indexrelid`;

/** A table that was never analysed is counted up to here: what asks for a share of it must not go unasked. */
const countedRows = 100_000;

/**
 * How many rows: what the server last estimated; of a table that it never did, the exact count up to a limit, and
 * above that what the planner makes of the table's size.
 */
const rowsOf = async (table: Table, run: Run): Promise<number | null> => {
  if (table.estimate === null || !['r', 'p', 'm'].includes(table.kind)) return null;
  if (table.estimate >= 0) return table.estimate;
  // Counting would be refused where rows are hidden, which the shape is to tell.
  if (table.secured) return null;
  const [counted] = await run({
    text: `select count(*) from (select from ${table.sql} limit ${countedRows + 1}) t`,
    values: [],
  });
  if (Number(counted![0]) <= countedRows) return Number(counted![0]);
  const [plan] = await run({text: `explain (format json) select from ${table.sql}`, values: []});
  const [{Plan}] = JSON.parse(plan![0]!) as [{Plan: {'Plan Rows': number}}];
  return Math.max(Plan['Plan Rows'], countedRows);
};

/** Partial indexes count as indexes, but not as unique ones. An expression ends what is told of an index. */
export const describeTable = async (table: Table, run: Run): Promise<TableShape> => {
  const found = await run({text: indexes, values: [table.oid]});
  const references = await run(cascadesStatement(table));
  return {
    table: table.name,
    columns: table.columns.map(({name, type, nullable}) => ({name, type: type.name, nullable})),
    key: table.key.map(column => column.name),
    estimatedRows: await rowsOf(table, run),
    indexes: found.map(([name, unique, attributes]) => ({
      name: name!,
      attributes: attributes ? (JSON.parse(attributes) as string[]) : [],
      unique: unique === 't',
    })),
    cascades: references.map(([name]) => name!),
    hidden: table.secured ? `row-level security hides rows of ${table.name} from this user` : null,
  };
};
